"""A small, working objective."""
