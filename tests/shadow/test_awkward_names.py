"""Names that would be SQL if they were not quoted: of schemas, models and fields."""

from __future__ import annotations

from uuid import uuid4

import pytest

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowConfigurationError
from odoo_shadow.shadow.names import column_name, internal_schema, table_name
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry, sync_log, watermarks
from odoo_shadow.shadow.state.lease import Lease, take_lease
from odoo_shadow.shadow.state.schema import Origin, claim_origin, recorded_origin, schema_version
from odoo_shadow.shadow.state.watermarks import Scan
from odoo_shadow.shadow.tables.changes import plan_change
from tests.support.catalog import structure
from tests.support.roles import run_as_owner
from tests.support.tables import NOON, make_table, merge, rows_of

NAMES = [
    'quo"ted',
    '";DROP TABLE victim;--',
    "'; DROP TABLE victim; --",
    "100%s",
    "%(name)s",
    "{braces} {} {0}",
    "UPPER lower",
    "größe_語_😀",
    "select",
    "back\\slash",
    "tab\\tnew\\nline",
    "$$dollar$$",  # fails: as a schema, it ends the functions' bodies
    "$odoo_shadow$",
    "/* comment",
    "a" * 63,
    "é" * 40,
    "a" * 200,
]


@pytest.fixture(autouse=True)
def victim(database: str) -> None:
    run_as_owner(database, "CREATE TABLE victim (x int)")


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_field_may_be_called_anything(shadow: ShadowDatabase, database: str, name: str) -> None:
    fields = [name, f"{name}_too"]
    columns = [Column(column_name(field), ColumnType.TEXT) for field in fields]
    table = make_table(shadow, "x.awkward", columns)
    listed = ("id", "_odoo_write_date", *(column.name for column in columns))
    assert merge(shadow, table, (1, None, "one", "two"), columns=listed) == RowCounts(inserted=1)
    assert merge(shadow, table, (1, None, "eins", "zwei"), columns=listed) == RowCounts(updated=1)
    assert rows_of(shadow, table, listed[2:]) == [("eins", "zwei")]
    with shadow.transaction() as tx:
        assert plan_change(tx, table, columns).changes == ()
    assert_victim_lives(database)


@pytest.mark.sampled
@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_field_may_come_later_under_any_name(shadow: ShadowDatabase, database: str, name: str) -> None:
    make_table(shadow, "x.awkward", [])
    column = Column(column_name(name), ColumnType.TEXT)
    table = make_table(shadow, "x.awkward", [column])
    merge(shadow, table, (1, None, "one"), columns=("id", "_odoo_write_date", column.name))
    for schema in ("odoo_shadow", "public"):
        shown = [row[3] for row in structure(database)["columns"] if row[:2] == (schema, table)]
        assert column.name in shown
    assert_victim_lives(database)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_model_may_be_called_anything(shadow: ShadowDatabase, database: str, name: str) -> None:
    table = make_table(shadow, name)
    assert table == table_name(name)
    walk_through_the_books(shadow, table)
    with shadow.transaction() as tx:
        assert [(item.model, item.table) for item in registry.list_tables(tx)] == [(name, table)]
    assert_victim_lives(database)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_schema_may_be_called_anything(database: str, name: str) -> None:
    if len(name.encode()) > 63:
        with pytest.raises(ShadowConfigurationError, match="longer than 63 bytes"):
            ShadowDatabase.from_url(database, schema=name)
        return
    with ShadowDatabase.from_url(database, schema=name) as shadow:
        table = make_table(shadow)
        walk_through_the_books(shadow, table)
        with shadow.transaction() as tx:
            assert schema_version(tx) > 0
            claim_origin(tx, Origin("https://erp.example.com/'%s'", 'd"b;', "'uuid'"))
            assert recorded_origin(tx) == Origin("https://erp.example.com/'%s'", 'd"b;', "'uuid'")
            ((mark,),) = tx.run("SELECT {get}({table})", get=tx.own("get_shadow_watermark"), table=table)
            assert mark == NOON
    schemas = {row[0] for row in structure(database)["schemas"]}
    assert schemas == {"public", name, internal_schema(name)}
    assert_victim_lives(database)


def walk_through_the_books(shadow: ShadowDatabase, table: str) -> None:
    """Everything that a run writes about a table."""
    lease, scan = Lease("test", uuid4()), Scan(run_id=uuid4(), full=False, low=None, high=NOON, up_to_id=9, last_id=9)
    with shadow.transaction() as tx:
        take_lease(tx, table, lease)
        entry = sync_log.open_entry(tx, scan.run_id, table, {"holder": lease.holder})
        watermarks.save_scan(tx, table, scan, 0)
        assert watermarks.read_scan(tx, table) == scan
        watermarks.finish_scan(tx, table, scan)
        registry.count_rows(tx, table, 1)
        registry.note_failure(tx, table, "100% 'wrong'")
        sync_log.close_error(tx, entry, RowCounts(), 1, "100% 'wrong'")
        assert [item.table for item in sync_log.entries_of_run(tx, scan.run_id)] == [table]
        ((status),) = registry.list_tables(tx)
        assert (status.row_count, status.last_error, status.watermark) == (1, "100% 'wrong'", NOON)


def assert_victim_lives(database: str) -> None:
    assert ("public", "victim") in {row[:2] for row in structure(database)["relations"]}
