"""Extraction: what views make of cases, kept in the store."""
