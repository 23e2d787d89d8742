"""The control tables: what the mirror knows of itself."""
