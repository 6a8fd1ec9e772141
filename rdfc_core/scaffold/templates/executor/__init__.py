"""A small, working executor."""
