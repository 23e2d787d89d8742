"""Mirror tables: what they should be and what they are, rows in, rows out, and comparing them."""
