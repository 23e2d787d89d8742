"""Values and ids that Odoo itself would not write: they cost their own record, or are told at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.errors import OdooRecordIdError, OdooRequestError, OdooUnreadableRecordsError
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.source.reading import EVERYWHERE, Reading, Where
from odoo_stand_in import StandIn
from tests.support.running import watermark_of
from tests.support.two_sources import database_source_of

KINDS, TABLE = "x_kinds", "odoo_shadow_x_kinds"
BAD = (5, 11)
MALFORMED: dict[str, LiteralString] = {
    "19": 'UPDATE x_kinds SET x_by_company_integer = \'{"1": "many"}\' WHERE id IN (5, 11)',
    "17": (
        "INSERT INTO ir_property (name, type, fields_id, company_id, res_id, value_reference)"
        " SELECT f.name, 'many2one', f.id, NULL, 'x_kinds,' || k.id, 'res.partner,nobody' FROM x_kinds k,"
        " ir_model_fields f WHERE f.model = 'x_kinds' AND f.name = 'x_by_company_many2one' AND k.id IN (5, 11);"
        "DELETE FROM ir_property WHERE name = 'x_by_company_many2one' AND res_id IN ('x_kinds,5', 'x_kinds,11')"
        " AND company_id IS NOT NULL"
    ),
}
MENDED: dict[str, LiteralString] = {
    "19": "UPDATE x_kinds SET x_by_company_integer = NULL WHERE id IN (5, 11)",
    "17": "DELETE FROM ir_property WHERE value_reference = 'res.partner,nobody'",
}
SPOILED_ALL: dict[str, LiteralString] = {
    "19": 'UPDATE x_kinds SET x_by_company_integer = \'{"1": "many"}\'',
    "17": "UPDATE ir_property SET value_reference = 'res.partner,nobody' WHERE name = 'x_by_company_many2one'",
}
FIELD = {"19": "x_by_company_integer", "17": "x_by_company_many2one"}
COPIED = ModelSettings(exclude_fields=("x_properties", "x_properties_definition"))


@pytest.fixture
def odoo(awkward_odoo: StandIn) -> Iterator[StandIn]:
    """A stand-in whose rows of every kind, and their values by company, a test may spoil."""
    tables = ("x_kinds", "ir_property") if awkward_odoo.flavour == "17" else ("x_kinds",)
    with psycopg.connect(awkward_odoo.dsn, autocommit=True) as connection:
        for table in tables:
            connection.execute(_keep(table))
        yield awkward_odoo
        with connection.transaction():
            for table in tables:
                connection.execute(_put_back(table))


def _keep(table: str) -> sql.Composed:
    return sql.SQL("CREATE TABLE {} AS TABLE {}").format(sql.Identifier(f"kept_{table}"), sql.Identifier(table))


def _put_back(table: str) -> sql.Composed:
    """Return what makes a table's rows what they were, whatever points to them."""
    return sql.SQL(
        "SET LOCAL session_replication_role TO replica; DELETE FROM {0}; INSERT INTO {0} TABLE {1}; DROP TABLE {1}"
    ).format(sql.Identifier(table), sql.Identifier(f"kept_{table}"))


def spoil(odoo: StandIn, *statements: LiteralString) -> None:
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def source_of_tables(odoo: StandIn) -> Iterator[DatabaseSource]:
    with database_source_of(odoo) as source:
        yield source


def mirror(
    source: DatabaseSource, shadow: ShadowDatabase, model: str = KINDS, settings: ModelSettings = COPIED
) -> MirrorResult:
    options = MirrorOptions(batch_size=4, wait=timedelta(0))
    return mirror_model(source, shadow, model, run=Run(), options=options, settings=settings)


def ids_in(shadow: ShadowDatabase) -> set[int]:
    with shadow.transaction() as tx:
        return {number for (number,) in tx.run("SELECT id FROM {table}", table=tx.own(TABLE))}


