"""Repairs the structure of tables that somebody changed: dropped keys and indexes, and columns that are in the way.

What people put on a column of the mirror goes with it when it is kept under another name. Only what would reject rows
for ever, because the column is no longer written, is lifted.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import errors, sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowConflictError, is_about_the_table
from odoo_shadow.shadow.owners.ownership import exists
from odoo_shadow.shadow.state.indexes import HAS_INDEX
from odoo_shadow.text.log import logger

log = logger(__name__)


def make_key(tx: Transaction, table: str) -> None:
    """Give a table that has lost its primary key another one: rows are merged by it.

    :raises ShadowConflictError: an id occurs twice already, or a row has none.
    """
    parts = {"table": tx.own(table), "id": sql.Identifier(names.ID)}
    try:
        try:
            with tx.cursor.connection.transaction():
                tx.run("ALTER TABLE {table} ADD PRIMARY KEY ({id})", **parts)
        except errors.InvalidTableDefinition:  # it has another one
            with tx.cursor.connection.transaction():
                tx.run("ALTER TABLE {table} ADD UNIQUE ({id})", **parts)
    except (errors.UniqueViolation, errors.NotNullViolation):
        raise ShadowConflictError(
            f"{tx.schema}.{table} has lost its primary key, and now an id occurs in it twice or a row has none: "
            "delete such rows; or rename or drop the table, and the next run creates it again."
        ) from None


def make_index(tx: Transaction, table: str) -> None:
    """Give a table's `_odoo_write_date` an index, unless it has one; a renamed table may still have the usual name."""
    name = tx.own(table).as_string(tx.cursor)
    ((has_index,),) = tx.run(
        "SELECT {has_index} FROM pg_class c WHERE c.oid = to_regclass({name})", has_index=sql.SQL(HAS_INDEX), name=name
    )
    if has_index:
        return
    free = next(name for name in names.index_names(table) if not exists(tx, tx.schema, name))
    tx.run(
        "CREATE INDEX {index} ON {table} ({column} DESC)",
        index=sql.Identifier(free),
        table=tx.own(table),
        column=sql.Identifier(names.WRITE_DATE),
    )


def set_aside(tx: Transaction, table: str, column: str, kept_as: str) -> None:
    """Rename a column; what depends on it, such as views, and the rights on it go with it.

    :raises ShadowConflictError: it cannot be renamed, or rows would be refused for ever without a value in it.
    """
    try:
        with tx.cursor.connection.transaction():
            tx.run(
                "ALTER TABLE {table} RENAME COLUMN {column} TO {kept}",
                table=tx.own(table),
                column=sql.Identifier(column),
                kept=sql.Identifier(kept_as),
            )
    except errors.InvalidTableDefinition:
        raise ShadowConflictError(
            f"{tx.schema}.{table}: column {column} must be renamed and cannot be, because the table inherits it: "
            f"{_uninherit(tx, table)}; the next run does the rest."
        ) from None
    let_be_empty(tx, table, [kept_as])


def _uninherit(tx: Transaction, table: str) -> str:
    name = tx.own(table).as_string(tx.cursor)
    rows = tx.run(
        "SELECT c.relispartition, i.inhparent::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE c.oid = to_regclass({name}) ORDER BY 2 LIMIT 1",
        name=name,
    )
    is_partition, parent = rows[0] if rows else (False, "…")
    if is_partition:
        return f"ALTER TABLE {parent} DETACH PARTITION {name}"
    return f"ALTER TABLE {name} NO INHERIT {parent}"


def let_be_empty(tx: Transaction, table: str, columns: Sequence[str], *, even_with_default: bool = False) -> None:
    """Lift what keeps columns that are no longer written from being NULL: NOT NULL, and CHECKs of that column alone.

    :param even_with_default: they are about to be emptied, where a default does not help.
    :raises ShadowConflictError: a primary key or the replica identity holds one of them.
    """
    rows = tx.run(
        "SELECT a.attname, a.attnotnull AND (NOT a.atthasdef OR {even}) AND a.attgenerated = '' AND a.attidentity = ''"
        " FROM pg_attribute a WHERE a.attrelid = to_regclass({name}) AND a.attname = ANY({columns}::name[])"
        " AND NOT a.attisdropped ORDER BY a.attnum",
        even=even_with_default,
        name=tx.own(table).as_string(tx.cursor),
        columns=list(columns),
    )
    for column, is_required in rows:
        if is_required:
            _drop_not_null(tx, table, str(column))
        for constraint, definition, expression, kind in _checks_of(tx, table, str(column)):
            if _refuses_null(tx, str(column), expression, kind):
                tx.run(
                    "ALTER TABLE {table} DROP CONSTRAINT {name}", table=tx.own(table), name=sql.Identifier(constraint)
                )
                _log_lifted(tx, table, str(column), f"constraint {constraint} ({definition})")


def _drop_not_null(tx: Transaction, table: str, column: str) -> None:
    name = tx.own(table).as_string(tx.cursor)
    try:
        with tx.cursor.connection.transaction():
            tx.run(
                "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL",
                table=tx.own(table),
                column=sql.Identifier(column),
            )
    except errors.InvalidTableDefinition:
        ((index, is_primary),) = tx.run(
            "SELECT i.indexrelid::regclass::text, i.indisprimary FROM pg_index i JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) WHERE i.indrelid = to_regclass({name})"
            " AND a.attname = {column} AND (i.indisprimary OR i.indisreplident) ORDER BY 2 DESC LIMIT 1",
            name=name,
            column=column,
        )
        action = f"DROP CONSTRAINT {index.rpartition('.')[2]}" if is_primary else "REPLICA IDENTITY DEFAULT"
        raise ShadowConflictError(
            f"{tx.schema}.{table}: column {column} is no longer written, so it must allow NULL, but "
            f"{'the primary key' if is_primary else 'the replica identity'} {index} contains it: "
            f"ALTER TABLE {name} {action}; the next run does the rest."
        ) from None
    _log_lifted(tx, table, column, "NOT NULL")


def _checks_of(tx: Transaction, table: str, column: str) -> list[tuple[str, str, str, str]]:
    """Return the constraints on a column alone: name, definition, expression, and the column's type."""
    rows = tx.run(
        "SELECT k.conname, pg_get_constraintdef(k.oid), pg_get_expr(k.conbin, k.conrelid),"
        " format_type(a.atttypid, a.atttypmod) FROM pg_constraint k"
        " JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]"
        " WHERE k.contype = 'c' AND k.conrelid = to_regclass({name}) AND a.attname = {column} AND k.coninhcount = 0"
        " ORDER BY k.conname",
        name=tx.own(table).as_string(tx.cursor),
        column=column,
    )
    return [(str(name), str(definition), str(expression), str(kind)) for name, definition, expression, kind in rows]


def _refuses_null(tx: Transaction, column: str, expression: str, kind: str) -> bool:
    """Say whether a constraint rejects NULL; one that fails on it rejects it, too."""
    try:
        with tx.cursor.connection.transaction():
            ((is_met,),) = tx.run(
                "SELECT ({expression}) IS NOT FALSE FROM (SELECT NULL::{kind} AS {column}) AS empty",
                expression=sql.SQL(expression),
                kind=sql.SQL(kind),
                column=sql.Identifier(column),
            )
    except psycopg.Error as error:
        if not is_about_the_table(error):
            raise
        return True
    return not is_met


def _log_lifted(tx: Transaction, table: str, column: str, what: str) -> None:
    log.warning(
        "%s: %s was removed from column %s, which is no longer written: no row could be written without a value in it.",
        f"{tx.schema}.{table}",
        what,
        column,
    )
