"""A small, working harmoniser."""
