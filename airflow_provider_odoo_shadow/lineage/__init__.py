"""Where the rows of a table come from, for catalogues of data."""
