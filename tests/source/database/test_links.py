"""The links of many2many fields: read for a whole range at once, they are those of each of its records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.pages import CopyPage
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Reading, Where
from odoo_shadow.source.types import Domain
from odoo_stand_in import StandIn
from tests.support.flavours import FLAVOURS, Flavour
from tests.support.two_sources import database_source_of

KINDS, FIELD = "x_kinds", "x_partner_ids"
READING = Reading(KINDS, ("id", FIELD))
FIRST, LAST = 1, 40
GONE = 10_000
MANY, FEW = 2**30, 50


@pytest.fixture(scope="module", params=FLAVOURS)
def odoo(request: pytest.FixtureRequest, postgres: str) -> Iterator[StandIn]:
    """A stand-in with links as Odoo makes them, and as SQL may leave them without Odoo's constraints."""
    flavour: Flavour = request.param
    running = StandIn(postgres, flavour=flavour, database=f"links{flavour}", scale=0.1, schema="tables", copied=True)
    with running, psycopg.connect(running.dsn, autocommit=True) as connection:
        table, own, other = map(sql.Identifier, link_of(running))
        for (name,) in connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass", (link_of(running)[0],)
        ).fetchall():
            connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(name)))
        for column in (own, other):
            connection.execute(sql.SQL("ALTER TABLE {} ALTER {} DROP NOT NULL").format(table, column))
        connection.execute(sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = false)").format(table))
        connection.execute(
            sql.SQL(
                "INSERT INTO {table} ({own}, {other}) SELECT * FROM (VALUES ({first}, 9), ({first}, 3), ({first}, 9),"
                " ({first}, NULL), (NULL, 5), ({gone}, 4), (0, 4), (-1, 4)) AS made"
                " UNION ALL SELECT {last}, n FROM generate_series(20, 1, -1) AS n"
            ).format(table=table, own=own, other=other, first=FIRST, last=LAST, gone=GONE)
        )
        yield running


def link_of(odoo: StandIn) -> tuple[str, str, str]:
    """Return the table of the links and its columns: of this model, of the other one."""
    field = odoo.registry.models[KINDS].fields[FIELD]
    assert field.rel_table and field.rel_own and field.rel_other
    return field.rel_table, field.rel_own, field.rel_other


def add_many(odoo: StandIn) -> None:
    """Add records and links with ids beyond all that PostgreSQL has statistics of."""
    table, own, other = map(sql.Identifier, link_of(odoo))
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER TABLE x_kinds SET (autovacuum_enabled = false)"))
        connection.execute(sql.SQL("ANALYZE x_kinds, {}").format(table))
        connection.execute(
            sql.SQL(
                "INSERT INTO x_kinds (id, x_name) SELECT {many} + n, 'new' FROM generate_series(1, {few}) AS n;"
                " INSERT INTO {table} ({own}, {other}) SELECT {many} + n, 1 FROM generate_series(1, {few}) AS n"
            ).format(table=table, own=own, other=other, many=MANY, few=FEW)
        )


def copied(source: DatabaseSource, after_id: int, up_to_id: int) -> dict[int, list[int]]:
    """Return the links of a range, read all at once."""
    found: dict[int, list[int]] = {}
    for page in source.copy_pages(READING, EVERYWHERE, after_id=after_id, up_to_id=up_to_id, page_size=7) or ():
        assert isinstance(page, CopyPage)
        for line in page.text.decode().splitlines():
            number, links = line.split("\t")
            found[int(number)] = [int(one) for one in links.strip("{}").split(",") if one]
    return found


def one_by_one(source: DatabaseSource, after_id: int, up_to_id: int) -> dict[int, list[int]]:
    """Return the same, asked for record by record."""
    pages = source.pages(READING, after_id=after_id, up_to_id=up_to_id, page_size=7)
    return {int(str(record["id"])): record[FIELD] for page in pages for record in page.records}  # type: ignore[misc]


@pytest.mark.parametrize(
    ("after_id", "up_to_id"),
    [(BEFORE_ALL, 2**40), (BEFORE_ALL, 0), (-2, 1), (0, 1), (1, 5), (LAST - 1, LAST), (LAST, GONE), (2**40, 2**41)],
)
def test_a_range_has_the_links_of_its_records(odoo: StandIn, after_id: int, up_to_id: int) -> None:
    with database_source_of(odoo) as source:
        found = copied(source, after_id, up_to_id)
        assert found == one_by_one(source, after_id, up_to_id)
    for number, added in ((FIRST, {3, 9}), (LAST, {*range(1, 21)})):
        assert number not in found or (added <= {*found[number]} and found[number] == sorted({*found[number]}))


def plan_of(odoo: StandIn, where: Where = EVERYWHERE, domain: Domain = (), *, after_id: int = BEFORE_ALL) -> str:
    """Return how PostgreSQL reads links."""
    plans: list[str] = []

    class ExplainingCursor(psycopg.Cursor[TupleRow]):
        def copy(self, statement: Any, *arguments: Any, **named: Any) -> Any:
            query = statement.as_string(self).removeprefix("COPY (").removesuffix(") TO STDOUT")
            with self.connection.cursor() as cursor:
                plans.append("\n".join(line for (line,) in cursor.execute("EXPLAIN " + query).fetchall()))
            return super().copy(statement, *arguments, **named)

    def connect() -> psycopg.Connection[TupleRow]:
        return psycopg.connect(odoo.dsn, cursor_factory=ExplainingCursor)

    reading = replace(READING, domain=domain)
    with DatabaseSource(OdooDatabase("odoo_db", connect)) as source:
        assert list(source.copy_pages(reading, where, after_id=after_id, up_to_id=2**40, page_size=7) or ())
    (plan,) = plans
    return plan


def test_links_are_not_gone_through_record_by_record(odoo: StandIn) -> None:
    """PostgreSQL thinks that there are none of what has come since a table was last analyzed."""
    add_many(odoo)
    with database_source_of(odoo) as source:
        assert len(copied(source, MANY, 2**40)) == FEW
    plan, own = plan_of(odoo, after_id=MANY), link_of(odoo)[1]
    assert "Merge" in plan and "Nested Loop" not in plan and "SubPlan" not in plan, plan
    assert f"({own} > {MANY})" in plan and f"({own} <= " in plan, plan


@pytest.mark.parametrize(
    ("where", "domain"),
    [
        (Where(written_since=datetime(2024, 2, 29, tzinfo=UTC)), ()),
        (Where(ids=(FIRST, LAST)), ()),
        (EVERYWHERE, (("x_name", "=", "nobody"),)),
    ],
)
def test_links_of_a_few_records_are_looked_up(odoo: StandIn, where: Where, domain: Domain) -> None:
    plan = plan_of(odoo, where, domain)
    assert "SubPlan" in plan and "Join" not in plan, plan


def test_links_between_other_than_whole_numbers_are_looked_up(odoo: StandIn) -> None:
    table, own, _ = map(sql.Identifier, link_of(odoo))
    change = sql.SQL("ALTER TABLE {} ALTER {} TYPE {}")
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        connection.execute(change.format(table, own, sql.SQL("double precision")))
        try:
            assert "SubPlan" in plan_of(odoo)
        finally:
            connection.execute(change.format(table, own, sql.SQL("integer")))
