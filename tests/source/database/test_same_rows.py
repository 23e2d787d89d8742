"""Every cell that the shadow would hold is the same, whichever source it was read from."""

from __future__ import annotations

from odoo_shadow.mirror.shape.layout import Layout
from odoo_stand_in import StandIn
from tests.support.two_sources import (
    Both,
    both_sources_of,
    differing,
    layout_of,
    only,
    rows_of,
    without_hidden_targets,
)

KINDS = "x_kinds"
REFUSED = "account.code.mapping"
"""Which Odoo lists, and gives to nobody."""
SYSTEM_COLUMNS = ("ctid", "tableoid", "xmin", "cmin", "xmax", "cmax")
FEW = 7
"""Records of a page, so that most models have several."""


def test_all_models(both: Both) -> None:
    """In all languages and for all companies, with what Odoo computes from the API beside."""
    cells = 0
    for model in sorted((both.api.readable_models.keys() & both.helped.readable_models.keys()) - {REFUSED}):
        layout = storable(both, model)
        told = rows_of(both.api, layout)
        found = rows_of(both.helped, layout, page_size=FEW)
        assert differing(told, without_hidden_targets(both.odoo, layout, found)) == {}, model
        cells += sum(map(len, told.values()))
    assert cells > 20_000


def storable(both: Both, model: str) -> Layout:
    """Return a model's layout, without invented fields whose names no column can have."""
    layout = layout_of(both.api, model)
    named = {item.column.field for item in layout.columns}
    return only(layout, {name for name in named if len(name.encode()) < 64 and name not in SYSTEM_COLUMNS})


def test_in_another_language(awkward_odoo: StandIn) -> None:
    with both_sources_of(awkward_odoo, lang="fr_FR") as french:
        for model in (KINDS, "product.template"):
            layout = layout_of(french.api, model)
            found = without_hidden_targets(awkward_odoo, layout, rows_of(french.helped, layout))
            assert differing(rows_of(french.api, layout), found) == {}
            assert {item.column.description for item in layout_of(french.helped, model).columns} == {
                item.column.description for item in layout.columns
            }


def test_of_another_company(awkward_odoo: StandIn) -> None:
    """The first of the companies that are read is whose values count."""
    with both_sources_of(awkward_odoo, company_ids=[3, 1]) as third:
        layout = layout_of(third.api, KINDS)
        layout = only(layout, {item.column.field for item in layout.columns} - {"x_partner_ids"})  # of companies, too
        told, found = rows_of(third.api, layout), rows_of(third.helped, layout)
        assert differing(told, found) == {}
        assert told[8]["x_by_company_char"] == "C3 no. 8 'é' 🏢"
