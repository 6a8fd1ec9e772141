"""The feature classes, one module each: from values or matrices to named features."""
