"""The flavour with marked secrets: the API gives them all, and nothing else has a marker."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from odoo_stand_in import StandIn
from odoo_stand_in.invented.secrets import INNOCENT, LOOK_ALIKE, MARKED, MARKER, NOBODY, places

pytestmark = pytest.mark.both_flavours

EVERYTHING = {"active_test": False}


@pytest.fixture(scope="module", params=["17", "19"])
def odoo(request: pytest.FixtureRequest, server: str) -> Iterator[StandIn]:
    running = StandIn(server, request.param, database=f"secrets{request.param}", schema="secrets")
    yield running
    running.stop()


def test_an_administrator_is_given_every_secret_that_anybody_is_given(odoo: StandIn) -> None:
    found = places(odoo.registry)
    assert set(found.values()) <= {(model, name) for model, names in MARKED.items() for name in names}
    for marker, (model, name) in found.items():
        field = odoo.registry.models[model].fields[name]
        if field.groups == NOBODY or field.type == "binary":
            continue
        rows = odoo.execute(model, "search_read", [], [name], context=EVERYTHING)
        told = [row[name] for row in rows if row[name]]
        assert told, (model, name)
        assert all(marker in str(value) for value in told), (model, name)


def test_markers_stand_only_where_they_are_said_to(odoo: StandIn) -> None:
    """So that a marker that is found in a mirror names the field that let it in."""
    known = {
        ("file_store", "content")
        if odoo.registry.models[model].fields[name].attached
        else (odoo.registry.models[model].table, name)
        for model, name in places(odoo.registry).values()
    }
    found = set()
    with psycopg.connect(odoo.dsn) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
        for table, column, kind in columns:
            as_text = "encode({}, 'escape')" if kind == "bytea" else "{}::text"
            value = psycopg.sql.SQL(as_text).format(psycopg.sql.Identifier(column))
            query = psycopg.sql.SQL("SELECT 1 FROM {} WHERE strpos({}, {}) > 0 LIMIT 1").format(
                psycopg.sql.Identifier(table), value, psycopg.sql.Literal(MARKER)
            )
            if connection.execute(query).fetchone():
                found.add((table, column))
    by_company = {("ir_property", "value_text")} if odoo.flavour == "17" else set()
    not_stored_there = {("res_partner", "x_edi_password")} if odoo.flavour == "17" else set()
    assert found == (known - not_stored_there) | by_company


def test_what_only_looks_like_a_secret_has_values(odoo: StandIn) -> None:
    marked = set(places(odoo.registry).values())
    for model, names in INNOCENT.items():
        assert marked.isdisjoint((model, name) for name in names)
        rows = odoo.execute(model, "search_read", [], names, context=EVERYTHING)
        assert rows
        texts = [name for name in names if odoo.registry.models[model].fields[name].type in ("char", "text")]
        assert all(str(row[name]).startswith(LOOK_ALIKE) for row in rows for name in texts)
        assert all(isinstance(row["x_token_count"], int) for row in rows if "x_token_count" in row)


def test_custom_models_are_told_as_such(odoo: StandIn) -> None:
    rows = odoo.execute("ir.model", "search_read", [["state", "=", "manual"]], ["model", "modules"])
    assert {row["model"]: row["modules"] for row in rows} == dict.fromkeys(
        ("x_connector.backend", "x_shop.parameter", "x_sync.credentials", "x_vault.entry"), ""
    )
