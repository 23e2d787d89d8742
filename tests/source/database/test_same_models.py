"""Odoo's own database tells of the same models and fields as the API."""

from __future__ import annotations

from dataclasses import replace

from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.source.fields import Field
from odoo_shadow.source.models import ModelKind
from odoo_shadow.source.port import Source
from tests.support.two_sources import EVERYTHING, Both

TOLD_OTHERWISE = {
    "account.code.mapping": "made of a query in Odoo's code: only the API has its records",
    "account.invoice.report": "made of a query in Odoo's code: only the API has its records",
    "ir.model.inherit": "no login may read it by API",
    "mail.thread": "abstract, which the API of 17 does not tell",
    "res.users.apikeys": "a table, which the API shows as a view",
}
COMPUTED_CHOICES = {("res.lang", "date_format"), ("res.partner", "lang")}
"""Selections whose choices Odoo computes when it is asked."""
WITHOUT_COLUMN = ("one2many", "binary")
BEYOND_POSTGRESQL = ("awkward.names", "x_awkward")
"""With names that no column can have, which a real Odoo does not let pass."""


def test_the_models_are_the_same(both: Both) -> None:
    by_api = {model.name: model for model in both.api.discover().models}
    by_table = {model.name: model for model in both.database.discover().models}
    assert by_api.keys() == by_table.keys()
    differing = {name for name, model in by_api.items() if model.kind is not by_table[name].kind}
    assert differing <= TOLD_OTHERWISE.keys()
    assert {name: model.label for name, model in by_api.items()} == {
        name: model.label for name, model in by_table.items()
    }
    tables = [name for name, model in by_table.items() if model.kind is by_api[name].kind is ModelKind.TABLE]
    for name in set(tables) - {*BEYOND_POSTGRESQL}:
        assert by_table[name].text_fields == by_api[name].text_fields, name
    readable = both.api.readable_models
    misnamed = {name for name, model in by_table.items() if model.kind is ModelKind.MISNAMED}
    assert readable.keys() - both.database.readable_models.keys() <= misnamed | TOLD_OTHERWISE.keys()
    assert both.helped.readable_models.keys() >= readable.keys() - misnamed


def test_languages_companies_and_what_is_known_of_a_model_are_the_same(both: Both) -> None:
    for source in (both.database, both.helped):
        assert source.languages() == both.api.languages()
        assert source.companies() == both.api.companies()
        assert source.has_model("res.partner") and not source.has_model("x_nothing")
        for model in ("res.partner", "x_kinds"):
            assert source.about(model) == both.api.about(model)


def test_stored_fields_are_described_alike(both: Both) -> None:
    for model in sorted(both.api.readable_models.keys() & both.database.readable_models.keys()):
        told, found = fields_of(both.api, model), fields_of(both.database, model)
        stored = {name for name, field in told.items() if field.store or field.company_dependent}
        stored -= {name for name in stored if told[name].type in WITHOUT_COLUMN}
        stored -= {name for name in stored if model in BEYOND_POSTGRESQL and name not in found}
        for name in stored - {"id"}:
            expected = replace(told[name], depends=())
            if (model, name) in COMPUTED_CHOICES:
                expected = replace(expected, selection=())
            assert found[name] == expected, f"{model}.{name}"
        assert {name for name, field in found.items() if field.store} <= told.keys(), model


def test_with_the_api_beside_nothing_is_described_otherwise(both: Both) -> None:
    for model in sorted(both.api.readable_models.keys() & both.helped.readable_models.keys()):
        if model not in BEYOND_POSTGRESQL:
            assert fields_of(both.helped, model) == fields_of(both.api, model)
            layouts = [read_layout(source, model, EVERYTHING) for source in (both.helped, both.api)]
            one, other = (replace(layout, columns=()) for layout in layouts)
            assert one == other
            assert [item.column for item in layouts[0].columns] == [item.column for item in layouts[1].columns]


def test_states_and_identities_tell_of_the_same_fields(both: Both) -> None:
    models = ["res.partner", "x_kinds", "mail.followers", "x_nothing"]
    by_api, by_table = both.api.field_states(models), both.database.field_states(models)
    assert by_api.keys() == by_table.keys()
    for model, state in by_api.items():
        assert state.has_write_date == by_table[model].has_write_date
        assert state.names == by_table[model].names
    assert both.api.field_identities(models) == both.database.field_identities(models)
    stored = both.api.stored_fields(models)
    found = both.database.stored_fields(models)
    assert stored is not None
    assert {model: set(names) for model, names in stored.items() if names} == {
        model: set(names) for model, names in found.items()
    }


def fields_of(source: Source, model: str) -> dict[str, Field]:
    return {field.name: field for field in source.describe(model)}
