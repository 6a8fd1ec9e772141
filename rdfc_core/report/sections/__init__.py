"""One module a section: from a `Run` to what the section's template needs."""
