"""Sizes of tables and of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import META


@dataclass(frozen=True)
class TableSize:
    """A registered table.

    :param size: bytes with indexes and long values, 0 when there is no such table.
    :param unreadable_fields: fields that are left out, since Odoo does not give records together with them.
    """

    table: str
    row_count: int
    last_sync_at: datetime | None
    size: int
    unreadable_fields: list[str]


def table_sizes(tx: Transaction, models: Sequence[str]) -> dict[str, TableSize]:
    """Return the sizes of those models that have a registered table, by model."""
    rows = tx.run(
        "SELECT m.odoo_model, m.table_name, m.row_count, m.last_sync_at, coalesce(pg_total_relation_size(c.oid), 0),"
        # The schema may be of an earlier version, which has no such column.
        " ARRAY(SELECT jsonb_array_elements_text(coalesce(to_jsonb(m) -> 'unreadable_fields', '[]')))"
        " FROM {meta} m LEFT JOIN pg_class c ON c.relname = m.table_name AND c.relkind = 'r'"
        " AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = {schema})"
        " WHERE m.odoo_model = ANY({models})",
        meta=tx.own(META),
        schema=tx.schema,
        models=list(models),
    )
    return {str(model): TableSize(*details) for model, *details in rows}


def database_size(tx: Transaction) -> int:
    """Return the bytes of the whole database."""
    ((size,),) = tx.run("SELECT pg_database_size(current_database())")
    return int(size)


def data_folder(tx: Transaction) -> str | None:
    """Return the server's folder for the files of new tables, None when this role has no right to know."""
    rows = tx.run(
        "SELECT coalesce(nullif(pg_tablespace_location(d.dattablespace), ''),"
        " (SELECT setting FROM pg_settings WHERE name = 'data_directory'))"
        " FROM pg_database d WHERE d.datname = current_database()"
    )
    return None if not rows or rows[0][0] is None else str(rows[0][0])
