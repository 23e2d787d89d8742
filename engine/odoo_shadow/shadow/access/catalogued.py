"""Reads from the catalogue what decides whose rows a table has."""

from __future__ import annotations

from collections.abc import Collection

from odoo_shadow.shadow.access.restrictions import FieldColumn, MirroredTable, Restriction, restrict
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, LEFT_OUT, META


def restrictions(tx: Transaction, *, waiting: Collection[str] = ()) -> dict[str, Restriction]:
    """Return how each mirrored table must be restricted, by name; see `restrict`."""
    return restrict(_tables(tx), waiting=waiting)


def _tables(tx: Transaction) -> dict[str, MirroredTable]:
    columns: dict[str, list[FieldColumn]] = {}
    # A field whose column somebody dropped, or replaced by one of the same name, restricts nothing.
    for table, *column in tx.run(
        "SELECT f.table_name, f.column_name, f.field_name, f.odoo_type, f.column_type, f.relation, f.relation_table,"
        " f.is_company_dependent, f.is_required, f.is_filled FROM {field} f"
        " JOIN pg_attribute a ON a.attrelid = to_regclass(format('%I.%I', {schema}, f.table_name))"
        " AND a.attname = f.column_name AND a.attnum = f.column_number AND NOT a.attisdropped"
        " WHERE f.vanished_at IS NULL"
        " AND f.odoo_type IN ('many2one', 'many2many', 'many2one_reference', 'reference')"
        " ORDER BY f.table_name, f.column_name",
        field=tx.own(FIELD),
        schema=tx.schema,
    ):
        columns.setdefault(str(table), []).append(FieldColumn(*column))
    return {
        str(table): MirroredTable(str(model), bool(exists), tuple(columns.get(table, ())), bool(has_lost_company))
        for table, model, exists, has_lost_company in tx.run(
            "SELECT m.table_name, m.odoo_model, c.oid IS NOT NULL,"
            " EXISTS (SELECT FROM {left_out} o WHERE o.odoo_model = m.odoo_model"
            " AND o.field_name IN ('company_id', 'company_ids'))"
            " OR EXISTS (SELECT FROM {field} f JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = f.column_name"
            " AND NOT a.attisdropped WHERE f.table_name = m.table_name AND f.vanished_at IS NOT NULL"
            " AND f.field_name IN ('company_id', 'company_ids') AND f.relation = 'res.company')"
            " FROM {meta} m LEFT JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema}, m.table_name))"
            " AND c.relkind IN ('r', 'p') ORDER BY m.table_name",
            meta=tx.own(META),
            left_out=tx.own(LEFT_OUT),
            field=tx.own(FIELD),
            schema=tx.schema,
        )
    }
