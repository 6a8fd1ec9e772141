"""One small, working component a kind. ``rdfc plugins new`` copies them into a new plugin.

Beyond that they serve the conformance checks as simple partners, and readers as examples.
"""
