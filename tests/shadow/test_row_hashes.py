"""`_sync_hash` tells a reader nothing: no guess of a hidden column can be confirmed, and no reader sees the key."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync import rehash
from odoo_shadow.mirror.sync.rehash import renew_hashes
from odoo_shadow.mirror.sync.table_hold import hold_table
from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import PgConnection, ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.tables.row_hash import RowHash, rehash_rows
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, CountingProxy, in_shadow, mirror_with, visits
from tests.support.planning import passed_over, plan, plan_and_mirror, work_of
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.running import StoppedError, column
from tests.support.tables import make_table, merge, row, rows_of
from tests.support.verifying import verify

pytestmark = [pytest.mark.one_flavour, pytest.mark.attack]

FORMER = Path(__file__).parent / "former"
ROWS = 30
ALL = range(1, ROWS + 1)
ANEW = "its last run left work to do"
NO_LOOK_BACK = MirrorOptions(look_back=timedelta(0))


@pytest.fixture
def visiting(shared_odoo: StandIn, shadow: ShadowDatabase) -> Iterator[ApiSource]:
    """A client of an Odoo of which a small model has been mirrored."""
    with source_of(shared_odoo) as source, visits(shared_odoo, ROWS):
        plan_and_mirror(source, shadow)
        yield source


def key_of(shadow: ShadowDatabase) -> bytes:
    ((key,),) = in_shadow(
        shadow, "SELECT hash_key FROM {mirror}", mirror=sql.Identifier(f"{shadow.schema}_internal", "mirror")
    )
    return bytes(key)


def change_key(shadow: ShadowDatabase) -> None:
    """Do what the documentation says."""
    with shadow.transaction() as tx:
        tx.run("UPDATE odoo_shadow_internal.mirror SET hash_key = DEFAULT")


def hashes(shadow: ShadowDatabase) -> dict[int, Any]:
    return column(shadow, "_sync_hash", ALL, VISITS)


# What a reader can do.

KEYLESS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda text: hashlib.sha256(text).digest(),
    "blake2b": lambda text: hashlib.blake2b(text, digest_size=16).digest(),
    "md5": lambda text: hashlib.md5(text, usedforsecurity=False).digest(),
    "no key": lambda text: hmac.new(b"", text, hashlib.sha256).digest(),
    "a key of zeros": lambda text: hmac.new(bytes(32), text, hashlib.sha256).digest(),
    "twice": lambda text: hashlib.sha256(hashlib.sha256(text).digest()).digest(),
}


def test_a_guess_of_a_hidden_column_cannot_be_confirmed(shadow: ShadowDatabase, database: str) -> None:
    columns = [Column(name, ColumnType.TEXT, name) for name in ("name", "salary")]
    table = make_table(shadow, "hr.employee", columns)
    merge(shadow, table, (7, None, "Zoë", "4711"), columns=("id", "_odoo_write_date", "name", "salary"))
    with new_role(database) as reader:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {reader}",
            "GRANT SELECT (id, _odoo_write_date, _synced_at, _sync_hash, name) ON odoo_shadow.odoo_shadow_hr_employee"
            " TO {reader}",
            reader=reader,
        )
        with psycopg.connect(as_role(database, reader)) as connection:
            ((found,),) = connection.execute("SELECT _sync_hash FROM odoo_shadow.odoo_shadow_hr_employee").fetchall()
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("SELECT salary FROM odoo_shadow.odoo_shadow_hr_employee")
    digest = bytes.fromhex(found.removeprefix("v1:"))
    right_guesses = [
        b"(odoo_shadow_hr_employee,7,,Zo\xc3\xab,4711)",
        b"(7,,Zo\xc3\xab,4711)",
        json.dumps([None, "Zoë", "4711"]).encode(),  # what up to version 4 was hashed, with blake2b
    ]
    for name, digest_of in KEYLESS.items():
        assert not any(digest_of(guess).startswith(digest) for guess in right_guesses), name
    with_key = hmac.new(key_of(shadow), right_guesses[0], hashlib.sha256).digest()
    assert with_key.startswith(digest)  # the key is all that the reader lacks


def test_readers_do_not_get_at_the_key(visiting: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    with new_role(database) as reader:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {reader}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {reader}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA odoo_shadow GRANT SELECT ON TABLES TO {reader}",
            reader=reader,
        )
        with psycopg.connect(as_role(database, reader), autocommit=True) as connection:
            for statement in (
                "SELECT hash_key FROM odoo_shadow_internal.mirror",
                "SELECT hashed_as FROM odoo_shadow_internal.table_state",
                "UPDATE odoo_shadow_internal.mirror SET hash_key = '\\x00'",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(statement)
            relations = connection.execute(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname IN ('odoo_shadow', 'public') AND c.relkind IN ('r', 'v')"
            ).fetchall()
            assert len(relations) > 10
            for (name,) in relations:
                rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.SQL(name))).fetchall()
                assert key_of(shadow).hex() not in str(rows)


def test_the_key_is_in_no_statement(shared_odoo: StandIn, database: str) -> None:
    """The server's log and `pg_stat_activity` show statements."""
    sent: list[str] = []

    class Recorder(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **named: Any) -> Any:
            sent.append(query.as_string(self) if isinstance(query, sql.Composable) else str(query))
            return super().execute(query, *args, **named)

    def connect() -> PgConnection:
        return psycopg.connect(database, cursor_factory=Recorder)

    with ShadowDatabase(connect) as shadow, source_of(shared_odoo) as source, visits(shared_odoo, ROWS):
        mirror_with(source, shadow)
        change_key(shadow)
        mirror_with(source, shadow)
        verify(source, shadow, repair=True)
        key = key_of(shadow)
    assert any("sha256" in statement for statement in sent)
    pads = [bytes(byte ^ mask for byte in key.ljust(64, b"\0")) for mask in (0x36, 0x5C)]
    assert not any(secret.hex()[:32] in statement for secret in (key, *pads) for statement in sent)


