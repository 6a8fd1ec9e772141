"""New plugins: ``rdfc plugins new``."""
