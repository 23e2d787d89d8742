"""Names of tables and columns: any Odoo name becomes a PostgreSQL identifier that is distinct and stable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from itertools import chain, count

LONGEST_NAME = 63
"""Bytes of a PostgreSQL identifier; longer ones are cut off silently (NAMEDATALEN - 1)."""

TABLE_PREFIX = "odoo_shadow_"
INTERNAL_ENDING = "_internal"
ID = "id"
LEAST_ID = -(2**63)
"""The lowest id that a `bigint` can hold."""
WRITE_DATE = "_odoo_write_date"
SYNCED_AT = "_synced_at"
HASH = "_sync_hash"
DELETED_AT = "_deleted_at"

OWN_COLUMNS = {
    ID: "bigint",
    WRITE_DATE: "timestamp with time zone",
    SYNCED_AT: "timestamp with time zone",
    HASH: "text",
    DELETED_AT: "timestamp with time zone",
}
"""The columns that do not belong to a field, and their types as `format_type` spells them."""

_NOT_FIELDS = frozenset(OWN_COLUMNS) - {ID}
# PostgreSQL's system columns (documentation, "System Columns"): no table may have a column of these names.
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_HASH_DIGITS = 8


# Every relation that the schema's own statements create, with indexes and sequences: all share one namespace. Newer
# indexes have a prefix that no table has.
_CONTROL_RELATIONS = frozenset(
    {
        *("meta", "meta_pkey", "meta_odoo_model_key", "mirror", "mirror_pkey", "watermark", "watermark_pkey"),
        *("sync_log", "sync_log_pkey", "sync_log_id_seq", "sync_log_started", "sync_log_table"),
        *("field", "field_pkey", "selection", "selection_pkey", "schema_log", "schema_log_pkey", "schema_log_id_seq"),
        *("verification", "verification_pkey", "verification_id_seq", "left_out", "left_out_pkey"),
        *("company_access", "company_access_pkey", "company_access_id_seq"),
        "company_access_user_id_role_name_company_id_key",
        *("mart_verification", "mart_verification_pkey", "mart_verification_id_seq"),
        *("document", "document_model", "document_model_pkey", "embedding_model", "embedding_model_pkey"),
        *("stored_document", "stored_document_pkey", "stored_document_id_seq"),
        "stored_document_odoo_model_odoo_id_key",
    }
)
NAMED_ENDING = "_named"
"""The end of the name of a table's named view."""
# The endings of the names of a table's primary key and named view; its other index has a prefix that no table has.
_DERIVED = ("_pkey", NAMED_ENDING)
_BY = re.compile("(?=_by_)")
_IMPOSSIBLE = re.compile("[\\x00\\ud800-\\udfff]")


def as_stored(name: str) -> str:
    """Return a name that a person chose as PostgreSQL stores it: cut to its longest."""
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def internal_schema(schema: str) -> str:
    """Return the schema beside a mirror's own that only the sync's role may use."""
    return _bounded(f"{schema}{INTERNAL_ENDING}", schema)


def table_name(model: str) -> str:
    """Return the name of a model's table: `res.partner` becomes `odoo_shadow_res_partner`."""
    plain = model.replace(".", "_")
    if plain in _CONTROL_RELATIONS or plain.endswith(_DERIVED):
        return distinct_table_name(model)
    return _bounded(TABLE_PREFIX + plain, model)


def distinct_table_name(model: str) -> str:
    """Return the name that a model's table takes when something else already has the plain name."""
    return _suffixed(TABLE_PREFIX + model.replace(".", "_"), model)


def table_names(model: str, plain: str) -> Iterator[str]:
    """Yield candidates for the name of a model's table, best first, without end: the first that is free is used.

    :param plain: the best one, such as `table_name(model)`.
    """
    yield plain
    yield distinct_table_name(model)
    for number in count(2):
        yield distinct_table_name(f"{model} {number}")


def view_names(table: str) -> Iterator[str]:
    """Yield candidates for the name of a table's named view, best first, without end. No table has such a name."""
    plain = table + NAMED_ENDING
    if len(plain.encode()) <= LONGEST_NAME:
        yield plain
    for number in count(1):
        yield _suffixed(table, f"{table} {number}", NAMED_ENDING)


