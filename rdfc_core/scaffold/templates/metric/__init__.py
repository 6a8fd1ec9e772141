"""A small, working metric."""
