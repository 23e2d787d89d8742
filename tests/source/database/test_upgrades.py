"""A module is upgraded while its tables are read: what was read is right, or nothing was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import LiteralString, TypeVar

import psycopg
import pytest

from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.pages import CopyPage
from odoo_shadow.source.reading import EVERYWHERE, Reading
from odoo_stand_in import StandIn
from tests.support.two_sources import database_source_of
from tests.support.waiting import wait_until_blocked

MODEL, TABLE, ROWS = "x_upgraded", "x_upgraded", 3000
READING = Reading(MODEL, ("id", "x_name", "x_size", "x_tag_ids"))
Answer = TypeVar("Answer")


@pytest.fixture
def upgraded(awkward_odoo: StandIn) -> Iterator[StandIn]:
    """A stand-in with a model of this test's own, of some thousand records."""
    awkward_odoo.add_model(
        MODEL,
        {
            "x_name": "char",
            "x_size": "integer",
            "x_spare": "integer",
            "x_tag_ids": {
                "type": "many2many",
                "relation": "res.partner",
                "rel_table": "x_upgraded_tags",
                "rel_own": "own",
                "rel_other": "other",
            },
        },
    )
    run(
        awkward_odoo,
        "INSERT INTO x_upgraded (x_name, x_size) SELECT 'no. ' || n, n FROM generate_series(1, 3000) n",
        "INSERT INTO x_upgraded_tags SELECT id, 7 FROM x_upgraded",
    )
    yield awkward_odoo
    awkward_odoo.uninstall(MODEL)
    run(awkward_odoo, "DROP TABLE IF EXISTS x_upgraded_tags")


@pytest.fixture
def source(upgraded: StandIn) -> Iterator[DatabaseSource]:
    with database_source_of(upgraded) as opened:
        opened.describe(MODEL)
        yield opened


def run(odoo: StandIn, *statements: LiteralString) -> None:
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def asked_during(odoo: StandIn, statement: LiteralString, ask: Callable[[], Answer]) -> Answer:
    """Ask while an upgrade is at work on a table, and let it end when the question waits for it."""
    with ThreadPoolExecutor(1) as pool, psycopg.connect(odoo.dsn) as upgrade:
        upgrade.execute(statement)
        asked: Future[Answer] = pool.submit(ask)
        wait_until_blocked(odoo.dsn)
        upgrade.commit()
        return asked.result(60)


def records(source: DatabaseSource, page_size: int = 2000) -> list[dict[str, object]]:
    pages = source.pages(READING, EVERYWHERE, up_to_id=ROWS, page_size=page_size)
    return [dict(record) for page in pages for record in page.records]


def copied(source: DatabaseSource) -> Iterator[CopyPage]:
    """Yield the pages of text for COPY, of 500 records each."""
    pages = source.copy_pages(READING, EVERYWHERE, after_id=0, up_to_id=ROWS, page_size=500)
    assert pages is not None
    for page in pages:
        assert isinstance(page, CopyPage)
        yield page


