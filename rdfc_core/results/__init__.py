"""What a run gives: the schema of ``results.json``."""
