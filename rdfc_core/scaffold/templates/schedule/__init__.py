"""A small, working schedule."""
