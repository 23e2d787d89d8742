"""Names of tables and columns: any Odoo name becomes a PostgreSQL identifier that is distinct and stable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from itertools import chain, count

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


_BOOKS = frozenset({"meta", "mirror", "watermark", "sync_log", "field", "schema_log", "verification", "selection"})
_IMPOSSIBLE = re.compile("[\\x00\\ud800-\\udfff]")


def table_name(model: str) -> str:
    """Return the table of a model: `res.partner` becomes `odoo_shadow_res_partner`."""
    plain = model.replace(".", "_")
    return distinct_table_name(model) if plain in _BOOKS else _bounded(TABLE_PREFIX + plain, model)


def distinct_table_name(model: str) -> str:
    """Return the name that a model's table takes when another one already has the plain name."""
    return _suffixed(TABLE_PREFIX + model.replace(".", "_"), model)


def column_name(field: str) -> str:
    """Return the column of a field: the same name, unless PostgreSQL or this project cannot have it so."""
    if field in _OWN_COLUMNS or field in _SYSTEM_COLUMNS:
        return _suffixed(field, field)
    return _bounded(field, field)


def kept_column_name(column: str, old_type: str, taken: Collection[str]) -> str:
    """Return the name under which a column is kept when its field needs another type: `amount__bigint`.

    :param taken: the table's columns; a field whose type comes and goes is kept as `amount__bigint_2` the second time.
    """
    plain = f"{column}__{old_type.replace(' ', '_')}"
    numbered = (f"{plain}_{number}" for number in count(2))
    return next(name for name in (_bounded(plain, plain) for plain in chain([plain], numbered)) if name not in taken)


def index_name(table: str) -> str:
    """Return the name of a table's index on `_odoo_write_date`."""
    return _bounded(f"ix_{table}_write_date", table)  # no table's name begins so


def _bounded(name: str, origin: str) -> str:
    if _IMPOSSIBLE.search(name):
        return _suffixed(_IMPOSSIBLE.sub("_", name), origin)
    return name if len(name.encode()) <= LONGEST_NAME else _suffixed(name, origin)


def _suffixed(name: str, origin: str) -> str:
    digest = hashlib.blake2b(origin.encode(errors="surrogatepass"), digest_size=_HASH_DIGITS // 2).hexdigest()
    head = _IMPOSSIBLE.sub("_", name).encode()[: LONGEST_NAME - _HASH_DIGITS - 1].decode(errors="ignore")
    return f"{head}_{digest}"
