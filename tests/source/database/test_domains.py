"""A search domain means in Odoo's tables what it means by API, or it is refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.types import Domain
from tests.support.two_sources import Both

KINDS = "x_kinds"
COMPARING = ("=", "!=", "<>", "<", "<=", ">", ">=", "in", "not in")
SEARCHING = ("like", "ilike", "=like", "=ilike", "not like", "not ilike", "child_of", "parent_of", "=?", "any", "==")
VALUES: dict[str, tuple[Any, ...]] = {
    "char": ("Row 1", "row 1", "", "no such", 5, 0),
    "text": ("text", "", "null"),
    "html": ("<p>html</p>",),
    "selection": ("draft", "in progress", "no longer a choice", ""),
    "reference": ("res.partner,7",),
    "integer": (42, 0, -(2**31), 1.5, "42"),
    "float": (0.1, 0, 0.0, 1e300, "0.1"),
    "monetary": (1234.567, 0),
    "boolean": (True, 0, 1),
    "date": ("2024-02-29", "0001-01-01", "2024-02-29 12:00:00", "2024-02-31", "today", "29/02/2024"),
    "datetime": ("2024-02-29 23:59:59", "2024-03-01 00:00:00", "2024-02-29", "2100-01-01 00:00:00", "now"),
    "many2one": (7, 1, 0, 999_999, "Azure", -1),
    "many2one_reference": (7, 0),
    "many2many": (7,),
    "one2many": (1,),
    "json": ("a",),
    "properties": ("a",),
    "id": (1, 3, 0, -5),
}
FIELDS = {
    "id": "id",
    "active": "boolean",
    "write_date": "datetime",
    "x_name": "char",
    "x_text": "text",
    "x_html": "html",
    "x_selection": "selection",
    "x_reference": "reference",
    "x_integer": "integer",
    "x_float": "float",
    "x_float_exact": "float",
    "x_monetary": "monetary",
    "x_boolean": "boolean",
    "x_date": "date",
    "x_datetime": "datetime",
    "x_partner_id": "many2one",
    "x_res_id": "many2one_reference",
    "x_partner_ids": "many2many",
    "x_line_ids": "one2many",
    "x_json": "json",
    "x_properties": "properties",
    "x_title": "char",
    "x_by_company_char": "char",
    "x_by_company_integer": "integer",
    "x_by_company_boolean": "boolean",
    "x_partner_email": "char",
    "x_line_count": "integer",
    "x_partner_id.name": "char",
    "no_such_field": "char",
}
NEVER = {
    *("x_partner_ids", "x_line_ids", "x_json", "x_properties", "x_title", "x_partner_email", "x_line_count"),
    *("x_by_company_char", "x_by_company_integer", "x_by_company_boolean", "x_partner_id.name", "no_such_field"),
    *("x_html", "x_reference", "x_res_id"),
}
"""Fields whose conditions are all refused."""
# What people filter by, which must not be refused.
SUPPORTED: tuple[Domain, ...] = (
    [("active", "=", True)],
    [("active", "!=", False)],
    [("active", "=", False)],
    [("id", "in", [1, 3, 5])],
    [("id", ">", 3), ("id", "<=", 9)],
    [("x_selection", "=", "in progress")],
    [("x_selection", "in", ["draft", "done"])],
    [("x_selection", "not in", ["draft", "done"])],
    [("x_selection", "=", False)],
    [("x_selection", "!=", False)],
    [("x_partner_id", "=", 7)],
    [("x_partner_id", "=", False)],
    [("x_partner_id", "in", [7, 12, False])],
    [("x_partner_id", "not in", [7, 12])],
    [("x_date", ">=", "2024-01-01"), ("x_date", "<", "2025-01-01")],
    [("x_date", "=", False)],
    [("x_datetime", ">=", "2024-02-29 23:59:59")],
    [("create_date", "<", "2100-01-01 00:00:00")],
    [("x_name", "=", "Row 3")],
    [("x_name", "in", ["Row 3", "Row 4"])],
    [("x_integer", "=", 42)],
    [("x_integer", "!=", 42)],
    ["|", ("x_boolean", "=", True), "&", ("active", "=", False), ("x_partner_id", "!=", False)],
)


def ids(source: Source, domain: Domain) -> set[int]:
    return source.ids(Reading(KINDS, ("id",), domain))


def terms() -> Iterator[tuple[str, str, Any]]:
    """Yield conditions of all kinds, also those that make no sense."""
    for name, operator in itertools.product(FIELDS.keys() - NEVER, COMPARING):
        values = VALUES[FIELDS[name]]
        yield from ((name, operator, value) for value in (*values, False, None, True))
        yield from ((name, operator, listed) for listed in (list(values[:2]), [values[0], False], [None], []))
    for name in NEVER:
        yield from ((name, operator, VALUES[FIELDS[name]][0]) for operator in ("=", "<"))
        yield from ((name, operator, [False]) for operator in ("in", "not in"))
    for name, operator in itertools.product(("x_name", "x_integer", "x_partner_id", "x_partner_ids"), SEARCHING):
        yield name, operator, VALUES[FIELDS[name]][0]


def accepted(both: Both) -> Iterator[tuple[tuple[str, str, Any], set[int]]]:
    for term in terms():
        try:
            yield term, ids(both.database, [term])
        except OdooConfigurationError as refused:
            assert "x_kinds: its domain has a" in str(refused)
            assert "mirror this model by API" in str(refused)


@pytest.mark.both_flavours
def test_what_is_accepted_finds_the_same_records(both: Both) -> None:
    found = dict.fromkeys(FIELDS, 0)
    for term, by_table in accepted(both):
        assert by_table == ids(both.api, [term]), term
        found[term[0]] += 1
    assert {name for name, number in found.items() if not number} == NEVER


@pytest.mark.both_flavours
def test_what_people_filter_by_is_accepted(both: Both) -> None:
    random = Random(17)  # noqa: S311 - the same each time
    for domain in SUPPORTED:
        assert ids(both.database, domain) == ids(both.api, domain), domain
    for _ in range(30):
        first, second, third = random.sample([domain[0] for domain in SUPPORTED if len(domain) == 1], 3)
        nested: Domain = [random.choice("&|"), first, random.choice("&|"), second, third]
        assert ids(both.database, nested) == ids(both.api, nested), nested


@pytest.mark.parametrize("domain", [["!", ("id", "=", 1)], ["|", ("id", "=", 1)], [5], [("id", "=")], ["&"], [[]]])
def test_what_is_no_condition_is_refused(domain: Domain, both: Both) -> None:
    with pytest.raises(OdooConfigurationError, match="x_kinds: its domain has"):
        ids(both.database, domain)
