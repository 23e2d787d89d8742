"""Which text is a record's name, by what Odoo tells of its fields."""

from __future__ import annotations

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.source.fields import Field


def text(name: str, *depends: str, store: bool = True, related: str | None = None) -> Field:
    return Field(name, "char", store=store, depends=depends, related=related)


def link(name: str, model: str) -> Field:
    return Field(name, "many2one", relation=model)


def shown(*depends: str) -> Field:
    return text("display_name", *depends, store=False)


WRITTEN = Field("write_date", "datetime")
NAME, CODE, SECRET = text("name"), text("x_code"), text("x_password")
PARTNER = link("partner_id", "res.partner")
PARENTS = text("name", "partner_id.name", store=False, related="partner_id.name")
FULL = text("complete_name", "name", "parent_id.complete_name", store=False)
OUTSIDE = text("x_text", "partner_id.name", store=False)

CASES: dict[str, tuple[str, list[Field], str | None]] = {
    "one stored text": ("x_thing", [WRITTEN, NAME, CODE, shown("x_code")], "x_code"),
    "a parent's text": ("x_user", [WRITTEN, PARENTS, PARTNER, shown("name")], "partner_id.name"),
    "several own texts": ("x_thing", [WRITTEN, NAME, CODE, shown("x_code", "name")], "display_name"),
    "own parents": (
        "x_tree",
        [WRITTEN, NAME, link("parent_id", "x_tree"), FULL, shown("complete_name")],
        "display_name",
    ),
    "somebody else's text": ("x_thing", [WRITTEN, NAME, PARTNER, shown("name", "partner_id")], "name"),
    "somebody else's text in between": ("x_thing", [WRITTEN, NAME, PARTNER, OUTSIDE, shown("x_text")], "name"),
    "a credential": ("x_thing", [WRITTEN, NAME, SECRET, shown("name", "x_password")], "name"),
    "nothing": ("x_thing", [WRITTEN, shown()], None),
    "an SQL view": ("x_report", [NAME, CODE, shown("x_code", "name")], "name"),
    "not told": ("x_thing", [WRITTEN, NAME], "name"),
    "listed as computed": ("sale.order.line", [WRITTEN, NAME, PARTNER, shown("name", "partner_id")], "display_name"),
    "listed as stored": (
        "res.partner",
        [WRITTEN, NAME, text("complete_name"), shown("name", "x_code")],
        "complete_name",
    ),
    "stored itself": ("res.partner", [WRITTEN, NAME, text("display_name", "name")], "display_name"),
    "of no interest": ("mail.message", [WRITTEN, NAME, CODE, shown("x_code", "name")], "name"),
    "several fields": ("account.account", [WRITTEN, NAME, text("code"), shown("code", "name")], "code name"),
}


@pytest.mark.parametrize("case", CASES)
def test_where_the_name_is(case: str) -> None:
    model, fields, path = CASES[case]
    layout = Layout.of(model, fields)
    assert layout.name_path == path
    assert ("display_name" in {item.key for item in layout.columns}) is (path == "display_name")


def test_a_refused_name_gives_way_to_the_next_best() -> None:
    layout = Layout.of("x_thing", CASES["several own texts"][1])
    assert layout.without({"display_name"}).name_path == "name"
    assert Layout.of("account.account", CASES["several fields"][1]).without({"code"}).name_path == "name"


def test_a_name_that_is_asked_for_is_the_name() -> None:
    settings = ModelSettings(extra_fields=("display_name",))
    assert Layout.of("x_thing", CASES["somebody else's text"][1], settings).name_path == "display_name"
    excluding = ModelSettings(exclude_fields=("display_*",))
    assert Layout.of("x_thing", CASES["several own texts"][1], excluding).name_path == "name"
