"""A small, working optimiser."""
