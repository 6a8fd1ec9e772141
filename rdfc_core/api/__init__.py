"""rdfc from Python: what `rdfc_core` offers beside the names for plugins.

The command line calls what is here; both give the same results.
"""
