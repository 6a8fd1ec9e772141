"""Filters, one module each: from the image, and the box that is needed, to filtered values."""
