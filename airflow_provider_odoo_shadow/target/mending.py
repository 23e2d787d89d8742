"""Mends tables that somebody changed: keys and indexes that were dropped, and columns that are in the way."""

from __future__ import annotations

from psycopg import errors, sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.errors import ShadowConflictError
from airflow_provider_odoo_shadow.target.ownership import exists
from airflow_provider_odoo_shadow.target.present import HAS_INDEX


def make_key(tx: Transaction, table: str) -> None:
    """Keep an id from standing twice in a table that has lost its primary key: rows are merged by that.

    :raises ShadowConflictError: one does already.
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
            f"{tx.schema}.{table} has lost its primary key, and by now an id stands in it twice or a row has none: "
            "delete such rows; or rename or drop the table, and the next run makes it anew."
        ) from None


def make_index(tx: Transaction, table: str) -> None:
    """Give a table's `_odoo_write_date` an index, unless it has one; a renamed table took the usual name along."""
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


def set_aside(tx: Transaction, table: str, column: str, kept_as: str, *, refuses_null: bool = False) -> None:
    """Give a column another name; what stands on it, such as views, and the rights on it go with it.

    :param refuses_null: rows could not be inserted without a value in it, so that is lifted.
    """
    kept = sql.Identifier(kept_as)
    tx.run(
        "ALTER TABLE {table} RENAME COLUMN {column} TO {kept}",
        table=tx.own(table),
        column=sql.Identifier(column),
        kept=kept,
    )
    if refuses_null:
        tx.run("ALTER TABLE {table} ALTER COLUMN {kept} DROP NOT NULL", table=tx.own(table), kept=kept)
