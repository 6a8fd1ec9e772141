"""A small, working feature extractor."""
