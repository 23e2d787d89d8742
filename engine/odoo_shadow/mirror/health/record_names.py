"""Finds models whose records Odoo calls otherwise than the named views would, by a look at some of them."""

from __future__ import annotations

from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import META
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.record_names import DISPLAY_NAME, is_name_unread, stored_name

_SAMPLE = 100

ADVICE = (
    "Odoo calls some of its records otherwise than the named views do: where that matters, "
    "set extra_fields: [display_name] for it"
)


def is_called_otherwise(odoo: Source, layout: Layout, fields: list[Field]) -> bool:
    """Say whether the first records of a model have another `display_name` than the shadow's names."""
    by_name = {field.name: field for field in fields}
    path = layout.name_path
    if path is None or path == DISPLAY_NAME or not layout.has_write_date or DISPLAY_NAME not in by_name:
        return False
    listed = stored_name(layout.model)
    if is_name_unread(layout.model) or (listed is not None and listed.by_company):
        return False
    shown = next((name for name, field in by_name.items() if path in (name, field.related)), None)
    if shown is None:
        return False
    reading = Reading(layout.model, ("id", DISPLAY_NAME, shown))
    try:
        highest = odoo.highest_id(reading)
        page = next(odoo.pages(reading, up_to_id=highest, page_size=_SAMPLE), None)
    except OdooError:  # what keeps Odoo from giving records is reported by the model's own run
        return False
    records = page.records if page is not None else ()
    return any((record.get(DISPLAY_NAME) or "") != (record.get(shown) or "") for record in records)


def shown_as_in_odoo(tx: Transaction) -> set[str]:
    """Return the models of which the shadow has the names that Odoo computes."""
    rows = tx.run("SELECT odoo_model FROM {meta} WHERE name_path = {name}", meta=tx.own(META), name=DISPLAY_NAME)
    return {str(row[0]) for row in rows}
