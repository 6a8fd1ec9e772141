"""One module a section: from a `RunData` to what the section's template needs."""
