"""Rows with marked secrets, so that a test can search a whole mirror for what must not be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from odoo_stand_in.generator import Generator, Row
from odoo_stand_in.models import Registry
from odoo_stand_in.models.secrets import INNOCENT, MARKED
from odoo_stand_in.schema import Field

MARKER = "MARKED-SECRET-"
LOOK_ALIKE = "LOOKS-LIKE-A-SECRET"
ROWS = 3


def places(registry: Registry) -> dict[str, tuple[str, str]]:
    """Model and field of each marker: a value that contains it comes from there."""
    pairs = [(model, name) for model, names in MARKED.items() for name in names]
    return {
        f"{MARKER}{number:03}": pair
        for number, pair in enumerate(pairs, 1)
        if pair[0] in registry.models and pair[1] in registry.models[pair[0]].fields
    }


def populate(generator: Generator) -> None:
    """Make rows of the models that are there for their secrets, and mark the others'."""
    for name in (*MARKED, *INNOCENT):
        if name in generator.registry.models and name not in generator.rows:
            generator.counts[name] = ROWS
            generator.make(name, lambda _number, _row: None)
    for marker, model, field in _stored(generator.registry):
        for row in generator.rows[model]:
            row[field.name] = _value(field, f"{marker}-{row['id']}")
    for model_name, names in INNOCENT.items():
        for row in generator.rows[model_name]:
            row.update({name: _innocent(generator.registry.models[model_name].fields[name], row) for name in names})


def _stored(registry: Registry) -> Iterator[tuple[str, str, Field]]:
    for marker, (model, name) in places(registry).items():
        field = registry.models[model].fields[name]
        if field.column:
            yield marker, model, field


def _value(field: Field, marked: str) -> Any:
    if field.type == "binary":
        return marked.encode()
    if field.type == "json":
        return {"Authorization": f"Bearer {marked}"}
    if field.translate:
        return {"en_US": marked, "fr_FR": f"{marked} (fr)"}
    if field.company_dependent:
        return {str(company): marked for company in (1, 2, 3)}
    return f"https://hooks.example.com/services/{marked}" if field.name.endswith("url") else marked


def _innocent(field: Field, row: Row) -> Any:
    if field.type == "integer":
        return row["id"] % 7
    if field.type == "selection":
        return field.selection[row["id"] % len(field.selection)]
    text = f"{LOOK_ALIKE} {row['id']}"
    return {"en_US": text} if field.translate else text


def company_values(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """Mark the company-dependent values that Odoo keeps in a table of their own up to 17."""
    for marker, (model, name) in places(registry).items():
        field = registry.models[model].fields[name]
        if field.company_dependent and not field.store:
            connection.execute(
                "UPDATE ir_property SET value = %s || '-' || res_id WHERE model = %s AND fields_name = %s",
                (marker, model, name),
            )
