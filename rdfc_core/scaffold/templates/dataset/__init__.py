"""A small, working dataset."""
