"""A small, working pretext."""
