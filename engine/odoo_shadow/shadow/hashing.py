"""Which way of making row hashes is the one of now."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.database import Transaction
from odoo_shadow.shadow.relations import MIRROR

VERSION = "v1"
"""Begins every hash; another way to make them has another."""


_HASHING: LiteralString = "(SELECT {version} || encode(substr(sha256('key' || hash_key), 1, 8), 'hex') FROM {mirror})"


def hashing_of(tx: Transaction) -> sql.Composed:
    """Return the expression of how hashes are made now: with what `hashed_as` begins."""
    return sql.SQL(_HASHING).format(version=f"{VERSION}:", mirror=tx.internal(MIRROR))
