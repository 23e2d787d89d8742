"""From a model's fields to a table's columns, and from records to rows."""
