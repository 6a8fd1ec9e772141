"""Formats of pictures and volumes, header by header."""