def reverse_names(table: str, column: str) -> Iterator[str]:
    """Yield candidates for the function that returns the rows of a table that point to a row by a column, best first.

    No two pairs share one: where the plain name could be read in two ways, there is none.
    """
    plain = f"{table}_by_{column}"
    if len(_BY.findall(plain)) == 1:
        yield _bounded(plain, f"{table} {column}")
    for number in count(1):
        yield _suffixed(plain, f"{table} {column} {number}")


def name_column(column: str, taken: Collection[str]) -> str:
    """Return the named view's column for the names that a column of ids points to: `partner_id_name`.

    :param taken: the other columns.
    """
    return _beside(column, "_name", taken)


def label_column(column: str, taken: Collection[str]) -> str:
    """Return the named view's column for the labels of a column of choices: `state_label`.

    :param taken: the other columns.
    """
    return _beside(column, "_label", taken)


def _beside(column: str, ending: str, taken: Collection[str]) -> str:
    plain = f"{column}{ending}"
    numbered = (_suffixed(plain, f"{column} {number}") for number in count(2))
    return _first_free(chain([_bounded(plain, column), _suffixed(plain, column)], numbered), taken)


def free_column_name(field: str, taken: Collection[str]) -> str:
    """Return the column of a field, whose usual name another field of the table may have.

    :param taken: the columns of the other fields.
    """
    numbered = (_suffixed(field, f"{field} {number}") for number in count(2))
    return _first_free(chain([column_name(field), _suffixed(field, field)], numbered), taken)


def column_name(field: str) -> str:
    """Return the column of a field: the same name, unless PostgreSQL or this project cannot use it."""
    if field in _NOT_FIELDS or field in _SYSTEM_COLUMNS:
        return _suffixed(field, field)
    return _bounded(field, field)


def kept_column_name(column: str, old_type: str, taken: Collection[str]) -> str:
    """Return the name under which a column is kept when its field needs another type: `amount__bigint`.

    :param taken: the table's columns; a field whose type comes and goes is kept as `amount__bigint_2` the second time.
    """
    plain = f"{column}__{old_type.replace(' ', '_')}"
    numbered = (f"{plain}_{number}" for number in count(2))
    return _first_free((_bounded(plain, plain) for plain in chain([plain], numbered)), taken)


def name_set_aside(column: str, taken: Collection[str]) -> str:
    """Return the name under which a column is kept that was there before the mirror's own: `email__before`.

    :param taken: the columns that the table has or will have.
    """
    plain = f"{column}__before"
    numbered = (f"{plain}_{number}" for number in count(2))
    return _first_free((_bounded(name, name) for name in chain([plain], numbered)), taken)


def index_names(table: str) -> Iterator[str]:
    """Yield candidates for the name of a table's index on `_odoo_write_date`, best first, without end."""
    yield index_name(table)
    for number in count(2):
        yield _bounded(f"ix_{table}_write_date_{number}", f"{table} {number}")


def index_name(table: str) -> str:
    """Return the name of a table's index on `_odoo_write_date`."""
    return _bounded(f"ix_{table}_write_date", table)  # no table has this prefix


def _bounded(name: str, origin: str) -> str:
    if _IMPOSSIBLE.search(name):
        return _suffixed(_IMPOSSIBLE.sub("_", name), origin)
    return name if len(name.encode()) <= LONGEST_NAME else _suffixed(name, origin)


def _first_free(candidates: Iterator[str], taken: Collection[str]) -> str:
    return next(name for name in candidates if name not in taken)


def _suffixed(name: str, origin: str, ending: str = "") -> str:
    digest = hashlib.blake2b(origin.encode(errors="surrogatepass"), digest_size=_HASH_DIGITS // 2).hexdigest()
    room = LONGEST_NAME - _HASH_DIGITS - 1 - len(ending)
    head = _IMPOSSIBLE.sub("_", name).encode()[:room].decode(errors="ignore")
    return f"{head}_{digest}{ending}"
