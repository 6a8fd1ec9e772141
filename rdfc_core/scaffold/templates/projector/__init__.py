"""A small, working projector."""
