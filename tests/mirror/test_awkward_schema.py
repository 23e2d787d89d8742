"""Every kind of field and name at once: all models of a server that nobody would wish for, and found again later."""

from __future__ import annotations

import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from odoo_stand_in.invented.awkward import FIELD_NAMES, KINDS, MISNAMED, MODEL_NAMES
from tests.support.clients import source_of
from tests.support.counting import in_odoo, in_shadow
from tests.support.running import mirror, mirror_all
from tests.support.source_of_truth import Rows, expected_rows, is_same, shadow_rows
from tests.support.verifying import found_by, verify

pytestmark = pytest.mark.one_flavour

COMPUTED = {"ir.model", "ir.model.fields", "ir.model.constraint"}
"""Odoo's own dictionary, whose rows change with every field."""
LONGEST = 63


def tables_of(shadow: ShadowDatabase) -> dict[str, str]:
    """Each model's table, as the registry tells."""
    return dict(in_shadow(shadow, "SELECT odoo_model, table_name FROM {odoo_shadow_meta}"))


def columns_of(shadow: ShadowDatabase) -> dict[tuple[str, str], str]:
    """Each field's column, by table and field, as the catalogue tells."""
    rows = in_shadow(
        shadow, "SELECT table_name, field_name, column_name FROM {odoo_shadow_field} WHERE vanished_at IS NULL"
    )
    return {(str(table), str(field)): str(column) for table, field, column in rows}


def assert_all_equal(odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    """Compare every cell of every table with Odoo's, by the names that registry and catalogue tell."""
    tables, columns = tables_of(shadow), columns_of(shadow)
    for model in tables.keys() - COMPUTED:
        table, found = tables[model], shadow_rows(database, tables[model])
        wanted = renamed(expected_rows(odoo, model, by_field=True), columns, table)
        assert found.keys() == wanted.keys(), model
        for number, row in wanted.items():
            different = {name: cell for name, cell in row.items() if not is_same(found[number][name], cell)}
            assert not different, (model, number)


def renamed(rows: Rows, columns: dict[tuple[str, str], str], table: str) -> Rows:
    return {
        number: {columns.get((table, name), name): cell for name, cell in row.items()} for number, row in rows.items()
    }


def change_something(odoo: StandIn, text: str) -> None:
    """Let rows of every awkward model be written, come and go."""
    for model in MODEL_NAMES:
        odoo.execute(model, "write", [2], {"name": f"{text} of {model}"})
        odoo.execute(model, "create", [{"name": f"{text} is new"}])
    odoo.execute("x", "unlink", [1] if text == "First" else [3])
    odoo.execute("awkward.names", "write", [2], {name: f"{text} {name}" for name in FIELD_NAMES})
    odoo.execute(KINDS, "write", [5, 6], {"x_text": text, "x_title": f"{text} title", "x_boolean": True})


@pytest.mark.nightly
def test_all_of_it_is_mirrored_and_found_again_after_a_restart(
    awkward_odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with source_of(awkward_odoo) as source:
        results = mirror_all(source, shadow)
    assert MODEL_NAMES.keys() | {KINDS, "x_kinds.line", "awkward.names", "x_awkward"} <= results.keys()
    assert not results.keys() & set(MISNAMED)
    assert_all_equal(awkward_odoo, shadow, database)
    tables, columns = tables_of(shadow), columns_of(shadow)
    assert tables == {model: result.table for model, result in results.items()}

    for text in ("First", "Second"):
        change_something(awkward_odoo, text)
        with source_of(awkward_odoo) as restarted, ShadowDatabase.from_url(database, name="shadow_db") as reopened:
            again = mirror_all(restarted, reopened)
            assert {model: result.table for model, result in again.items()} == tables
            assert all(result.counts.inserted == 1 for model, result in again.items() if model in MODEL_NAMES)
            assert columns_of(reopened) == columns
            assert_all_equal(awkward_odoo, reopened, database)


@pytest.mark.nightly
def test_names_are_distinct_and_whole(
    awkward_odoo: StandIn, awkward_source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_all(awkward_source, shadow)
    tables, columns = tables_of(shadow), columns_of(shadow)
    assert len(set(tables.values())) == len(tables)
    assert all(len(name.encode()) <= LONGEST for name in (*tables.values(), *columns.values()))
    of_names = [column for (table, _), column in columns.items() if table == tables["awkward.names"]]
    assert len(set(of_names)) == len(of_names) >= len(FIELD_NAMES)
    relations = in_shadow(shadow, "SELECT relname FROM pg_class WHERE relnamespace = 'odoo_shadow'::regnamespace")
    assert {(table,) for table in tables.values()} <= set(relations)
    assert in_odoo(awkward_odoo, "SELECT count(*) > 0 FROM res_partner") == [(True,)]  # no name was run as SQL


@pytest.mark.sampled
@pytest.mark.parametrize("model", ["awkward.names", KINDS, "a.b_c", "a_b.c", "sync.log", *MISNAMED])
def test_verify_finds_the_same_names(awkward_source: ApiSource, shadow: ShadowDatabase, model: str) -> None:
    for one in ("a_b.c", model):
        mirror(awkward_source, shadow, one)
    assert found_by(verify(awkward_source, shadow, model=model)) == {}
