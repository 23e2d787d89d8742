"""Which field of Odoo each column of a table comes from: what a run says about it to others, such as lineage."""

from __future__ import annotations

from dataclasses import dataclass

from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD, Layout
from odoo_shadow.shadow.columns import OWN_COLUMNS
from odoo_shadow.shadow.names import ID, WRITE_DATE


@dataclass(frozen=True)
class ColumnOrigin:
    """A column of a shadow table.

    :param type: PostgreSQL's type.
    :param field: the field that its values come from; empty for a column that only the shadow has.
    :param label: the field's name in Odoo's forms.
    :param is_hashed: only a hash of the values is kept.
    """

    name: str
    type: str
    field: str = ""
    field_type: str = ""
    label: str = ""
    is_hashed: bool = False


def column_origins(layout: Layout) -> tuple[ColumnOrigin, ...]:
    """Return the columns of a model's table, with the shadow's own."""
    write_date = WRITE_DATE_FIELD if layout.has_write_date else ""
    own = [
        ColumnOrigin(item.name, str(item.type), *((write_date, "datetime") if item.name == WRITE_DATE else ()))
        for item in OWN_COLUMNS
    ]
    return (
        ColumnOrigin(ID, "bigint", ID, "integer"),
        *(
            ColumnOrigin(
                item.column.name,
                str(item.column.type),
                item.column.field,
                item.column.odoo_type,
                item.column.description.label,
                item.key == item.column.field and layout.settings.hashes(item.column.field),
            )
            for item in layout.all_columns
        ),
        *own,
    )
