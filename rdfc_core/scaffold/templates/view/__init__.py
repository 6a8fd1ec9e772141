"""A small, working view."""
