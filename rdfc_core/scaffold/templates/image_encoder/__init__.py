"""A small, working image encoder."""
