"""Conditions that say whether a table has the indexes that a mirror needs."""

from __future__ import annotations

from typing import LiteralString

HAS_KEY: LiteralString = (
    "EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'id'"
    " WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL"
    " AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)"
)
"""Whether `pg_class c` has what ON CONFLICT (id) needs."""


HAS_INDEX: LiteralString = (
    "EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = '_odoo_write_date'"
    " WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum)"
)
"""Whether an index finds the newest rows of `pg_class c`."""