@pytest.mark.both_flavours
@pytest.mark.parametrize("settings", [COPIED, ModelSettings()], ids=["text for COPY", "records"])
def test_a_value_that_is_not_of_its_type_costs_its_record_only(
    settings: ModelSettings, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    spoil(odoo, *MALFORMED[odoo.flavour].split(";"))
    with source_of_tables(odoo) as source:
        everything = source.ids(Reading(KINDS, ("id",)))
        told = rf"x_kinds: Odoo cannot give the records 5, 11; all others .* \({FIELD[odoo.flavour]}\)"
        with pytest.raises(OdooUnreadableRecordsError, match=told):
            mirror(source, shadow, settings=settings)
        assert ids_in(shadow) == everything - set(BAD)
        mark, dates = watermark_of(shadow, TABLE), source.dates(KINDS, BAD, made=False)
        assert mark is not None and mark.last_write_date == min(
            moment for item in dates.values() if (moment := item.written_at)
        )
        spoil(odoo, *MENDED[odoo.flavour].split(";"))
        mirror(source, shadow, settings=settings)
        assert ids_in(shadow) == everything


def test_all_others_come_as_text_for_copy(odoo: StandIn) -> None:
    spoil(odoo, *MALFORMED[odoo.flavour].split(";"))
    with source_of_tables(odoo) as source:
        reading = Reading(KINDS, ("id", "x_name", FIELD[odoo.flavour]))
        pages = list(source.copy_pages(reading, EVERYWHERE, after_id=0, up_to_id=100, page_size=4) or ())
        texts = [page.text for page in pages if isinstance(page, CopyPage)]
        copied = [int(line.split()[0]) for text in texts for line in text.split(b"\n")[:-1]]
        assert copied == sorted(source.ids(reading) - set(BAD))
        assert [page.unreadable.id for page in pages if isinstance(page, Page) and page.unreadable] == list(BAD)
        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


def test_if_most_records_have_such_a_value_something_else_is_wrong(odoo: StandIn, shadow: ShadowDatabase) -> None:
    spoil(odoo, "INSERT INTO x_kinds (x_name) SELECT 'added' FROM generate_series(1, 30)", SPOILED_ALL[odoo.flavour])
    with source_of_tables(odoo) as source, pytest.raises(OdooRequestError, match=r"'odoo_db': x_kinds: a value in its"):
        mirror(source, shadow)
    assert ids_in(shadow) == set()


@pytest.fixture
def views(awkward_odoo: StandIn) -> Iterator[StandIn]:
    """A stand-in with views that have ids of all kinds."""
    for name, (record_id, rows, _) in IDS.items():
        awkward_odoo.add_view(name, _VIEW.replace("<id>", record_id).replace("<rows>", str(rows)))
    yield awkward_odoo
    for name in IDS:
        awkward_odoo.uninstall(name)


_NO_INTEGER = "x_of_.* has a record whose id is not an integer"
_TWICE = "x_twice has more than one record with the id 1"
# By name: the id, as SQL; how many rows there are; why it is refused.
IDS: dict[str, tuple[str, int, str | None]] = {
    "x_of_text": ("'no. ' || n", 3, _NO_INTEGER),
    "x_of_fractions": ("n / 2.0", 3, _NO_INTEGER),
    "x_twice": ("n % 4", 5, _TWICE),
    "x_numeric": ("n::numeric", 13, None),
    "x_doubles": ("n::float8 - 9", 13, None),
    "x_far_below": ("n - 4000000000", 13, None),
    "x_without": ("nullif(n, 1)", 14, None),
}
_VIEW = (
    "SELECT <id> AS id, 'a' AS x_name, now()::timestamp AS create_date, 1 AS create_uid,"
    " now()::timestamp AS write_date, 1 AS write_uid FROM generate_series(1, <rows>) n"
)
VIEW_ROWS = 13


def test_views_are_read_if_their_ids_are_integers(views: StandIn, shadow: ShadowDatabase) -> None:
    with database_source_of(views) as source:
        for name, (_, _, refused) in IDS.items():
            reading = Reading(name, ("id", "x_name"))
            if name == "x_without":
                assert (source.count(reading), source.count_all(reading)) == (VIEW_ROWS, VIEW_ROWS + 1)
                assert (source.count_without_id(reading), len(source.ids(reading))) == (1, VIEW_ROWS)
                continue
            if refused is None:
                assert source.count_without_id(reading) == 0
                assert mirror(source, shadow, name, ModelSettings()).counts.inserted == VIEW_ROWS, name
                assert len(source.ids(reading, Where(after_id=-(2**40)))) == source.count(reading) == VIEW_ROWS
                continue
            with pytest.raises(OdooRecordIdError, match=refused):
                mirror(source, shadow, name, ModelSettings())
            with pytest.raises(OdooRecordIdError, match=refused):
                source.ids(reading)
