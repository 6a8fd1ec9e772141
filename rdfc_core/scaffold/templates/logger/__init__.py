"""A small, working logger."""