# The same for the same values.

PROTOCOLS = {"17": ("jsonrpc", "xmlrpc"), "19": ("json2", "jsonrpc", "xmlrpc")}


@pytest.mark.sampled
@pytest.mark.parametrize("model", ["res.partner", "account.move.line", "product.template", "project.task"])
def test_all_protocols_give_the_same(shared_odoo: StandIn, shadow: ShadowDatabase, model: str) -> None:
    first, *others = PROTOCOLS[shared_odoo.flavour]
    with source_of(shared_odoo, extras={"protocol": first}) as source:
        table = mirror_with(source, shadow, model=model).table
    # XML has LF alone: it is the values that differ there.
    plain = "SELECT id, _sync_hash FROM {table} t WHERE t::text !~ chr(13)"
    with shadow.transaction() as tx:
        hashed: dict[int, str] = dict(tx.run(plain, table=tx.own(table)))
    assert len(hashed) > 10
    for protocol in others:
        with source_of(shared_odoo, extras={"protocol": protocol}) as source:
            mirror_with(source, shadow, MirrorOptions(full=True), model=model)
        again = column(shadow, "_sync_hash", hashed, table)
        assert again == hashed, protocol


def test_a_first_load_is_not_hashed_again(visiting: ApiSource, shadow: ShadowDatabase) -> None:
    assert passed_over(plan(visiting, shadow)) == [VISIT]


# Made anew.


def as_version_4_left_them(shadow: ShadowDatabase) -> None:
    """Let the rows have hashes of the former kind, which nothing is noted of."""
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET _sync_hash = md5(id::text)")
    with shadow.transaction() as tx:
        tx.run("UPDATE {state} SET hashed_as = NULL", state=tx.internal("table_state"))


@pytest.mark.parametrize("change", [as_version_4_left_them, change_key])
def test_hashes_are_made_anew_without_odoo(
    shared_odoo: StandIn, shadow: ShadowDatabase, change: Callable[[ShadowDatabase], None]
) -> None:
    with (
        CountingProxy(shared_odoo) as proxy,
        source_of(shared_odoo, host=proxy.url) as source,
        visits(shared_odoo, ROWS),
    ):
        plan_and_mirror(source, shadow)
        assert passed_over(plan(source, shadow)) == [VISIT]
        before, stamps = hashes(shadow), column(shadow, "_synced_at", ALL, VISITS)
        change(shadow)
        assert work_of(plan(source, shadow, options=NO_LOOK_BACK)) == {VISIT: ANEW}
        proxy.clear()
        result = mirror_with(source, shadow, NO_LOOK_BACK)
        assert proxy.answered("search_read") == 0
        assert result.counts == RowCounts()
        assert column(shadow, "_synced_at", ALL, VISITS) == stamps
        after = hashes(shadow)
        assert all(str(made).startswith("v1:") for made in after.values())
        if change is change_key:
            assert set(after.values()).isdisjoint(before.values())
        else:
            assert after == before
        assert passed_over(plan(source, shadow)) == [VISIT]
        full = mirror_with(source, shadow, MirrorOptions(full=True))
        assert full.counts == RowCounts(unchanged=ROWS)


