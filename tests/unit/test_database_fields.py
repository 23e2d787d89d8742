"""What Odoo's own tables say of fields, as far as it decides what is mirrored."""

from __future__ import annotations

from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.source.database.catalogue import StoredField, StoredModel
from odoo_shadow.source.database.describe import described
from odoo_shadow.source.database.relations import Table


def text_field(number: int, name: str, label: str) -> StoredField:
    return StoredField(
        number,
        name,
        "char",
        store=True,
        relation=None,
        required=False,
        manual=False,
        related=None,
        translate=False,
        company_dependent=False,
        label=label,
    )


def test_a_stored_field_that_odoo_computes_from_a_credential_is_one_without_the_api_too() -> None:
    fields = {
        item.name: item
        for item in (
            text_field(1, "access_token", "Invitation Token"),
            text_field(2, "videocall_location", "Meeting URL"),
            text_field(3, "location", "Location"),
        )
    }
    columns = dict.fromkeys(fields, "character varying")
    table = Table("calendar_event", "r", columns, {}, may_be_read=True)
    model = StoredModel("calendar.event", "Event", "calendar", False, False, table, fields)
    layout = Layout.of(model.name, described(model, None))
    assert [item.key for item in layout.columns] == ["location"]
    assert "it is computed from access_token" in layout.left_out["videocall_location"]
