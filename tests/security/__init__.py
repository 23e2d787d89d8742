"""Attacks: each as a test, with a hostile server, role or user."""
