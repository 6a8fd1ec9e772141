"""What is found in a folder: cases, and what could not be decided."""

from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase

__all__ = ["ONLY", "Doubt", "Found", "FoundCase"]
