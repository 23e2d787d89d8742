"""Reads from the catalogue what decides whose rows a table has."""

from __future__ import annotations

from odoo_shadow.shadow.access.restrictions import FieldColumn, KnownLink, MirroredTable, Restriction, restrict
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, KNOWN_LINK, LEFT_OUT, META


def restrictions(tx: Transaction) -> dict[str, Restriction]:
    """Return how each mirrored table must be restricted, by name; see `restrict`."""
    return restrict(_tables(tx))


def remember_links(tx: Transaction, table: str) -> None:
    """Note what a table's fields point to as they are described now: what restricts it must not be lost unnoticed.

    Whoever deletes an entry says that it restricts nothing any more.
    """
    tx.run("CALL {procedure}({table})", procedure=tx.internal("remember_links"), table=table)


def _tables(tx: Transaction) -> dict[str, MirroredTable]:
    columns = _columns(tx)
    known: dict[str, list[KnownLink]] = {}
    for table, field, relation in tx.run(
        "SELECT table_name, field_name, nullif(relation, '') FROM {known} ORDER BY 1, 2, 3",
        known=tx.internal(KNOWN_LINK),
    ):
        known.setdefault(str(table), []).append(KnownLink(str(field), relation))
    left_out: dict[str, list[tuple[str, str]]] = {}
    for model, field, relation in tx.run(
        "SELECT odoo_model, field_name, relation FROM {left_out} WHERE relation IS NOT NULL ORDER BY 1, 2",
        left_out=tx.own(LEFT_OUT),
    ):
        left_out.setdefault(str(model), []).append((str(field), str(relation)))
    return {
        str(table): MirroredTable(
            str(model),
            bool(exists),
            tuple(columns.get(table, ())),
            tuple(known.get(table, ())),
            bool(leaves_out),
            tuple(left_out.get(model, ())),
        )
        for table, model, exists, leaves_out in tx.run(
            "SELECT m.table_name, m.odoo_model, c.oid IS NOT NULL,"
            " EXISTS (SELECT FROM {left_out} o WHERE o.odoo_model = m.odoo_model"
            " AND o.field_name IN ('company_id', 'company_ids'))"
            " FROM {meta} m LEFT JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema}, m.table_name))"
            " AND c.relkind IN ('r', 'p') ORDER BY m.table_name",
            meta=tx.own(META),
            left_out=tx.own(LEFT_OUT),
            schema=tx.schema,
        )
    }


def _columns(tx: Transaction) -> dict[str, list[FieldColumn]]:
    """Return the columns of fields that may restrict, by table.

    A field whose column somebody dropped, or replaced by one of the same name, restricts nothing by itself.
    """
    columns: dict[str, list[FieldColumn]] = {}
    for table, *column in tx.run(
        "SELECT f.table_name, f.column_name, f.field_name, f.odoo_type, f.column_type, f.relation,"
        " f.is_company_dependent, f.is_filled FROM {field} f"
        " JOIN pg_attribute a ON a.attrelid = to_regclass(format('%I.%I', {schema}, f.table_name))"
        " AND a.attname = f.column_name AND a.attnum = f.column_number AND NOT a.attisdropped"
        " WHERE f.vanished_at IS NULL AND (f.field_name IN ('company_id', 'company_ids')"
        " OR f.odoo_type IN ('many2one', 'many2one_reference', 'reference'))"
        " ORDER BY f.table_name, f.column_name",
        field=tx.own(FIELD),
        schema=tx.schema,
    ):
        columns.setdefault(str(table), []).append(FieldColumn(*column))
    return columns
