"""Connections to PostgreSQL, whichever database it is: addresses, encryption, what keeps one from connecting."""
