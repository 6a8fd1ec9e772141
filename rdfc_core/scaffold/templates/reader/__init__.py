"""A small, working reader."""
