"""The schema's own tables and functions: made once, harmless to make again, by several at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from uuid import UUID

import psycopg
import pytest

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.ddl_files import base_migration
from odoo_shadow.shadow.descriptions import Description
from odoo_shadow.shadow.errors import ShadowOwnershipError, ShadowPermissionError
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.names import table_name
from odoo_shadow.shadow.state.registry import list_tables, read_settings
from odoo_shadow.shadow.state.schema import (
    Origin,
    accept_origin,
    check_origin,
    claim_origin,
    recorded_origin,
    schema_version,
)
from odoo_shadow.shadow.state.schema_statements import VERSION, base_statements
from odoo_shadow.shadow.state.sync_log import entries_of_run
from odoo_shadow.shadow.tables.structure import make_index
from odoo_shadow.shadow.views.named_views import renew_due_views
from tests.support.catalog import structure, without_numbers
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import make_base, make_table, rows_of
from tests.support.waiting import wait_until_blocked

# Queries of people name these: they are never renamed.
PROMISED_COLUMNS = {
    "odoo_shadow_meta": {
        *("table_name", "odoo_model", "odoo_module", "field_count", "last_sync_at", "last_sync_duration_ms"),
        *("row_count", "sync_errors", "created_at", "updated_at"),
    },
    "odoo_shadow_watermark": {
        *("table_name", "last_write_date", "last_id", "rows_synced", "created_at", "updated_at"),
    },
    "odoo_shadow_sync_log": {
        *("sync_run_id", "table_name", "started_at", "completed_at", "rows_inserted", "rows_updated", "rows_deleted"),
        *("duration_ms", "status", "error_message", "metadata"),
    },
}
RUN = UUID("5c0ffee0-0000-4000-8000-000000000001")
ACME = Origin("https://erp.example.com", "acme", "uuid-of-acme")
OTHER = Origin("https://erp.example.com", "other", "uuid-of-other")
IN_ITS_CLUSTER = Origin(
    "http://localhost:8069", "acme", "uuid-of-acme", cluster="1", is_api_url=False, source="database"
)
IN_ANOTHER = replace(IN_ITS_CLUSTER, cluster="2")
BESIDE = replace(IN_ITS_CLUSTER, url=ACME.url, is_api_url=True)


def test_nothing_is_there_before(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        assert schema_version(tx) == 0


def test_the_control_tables_have_the_columns_that_queries_name(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    columns: dict[str, set[object]] = {}
    for schema, table, _, name, *_ in structure(database)["columns"]:
        if schema == "odoo_shadow":
            columns.setdefault(str(table), set()).add(name)
    for table, wanted in PROMISED_COLUMNS.items():
        assert wanted <= columns[table]


def test_the_control_tables_have_the_types_that_queries_expect(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    types = {(row[0], row[1], row[3]): row[4] for row in structure(database)["columns"]}
    for table, column, wanted in (
        ("odoo_shadow_watermark", "last_write_date", "timestamp with time zone"),
        ("odoo_shadow_sync_log", "sync_run_id", "uuid"),
        ("odoo_shadow_sync_log", "metadata", "jsonb"),
    ):
        assert types["odoo_shadow", table, column] == wanted


def test_made_twice_is_harmless(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with shadow.transaction() as tx:
        claim_origin(tx, ACME)
    before = structure(database)
    with shadow.transaction() as tx:
        assert not ensure_base(tx)
    with psycopg.connect(database) as connection:
        for statement in base_statements("odoo_shadow"):
            connection.execute(statement)
    assert structure(database) == before
    with shadow.transaction() as tx:
        assert recorded_origin(tx) == ACME


def test_an_older_schema_is_upgraded_and_keeps_its_rows(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    with shadow.transaction() as tx:
        claim_origin(tx, ACME)
        tx.run("UPDATE {mirror} SET schema_version = 0", mirror=tx.internal("mirror"))
    with shadow.transaction() as tx:
        assert ensure_base(tx)
        assert schema_version(tx) == VERSION
        assert recorded_origin(tx) == ACME


FORMER = Path(__file__).parent / "former"


@pytest.mark.parametrize("former", [4, 5, 6, 7, 8])
@pytest.mark.parametrize("has_files", [False, True], ids=["by a sync", "by the files"])
def test_a_former_version_is_upgraded_with_its_views_and_rows(
    shadow: ShadowDatabase, database: str, former: int, has_files: bool
) -> None:
    wanted = [
        Column("name", ColumnType.TEXT, "name", "char"),
        Column("parent_id", ColumnType.BIGINT, "parent_id", "many2one", Description(relation="res.partner")),
    ]
    table = make_table(shadow, columns=wanted, name_path="name")
    with shadow.transaction() as tx:
        make_index(tx, table)  # as the end of its first load does
    renew_due_views(shadow)
    new = without_numbers(structure(database))
    run_as_owner(
        database,
        "DROP SCHEMA odoo_shadow, odoo_shadow_internal CASCADE",
        "DROP FUNCTION public.get_shadow_watermark, public.update_shadow_watermark",
    )
    parts = f"version_{former}_base", f"version_{former}_tables", f"version_{min(former, 6)}_rows"
    with psycopg.connect(database) as connection:
        for part in parts:
            connection.execute((FORMER / f"{part}.sql").read_bytes())
        if has_files:
            connection.execute(base_migration("odoo_shadow").encode())
    table = make_table(shadow, columns=wanted, name_path="name")
    renew_due_views(shadow)
    if former > 4 or not has_files:  # the files do not drop the views in public, on which columns of version 4 stand
        assert without_numbers(structure(database)) == new
    assert rows_of(shadow, table, ("id", "name")) == [(1, "Zoë")]
    with shadow.transaction() as tx:
        assert schema_version(tx) == VERSION
        assert recorded_origin(tx) == ACME
        (status,) = list_tables(tx)
        assert (status.sync_errors, status.last_error) == (1, "https://erp.example.com refused 'someone'")
        assert read_settings(tx, table).read_as == "'someone', en_US, all companies"
        assert entries_of_run(tx, RUN)[0].error_message == "https://erp.example.com refused 'someone'"
        shown = tx.run(
            "SELECT l::text FROM {log} l UNION ALL SELECT m::text FROM {meta} m UNION ALL SELECT w::text FROM {mark} w",
            log=tx.own("odoo_shadow_sync_log"),
            meta=tx.own("odoo_shadow_meta"),
            mark=tx.own("odoo_shadow_watermark"),
        )
        assert not any(secret in text for (text,) in shown for secret in ("example.com", "someone", "worker-7"))
        assert status.unreadable_fields == (["ref"] if former >= 6 else [])


def test_no_model_gets_the_name_of_anything_that_the_base_makes(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    made = {str(row[1]) for row in structure(database)["relations"] if row[0] == "odoo_shadow"}
    assert {"odoo_shadow_sync_log_id_seq", "odoo_shadow_meta_odoo_model_key"} < made
    assert made.isdisjoint(table_name(name.removeprefix("odoo_shadow_")) for name in made)


@pytest.mark.parametrize(
    "dropped",
    [
        *("odoo_shadow_meta", "odoo_shadow_watermark", "odoo_shadow_verification", "odoo_shadow_left_out"),
        *("odoo_shadow_mart_verification", "odoo_shadow_stored_document"),
    ],
)
def test_a_control_table_that_somebody_dropped_is_made_again(
    shadow: ShadowDatabase, database: str, dropped: str
) -> None:
    make_base(shadow)
    whole = structure(database)
    with shadow.transaction() as tx:
        tx.run("DROP TABLE {table} CASCADE", table=tx.own(dropped))
    with psycopg.connect(database) as connection:
        connection.execute(base_migration("odoo_shadow").encode())
    assert without_numbers(structure(database)) == without_numbers(whole)


def test_a_run_makes_the_registry_again(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    with shadow.transaction() as tx:
        tx.run("DROP TABLE {meta} CASCADE", meta=tx.own("odoo_shadow_meta"))
        assert ensure_base(tx) and schema_version(tx) == VERSION and list_tables(tx) == []


def test_a_newer_schema_is_left_alone(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    with shadow.transaction() as tx:
        tx.run("UPDATE {mirror} SET schema_version = 999", mirror=tx.internal("mirror"))
        assert not ensure_base(tx)
        assert schema_version(tx) == 999


def test_a_second_maker_waits_for_the_first(shadow: ShadowDatabase, database: str) -> None:
    with ThreadPoolExecutor() as pool:
        with shadow.transaction() as tx:
            assert ensure_base(tx)
            second = pool.submit(_make, database)
            wait_until_blocked(database)
        second.result()


def test_many_makers_at_once(database: str) -> None:
    barrier = Barrier(6)

    def make() -> None:
        barrier.wait()
        _make(database)

    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(make) for _ in range(6)]:
            future.result()


def test_makers_of_two_schemas_do_not_stumble_over_the_views_in_public(shadow: ShadowDatabase, database: str) -> None:
    # Both want public.odoo_shadow_meta, and neither holds the other's lock.
    with ThreadPoolExecutor() as pool:
        with shadow.transaction() as tx:
            ensure_base(tx)
            second = pool.submit(_make, database, "second_mirror")
            wait_until_blocked(database)
        second.result()


def test_a_role_that_owns_the_schema_needs_no_rights_on_the_database(database: str) -> None:
    with new_role(database) as role:
        run_as_owner(
            database,
            "CREATE SCHEMA odoo_shadow AUTHORIZATION {role}",
            "CREATE SCHEMA odoo_shadow_internal AUTHORIZATION {role}",
            role=role,
        )
        _make(as_role(database, role))


def test_a_role_that_owns_only_one_of_the_schemas_is_told_what_is_missing(database: str) -> None:
    with new_role(database) as role:
        run_as_owner(database, "CREATE SCHEMA odoo_shadow AUTHORIZATION {role}", role=role)
        with pytest.raises(ShadowPermissionError) as raised:
            _make(as_role(database, role))
    assert f'CREATE SCHEMA "odoo_shadow_internal" AUTHORIZATION "{role}"' in str(raised.value)


def test_a_role_without_rights_is_told_what_it_needs(database: str) -> None:
    with new_role(database) as role, pytest.raises(ShadowPermissionError) as raised:
        _make(as_role(database, role))
    assert f"The role '{role}' has no right to create schema 'odoo_shadow'" in str(raised.value)
    assert "CREATE on the database" in str(raised.value)


def test_a_schema_belongs_to_the_first_that_claims_it(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    with shadow.transaction() as tx:
        assert recorded_origin(tx) is None
        claim_origin(tx, ACME)
    with pytest.raises(ShadowOwnershipError, match="mirrors the Odoo database 'acme' at"), shadow.transaction() as tx:
        claim_origin(tx, OTHER)
    with shadow.transaction() as tx:
        assert recorded_origin(tx) == ACME


@pytest.mark.parametrize(
    ("owner", "origin", "is_same"),
    [
        (ACME, ACME, True),
        (ACME, Origin("https://staging.example.com", "acme", "uuid-of-acme"), False),  # a copy keeps the uuid
        (ACME, Origin("https://erp.example.com", "copy", "uuid-of-acme"), False),
        (ACME, Origin("https://erp.example.com", "acme", None), True),
        (Origin("https://erp.example.com", "acme", None), ACME, True),
        (ACME, Origin("https://moved.example.com", "acme", None), False),
        (ACME, OTHER, False),
        (ACME, Origin("https://erp.example.com", "acme", "uuid-of-other"), False),
        # Another source: the address is only what Odoo calls itself.
        (ACME, IN_ITS_CLUSTER, True),
        (IN_ITS_CLUSTER, ACME, True),
        (replace(ACME, uuid=None), IN_ITS_CLUSTER, False),
        (replace(ACME, uuid=None), replace(IN_ITS_CLUSTER, url=ACME.url), True),
        (ACME, replace(IN_ITS_CLUSTER, uuid="uuid-of-other"), False),
        (ACME, replace(IN_ITS_CLUSTER, database="copy"), False),
        (replace(ACME, is_neutralized=False), replace(IN_ITS_CLUSTER, is_neutralized=True), False),
        # The cluster tells a restored copy, wherever it is, from the database, by whatever way it is reached.
        (IN_ITS_CLUSTER, replace(IN_ITS_CLUSTER, url="https://renamed.example.com"), True),
        (IN_ITS_CLUSTER, IN_ANOTHER, False),
        (IN_ITS_CLUSTER, replace(IN_ANOTHER, cluster=None), True),
        (ACME.read_again(IN_ITS_CLUSTER), IN_ANOTHER, False),
        (ACME.read_again(IN_ITS_CLUSTER).accepting(IN_ANOTHER), IN_ANOTHER, True),
        # With the API beside it, that must be where it was.
        (ACME, BESIDE, True),
        (ACME, replace(BESIDE, url="https://staging.example.com"), False),
        (ACME.read_again(IN_ITS_CLUSTER), Origin("https://staging.example.com", "acme", "uuid-of-acme"), False),
    ],
)
def test_address_name_and_uuid_tell_databases_apart(
    shadow: ShadowDatabase, owner: Origin, origin: Origin, is_same: bool
) -> None:
    make_base(shadow)
    with shadow.transaction() as tx:
        if is_same:
            check_origin(tx, owner, origin)
        else:
            with pytest.raises(ShadowOwnershipError):
                check_origin(tx, owner, origin)


def test_a_claim_without_uuid_keeps_the_known_one(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    with shadow.transaction() as tx:
        claim_origin(tx, ACME)
        claim_origin(tx, Origin(ACME.url, ACME.database, None))
        assert recorded_origin(tx) == ACME


def test_a_mirror_remembers_where_each_source_was(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    for origin in (ACME, IN_ITS_CLUSTER, ACME):
        with shadow.transaction() as tx:
            claim_origin(tx, origin)
            found = recorded_origin(tx)
        assert found is not None and (found.url, found.source) == (ACME.url, origin.source)
    assert found is not None and found.cluster == "1"
    with shadow.transaction() as tx:
        accept_origin(tx)
        claim_origin(tx, IN_ANOTHER)
        found = recorded_origin(tx)
    assert found is not None and found.cluster == "2"


def _make(url: str, schema: str = "odoo_shadow") -> None:
    with ShadowDatabase.from_url(url, schema=schema) as shadow:
        make_base(shadow)
