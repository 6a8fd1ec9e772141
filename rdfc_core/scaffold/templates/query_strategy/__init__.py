"""A small, working query strategy."""
