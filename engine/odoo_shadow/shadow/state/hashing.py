"""The current version and key of row hashes."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import MIRROR

VERSION = "v1"
"""Every hash begins with it; it changes with the way hashes are made."""


_HASHING: LiteralString = "(SELECT {version} || encode(substr(sha256('key' || hash_key), 1, 8), 'hex') FROM {mirror})"


def hashing_of(tx: Transaction) -> sql.Composed:
    """Return the expression of the current version and key, with which `hashed_as` begins."""
    return sql.SQL(_HASHING).format(version=f"{VERSION}:", mirror=tx.internal(MIRROR))
