"""Small helpers that know nothing of tumours."""
