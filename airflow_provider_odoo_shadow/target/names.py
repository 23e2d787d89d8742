"""Names of tables and columns: any Odoo name becomes a PostgreSQL identifier that is distinct and stable."""

from __future__ import annotations

import hashlib

LONGEST_NAME = 63
"""Bytes of a PostgreSQL identifier; longer ones are cut off in silence (NAMEDATALEN - 1)."""

TABLE_PREFIX = "odoo_shadow_"
ID = "id"
WRITE_DATE = "_odoo_write_date"
SYNCED_AT = "_synced_at"
HASH = "_sync_hash"
DELETED_AT = "_deleted_at"

_OWN_COLUMNS = frozenset({WRITE_DATE, SYNCED_AT, HASH, DELETED_AT})
# PostgreSQL's system columns (documentation, "System Columns"): no table may have a column of these names.
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_HASH_DIGITS = 8


def table_name(model: str) -> str:
    """Return the table of a model: `res.partner` becomes `odoo_shadow_res_partner`."""
    return _bounded(TABLE_PREFIX + model.replace(".", "_"), model)


def distinct_table_name(model: str) -> str:
    """Return the name that a model's table takes when another model already has the plain one."""
    return _suffixed(TABLE_PREFIX + model.replace(".", "_"), model)


def column_name(field: str) -> str:
    """Return the column of a field: the same name, unless PostgreSQL or this project cannot have it so."""
    if field in _OWN_COLUMNS or field in _SYSTEM_COLUMNS:
        return _suffixed(field, field)
    return _bounded(field, field)


def kept_column_name(column: str, old_type: str) -> str:
    """Return the name under which a column is kept when its field needs another type: `amount__bigint`."""
    return _bounded(f"{column}__{old_type.replace(' ', '_')}", f"{column}/{old_type}")


def index_name(table: str) -> str:
    """Return the name of a table's index on `_odoo_write_date`."""
    return _bounded(f"{table}_write_date", table)


def _bounded(name: str, origin: str) -> str:
    return name if len(name.encode()) <= LONGEST_NAME else _suffixed(name, origin)


def _suffixed(name: str, origin: str) -> str:
    digest = hashlib.blake2b(origin.encode(), digest_size=_HASH_DIGITS // 2).hexdigest()
    head = name.encode()[: LONGEST_NAME - _HASH_DIGITS - 1].decode(errors="ignore")
    return f"{head}_{digest}"
