"""Reads from the catalogue what decides whose rows a table has."""

from __future__ import annotations

from collections.abc import Mapping

from odoo_shadow.shadow import names
from odoo_shadow.shadow.access.restrictions import FieldColumn, KnownLink, MirroredTable, Restriction, restrict
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, KNOWN_LINK, LEFT_OUT, META, TABLE_STATE


def restrictions(tx: Transaction) -> dict[str, Restriction]:
    """Return how each mirrored table must be restricted, by name; see `restrict`."""
    return restrict(_tables(tx))


def remember_links(tx: Transaction, table: str) -> None:
    """Note what a table's fields point to as they are described now: what restricts it must not be lost unnoticed.

    Whoever deletes an entry says that it restricts nothing any more.
    """
    tx.run("CALL {procedure}({table})", procedure=tx.internal("remember_links"), table=table)


def note_restricting(tx: Transaction, found: Mapping[str, Restriction]) -> None:
    """Note the models whose tables restrict others: if they are no longer mirrored, nothing may show more.

    :param found: what `restrictions` has returned.
    """
    tx.run(
        "UPDATE {known} SET has_restricted = true WHERE NOT has_restricted AND relation IN"
        " (SELECT odoo_model FROM {meta} WHERE table_name = ANY({tables}::text[]))",
        known=tx.internal(KNOWN_LINK),
        meta=tx.own(META),
        tables=[table for table, restriction in found.items() if not restriction.is_open],
    )


def _tables(tx: Transaction) -> dict[str, MirroredTable]:
    columns = _columns(tx)
    known: dict[str, list[KnownLink]] = {}
    for table, field, relation, has_restricted in tx.run(
        "SELECT table_name, field_name, nullif(relation, ''), has_restricted FROM {known} ORDER BY 1, 2, 3",
        known=tx.internal(KNOWN_LINK),
    ):
        known.setdefault(str(table), []).append(KnownLink(str(field), relation, bool(has_restricted)))
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
            is_own=bool(is_own),
        )
        for table, model, exists, is_own, leaves_out in tx.run(
            "SELECT m.table_name, m.odoo_model, c.oid IS NOT NULL, s.table_id IS NULL OR s.table_id = c.oid"
            " AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = {id}"
            " AND a.attnum = (s.own_columns ->> {id})::int AND NOT a.attisdropped),"
            " EXISTS (SELECT FROM {left_out} o WHERE o.odoo_model = m.odoo_model"
            " AND o.field_name IN ('company_id', 'company_ids'))"
            " FROM {meta} m LEFT JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema}, m.table_name))"
            " AND c.relkind IN ('r', 'p') LEFT JOIN {state} s ON s.table_name = m.table_name ORDER BY m.table_name",
            id=names.ID,
            meta=tx.own(META),
            state=tx.internal(TABLE_STATE),
            left_out=tx.own(LEFT_OUT),
            schema=tx.schema,
        )
    }


def _columns(tx: Transaction) -> dict[str, list[FieldColumn]]:
    """Return the columns of fields that may restrict, by table.

    A field whose column somebody dropped, retyped, or replaced by one of the same name, restricts nothing by itself.
    """
    columns: dict[str, list[FieldColumn]] = {}
    for table, *column in tx.run(
        "SELECT f.table_name, f.column_name, f.field_name, f.odoo_type, f.column_type, f.relation,"
        " f.is_company_dependent, f.is_filled FROM {field} f"
        " JOIN pg_attribute a ON a.attrelid = to_regclass(format('%I.%I', {schema}, f.table_name))"
        " AND a.attname = f.column_name AND a.attnum = f.column_number AND NOT a.attisdropped"
        " AND format_type(a.atttypid, a.atttypmod) = f.column_type"
        " WHERE f.vanished_at IS NULL AND (f.field_name IN ('company_id', 'company_ids')"
        " OR f.odoo_type IN ('many2one', 'many2one_reference', 'reference'))"
        " ORDER BY f.table_name, f.column_name",
        field=tx.own(FIELD),
        schema=tx.schema,
    ):
        columns.setdefault(str(table), []).append(FieldColumn(*column))
    return columns
