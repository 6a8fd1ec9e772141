"""Studies: read, completed from presets, resolved against the components."""
