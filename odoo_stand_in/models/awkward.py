"""Models with everything that a reader may stumble over; some of it only a hostile server would send."""

from __future__ import annotations

from collections.abc import Iterator

from odoo_stand_in.schema import Declaration

LONG = "x_" + "a_name_that_is_longer_than_the_sixty_three_bytes_that_postgresql_allows_" + "indeed"

_CUSTOM = """
x_name: char manual required
active: boolean manual
x_html: html manual
x_json: json manual
x_any: reference =res.partner|product.product|project.task manual
x_model: char manual
x_res_id: many2one_reference x_model manual
x_parent_id: many2one x_awkward manual
x_properties: properties definition=x_parent_id/x_definition manual
x_definition: properties_definition manual
x_rate: float manual
x_price: float digits=16,6 manual
x_currency_id: many2one res.currency manual
x_amount: monetary currency=x_currency_id manual
x_day: date manual
x_moment: datetime manual
x_file: binary manual
x_secret: char manual groups=base.group_system
x_title: char translate manual
x_kind: selection =one|two|three manual
x_order: integer manual
x_partner_ids: many2many res.partner manual
x_child_ids: one2many x_awkward/x_parent_id manual
"""
# Odoo itself does not let such names and types pass; a hostile or broken server may send them.
_HOSTILE = f"""
x_";DROP_TABLE_res_partner;--: char manual
x_'quoted\": char manual
{LONG}: char manual
{LONG}_too: char manual
x_embedding: vector manual
"""


def custom() -> Iterator[Declaration]:
    """Return what custom fields of a real server can be like."""
    yield Declaration("x_awkward", "Awkward", _CUSTOM, rec_name="x_name", order="x_name, id")


def models() -> Iterator[Declaration]:
    """Return that, and what only a hostile or a broken server would have."""
    yield Declaration("x_awkward", "Awkward", _CUSTOM + _HOSTILE, rec_name="x_name", order="x_name, id")
