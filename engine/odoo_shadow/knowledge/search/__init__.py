"""Finds documents: by words, by names and codes, and by meaning."""
