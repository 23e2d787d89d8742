"""Documents: one of each business object, as a person would write it, kept up to date with the rows that it shows."""