REWRITTEN: LiteralString = "ALTER TABLE x_upgraded ALTER x_spare TYPE bigint"
QUESTIONS: dict[str, Callable[[DatabaseSource], int]] = {
    "count": lambda source: source.count(READING),
    "ids": lambda source: len(source.ids(READING)),
    "highest": lambda source: source.highest_id(READING) or 0,
    "versions": lambda source: versions.rows if (versions := source.versions(READING)) else 0,
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_table_that_is_written_anew_is_not_empty(what: str, upgraded: StandIn, source: DatabaseSource) -> None:
    """PostgreSQL shows it as empty to whoever took a snapshot before and reads it after."""
    assert asked_during(upgraded, REWRITTEN, lambda: QUESTIONS[what](source)) == ROWS


def test_neither_are_links(upgraded: StandIn, source: DatabaseSource) -> None:
    found = asked_during(upgraded, "ALTER TABLE x_upgraded_tags ALTER other TYPE bigint", lambda: records(source))
    assert [record["x_tag_ids"] for record in found] == [[7]] * ROWS


@pytest.mark.parametrize("statement", [REWRITTEN, "ALTER TABLE x_upgraded_tags ALTER other TYPE bigint"])
def test_nor_is_a_table_that_was_written_anew_since_the_moment_of_a_run(
    statement: LiteralString, upgraded: StandIn, source: DatabaseSource
) -> None:
    with source.one_moment():
        run(upgraded, "INSERT INTO x_upgraded (x_name) VALUES ('later')")
        assert source.count(READING) == ROWS
        run(upgraded, statement)
        source.describe(MODEL)
        assert [record["x_tag_ids"] for record in records(source)] == [[7]] * ROWS
        assert source.count(READING) == ROWS + 1  # the moment is over, which is said


CHANGES: dict[str, tuple[LiteralString, LiteralString]] = {
    "dropped": ("ALTER TABLE x_upgraded DROP x_name", "x_name"),
    "renamed": ("ALTER TABLE x_upgraded RENAME x_name TO x_title", "x_name"),
    "translated": ("ALTER TABLE x_upgraded ALTER x_name TYPE jsonb USING to_jsonb(x_name)", "x_name"),
    "another of that name": (
        "ALTER TABLE x_upgraded ADD x_other varchar; ALTER TABLE x_upgraded RENAME x_name TO x_former;"
        "ALTER TABLE x_upgraded RENAME x_other TO x_name",
        "x_name",
    ),
    "of another type": ("ALTER TABLE x_upgraded ALTER x_size TYPE varchar USING 'size ' || x_size", "x_size"),
    "table gone": ("DROP TABLE x_upgraded", "x_upgraded"),
    "links gone": ("DROP TABLE x_upgraded_tags", "x_upgraded_tags"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_longer_as_it_was_described_is_not_read(
    change: str, upgraded: StandIn, source: DatabaseSource
) -> None:
    statement, named = CHANGES[change]
    run(upgraded, *statement.split(";"))
    for read in (lambda: records(source), lambda: list(copied(source))):
        with pytest.raises(OdooServerError, match=rf"'odoo_db': x_upgraded: its table is not .*{named}.*upgraded"):
            read()
    if change in ("dropped", "renamed", "of another type"):
        assert "x_tag_ids" in {field.name for field in source.describe(MODEL)}  # as it is now
        assert len(source.ids(READING)) == ROWS


def test_a_page_later_a_column_is_another_one(upgraded: StandIn, source: DatabaseSource) -> None:
    pages = source.pages(READING, EVERYWHERE, up_to_id=ROWS, page_size=1000)
    assert next(pages).last_id == 1000
    run(upgraded, "ALTER TABLE x_upgraded ALTER x_size TYPE varchar USING 'size ' || x_size")
    with pytest.raises(OdooServerError, match="x_size is another one"):
        next(pages)
    assert source.count(READING) == len(source.ids(READING)) == ROWS  # which does not ask for it


def test_an_upgrade_waits_for_the_end_of_a_stream(upgraded: StandIn, source: DatabaseSource) -> None:
    pages = copied(source)
    first = next(pages)
    with ThreadPoolExecutor(1) as pool:
        upgrade = pool.submit(run, upgraded, "ALTER TABLE x_upgraded DROP x_name")
        wait_until_blocked(upgraded.dsn)
        rest = list(pages)
        upgrade.result(60)
    assert first.text.count(b"\n") + sum(page.text.count(b"\n") for page in rest) == ROWS
    with pytest.raises(OdooServerError, match="upgraded meanwhile"):
        list(copied(source))


def test_whoever_reads_lets_an_upgrade_win(upgraded: StandIn, source: DatabaseSource) -> None:
    """Two sessions that wait for each other: PostgreSQL ends the one that looks first, and that is not the upgrade."""
    with psycopg.connect(upgraded.dsn) as upgrade, ThreadPoolExecutor(1) as pool:
        upgrade.execute("LOCK TABLE x_upgraded_tags IN ACCESS EXCLUSIVE MODE")
        reading = pool.submit(records, source)
        wait_until_blocked(upgraded.dsn)
        upgrade.execute("SET LOCAL deadlock_timeout TO '20s'")
        upgrade.execute("LOCK TABLE x_upgraded IN ACCESS EXCLUSIVE MODE")  # which who reads holds by now
        upgrade.rollback()
        assert len(reading.result(60)) == ROWS
