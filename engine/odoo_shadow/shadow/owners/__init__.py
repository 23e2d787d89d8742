"""Who owns what in the shadow's database, and which of it may be used."""
