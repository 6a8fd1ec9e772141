"""Metrics, intervals, tests, and the methods that are judged."""
