"""A small, working section of the report."""
