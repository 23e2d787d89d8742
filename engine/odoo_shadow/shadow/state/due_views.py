"""Which named views a change makes out of date: `odoo_shadow_meta.view_is_due`.

It is set in the transaction that makes the change; the view is renewed later, in a transaction of its own.
"""

from __future__ import annotations

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, META


def mark_view(tx: Transaction, table: str) -> None:
    """Mark a table's own view."""
    tx.run(
        "UPDATE {meta} SET view_is_due = true WHERE table_name = {table} AND NOT view_is_due",
        meta=tx.own(META),
        table=table,
    )


def take_on_statement(schema: str, table: str, condition: sql.Composable | None = None) -> sql.Composed:
    """Return the statement that claims a due view before it is created; it changes no row if another was quicker.

    :param condition: what else must be true of the row in `odoo_shadow_meta`.
    """
    return sql.SQL(
        "UPDATE {meta} SET view_is_due = false WHERE table_name = {table} AND view_is_due AND {condition}"
    ).format(meta=sql.Identifier(schema, META), table=table, condition=condition or sql.SQL("true"))


def mark_views_that_name(tx: Transaction, table: str) -> None:
    """Mark the views that take names out of a table: directly, or because it is the `_inherits` parent of another."""
    tx.run(
        "UPDATE {meta} SET view_is_due = true WHERE NOT view_is_due AND table_name IN ("
        " SELECT table_name FROM {field} WHERE relation_table = {table} OR relation_table IN ("
        " SELECT f.table_name FROM {field} f JOIN {meta} m USING (table_name)"
        " WHERE f.relation_table = {table}"
        " AND f.field_name IN (SELECT split_part(p, '.', 1) FROM unnest(string_to_array(m.name_path, ' ')) AS p)))",
        meta=tx.own(META),
        field=tx.own(FIELD),
        table=table,
    )


def naming_fields(tx: Transaction, table: str) -> set[str]:
    """Return the fields of a table that other tables' views may look names up by."""
    rows = tx.run(
        "SELECT unnest(string_to_array(replace(name_path, ' ', '.'), '.')) FROM {meta} WHERE table_name = {table}"
        " OR table_name IN (SELECT table_name FROM {field} WHERE relation_table = {table})",
        meta=tx.own(META),
        field=tx.own(FIELD),
        table=table,
    )
    return {str(row[0]) for row in rows}
