"""A small, working evaluator."""
