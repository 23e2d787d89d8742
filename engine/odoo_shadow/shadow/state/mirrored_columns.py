"""The columns that tables have now, as the catalogue describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD


@dataclass(frozen=True)
class MirroredColumn:
    """A column, and the field that it holds.

    :param points_to: the table of the model that it points to, None when the shadow has none.
    """

    name: str
    field: str
    odoo_type: str
    column_type: str
    points_to: str | None
    is_translated: bool
    is_company_dependent: bool
    is_custom: bool


def mirrored_columns(tx: Transaction, tables: Sequence[str]) -> dict[str, list[MirroredColumn]]:
    """Return the columns of tables that runs write, by table."""
    rows = tx.run(
        "SELECT table_name, column_name, field_name, odoo_type, column_type, relation_table,"
        " is_translated, is_company_dependent, is_custom"
        " FROM {field} WHERE table_name = ANY({tables}) AND vanished_at IS NULL ORDER BY table_name, column_name",
        field=tx.own(FIELD),
        tables=list(tables),
    )
    found: dict[str, list[MirroredColumn]] = {table: [] for table in tables}
    for table, *column in rows:
        found[str(table)].append(MirroredColumn(*column))
    return found