def test_a_row_that_the_window_holds_is_not_written_for_its_hash_alone(
    visiting: ApiSource, shared_odoo: StandIn, shadow: ShadowDatabase
) -> None:
    shared_odoo.execute(VISIT, "write", [7, 8], {"x_name": "Written"})
    assert mirror_with(visiting, shadow).counts.updated == 2
    change_key(shadow)
    shared_odoo.execute(VISIT, "write", [8], {"x_name": "Written again"})
    assert mirror_with(visiting, shadow).counts == RowCounts(updated=1, unchanged=1)


def test_a_crash_in_between_costs_only_time(
    visiting: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = hashes(shadow)
    as_version_4_left_them(shadow)
    monkeypatch.setattr(rehash, "_BATCH", 8)
    done: list[int | None] = []

    def die_in_the_third(*args: Any) -> int | None:
        if len(done) == 2:
            raise StoppedError("in the third batch")
        done.append(rehash_rows(*args))
        return done[-1]

    with monkeypatch.context() as dying, pytest.raises(StoppedError):
        dying.setattr(rehash, "rehash_rows", die_in_the_third)
        mirror_with(visiting, shadow)
    is_right = [number for number, made in hashes(shadow).items() if made == right[number]]
    assert is_right == list(range(1, 17))
    assert mirror_with(visiting, shadow).counts.written == 0
    assert hashes(shadow) == right


@pytest.mark.parametrize("excluded", [(), ("x_name",)], ids=["a column comes", "a column goes"])
def test_other_columns_have_other_hashes_at_once(
    visiting: ApiSource, shared_odoo: StandIn, shadow: ShadowDatabase, excluded: tuple[str, ...]
) -> None:
    before, stamps = hashes(shadow), column(shadow, "_synced_at", ALL, VISITS)
    if not excluded:
        shared_odoo.add_field(VISIT, "x_grade", "char", default="A")
    mirror_with(visiting, shadow, NO_LOOK_BACK, settings=ModelSettings(exclude_fields=excluded))
    after = hashes(shadow)
    assert all(str(made).startswith("v1:") for made in after.values())
    assert set(after.values()).isdisjoint(before.values())
    assert column(shadow, "_synced_at", ALL, VISITS) == stamps
    assert mirror_with(visiting, shadow, MirrorOptions(full=True)).counts == RowCounts(unchanged=ROWS)


def test_a_repaired_row_is_hashed_as_a_run_does(visiting: ApiSource, shadow: ShadowDatabase) -> None:
    right = hashes(shadow)
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'spoilt', _sync_hash = 'x' WHERE id = 7")
    assert verify(visiting, shadow, repair=True).repaired == 1
    assert hashes(shadow) == right


def test_rows_of_version_4_are_hashed_anew_from_what_they_hold(shadow: ShadowDatabase, database: str) -> None:
    with psycopg.connect(database) as connection:
        for file in ("version_4_base.sql", "version_4_tables.sql", "version_4_rows.sql"):
            connection.execute((FORMER / file).read_bytes())
    columns = [Column("name", ColumnType.TEXT, "name"), Column("parent_id", ColumnType.BIGINT, "parent_id")]
    table = make_table(shadow, columns=columns)
    (before,) = rows_of(shadow, table, ("_synced_at", "_sync_hash"))
    with hold_table(shadow, "res.partner", Run(), MirrorOptions(), {}) as hold:
        with hold.transaction() as tx:
            row_hash = RowHash.of(tx, table, columns)
            hashed_as = row_hash.outdated(tx)
        assert hashed_as is not None
        renew_hashes(hold, row_hash, hashed_as)
        with hold.transaction() as tx:
            assert row_hash.outdated(tx) is None
            hold.release(tx)
    ((stamp, made),) = rows_of(shadow, table, ("_synced_at", "_sync_hash"))
    message = f'({table},1,"2026-01-01 00:00:00+00",Zoë,)'
    assert made == "v1:" + hmac.new(key_of(shadow), message.encode(), hashlib.sha256).hexdigest()[:32] != before[1]
    assert stamp == before[0]
    same = (*row(1, "Zoë")[:1], "2026-01-01 00:00:00+00", "Zoë", None)
    listed = ("id", "_odoo_write_date", "name", "parent_id")
    assert merge(shadow, table, same, columns=listed) == RowCounts(unchanged=1)
