"""Values that are told apart by a hair, read by API, as records of the database, and as its text for COPY."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.port import Source
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.flavours import FLAVOURS, Flavour
from tests.support.two_sources import database_source_of

KINDS, TABLE = "x_kinds", "odoo_shadow_x_kinds"
COPIED = ModelSettings(exclude_fields=("x_properties", "x_properties_definition", "x_partner_ids"), all_languages=False)
"""All fields that may be copied; of many2many the API lists less."""

# By field, as SQL; what the shadow then holds, as PostgreSQL writes it.
SAME: dict[str, dict[str, str | None]] = {
    "x_float": {
        "'-0'": "0",
        "'NaN'": "NaN",
        "'-Infinity'": "-Infinity",
        "5e-324": "5e-324",
        "0.1::float8 + 0.2": "0.30000000000000004",
        "1e15": "1e+15",
        "NULL": "0",
    },
    "x_float_digits": {"'NaN'": "NaN", "1.10": "1.1", "100.000": "100", "-0.00": "0", "NULL": "0"},
    "x_float_exact": {"0.1000": "0.1", "123456789012345": "123456789012345", "1e-30": f"0.{'0' * 29}1"},
    "x_monetary": {"1234.5600": "1234.56", "-0.005": "-0.005"},
    "x_integer": {"NULL": "0", "-2147483648": "-2147483648"},
    "x_boolean": {"NULL": "false", "true": "true"},
    "x_date": {
        "'0001-01-01'": "0001-01-01",
        "'0044-03-15'": "0044-03-15",
        "'infinity'": "9999-12-31",
        "'-infinity'": "0001-01-01",
        "NULL": None,
    },
    "x_datetime": {
        "'0999-12-31 23:59:59.999999'": "0999-12-31 23:59:59+00",
        "'2024-02-29 12:00:00.5'": "2024-02-29 12:00:00+00",
        "'1969-12-31 23:59:59.9'": "1969-12-31 23:59:59+00",
        "'infinity'": "9999-12-31 23:59:59+00",
        "'-infinity'": "0001-01-01 00:00:00+00",
        "NULL": None,
    },
    "x_text": {"''": "", "' '": " ", "NULL": None, "E'tab\\tback\\\\N'": "tab\tback\\N"},
    "x_html": {"''": "", "'<p>a</p>'": "<p>a</p>"},
    "x_selection": {"'no choice'": "no choice"},
    "x_reference": {
        "'res.partner,0'": None,
        "''": None,
        "'res.partner, 7'": "res.partner,7",
        "E'res.partner,+1_0\\n'": "res.partner,10",
        "'res.partner,-007'": "res.partner,-7",
        "'res.partner,99999999999999999999'": "res.partner,99999999999999999999",
        "NULL": None,
    },
    "x_title": {
        "'{}'": None,
        "'null'": None,
        """'{"fr_FR": "seul"}'""": None,
        """'{"en_US": ""}'""": "",
        """'{"en_US": null}'""": None,
    },
    "x_json": {
        "'false'": None,
        "'null'": None,
        "'0'": "0",
        """'""'""": '""',
        "'[]'": "[]",
        """'{"1": 100.00, "2": 33.330, "3": 7}'""": '{"1": 100.0, "2": 33.33, "3": 7}',
        """'{"a": 0.30000000000000001, "b": 33.3333333333333333333, "c": 1.00000000000000000001}'""": (
            '{"a": 0.3, "b": 33.333333333333336, "c": 1.0}'
        ),
        """'{"deep": [1.50, {"x": 2.500, "y": "2.500 \\" 3.10"}], "z": 10.0, "w": 20}'""": (
            '{"w": 20, "z": 10.0, "deep": [1.5, {"x": 2.5, "y": "2.500 \\" 3.10"}]}'
        ),
        """'{"a": "1.100"}'""": '{"a": "1.100"}',
        """'{"a": 9007199254740993}'""": '{"a": 9007199254740993}',
    },
}
# Where Odoo's API fails.
NO_REFERENCES = (
    *("res.partner", "res.partner,", "res.partner,a", "res.partner,1,2", "res.partner,_1", "x.gone,7"),
    *(",", ",5"),
)
# What Odoo itself rounds, since it reads each number as a double.
BEYOND_DOUBLES = {
    "x_float_exact": "12345678901234567890.123456789",
    "x_monetary": "0.1234567890123456789",
    "x_float_digits": "9007199254740993.001",
}


@pytest.fixture(params=FLAVOURS)
def kinds(request: pytest.FixtureRequest, awkward_odoos: dict[Flavour, StandIn]) -> Iterator[StandIn]:
    """A stand-in whose rows of every kind a test may add to."""
    odoo = awkward_odoos[request.param]
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        ((highest,),) = connection.execute("SELECT max(id) FROM x_kinds").fetchall()
        yield odoo
        connection.execute("DELETE FROM x_kinds WHERE id > %s", (highest,))


def add(odoo: StandIn, **fields: str) -> int:
    """Add a row with values that are given as SQL; return its id."""
    names, values = zip(*fields.items(), strict=True)
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        rows = connection.execute(
            sql.SQL("INSERT INTO x_kinds (x_name, write_date, {}) VALUES ('added', now(), {}) RETURNING id").format(
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.SQL(", ").join(map(sql.SQL, values)),
            )
        ).fetchall()
    return int(rows[0][0])


def mirror(source: Source, shadow: ShadowDatabase, settings: ModelSettings = COPIED, *, full: bool = True) -> RowCounts:
    options = MirrorOptions(full=full, wait=timedelta(0))
    return mirror_model(source, shadow, KINDS, run=Run(), options=options, settings=settings).counts


def cells(shadow_url: str, name: str) -> dict[int, str | None]:
    statement = sql.SQL("SELECT id, {}::text FROM odoo_shadow.odoo_shadow_x_kinds").format(sql.Identifier(name))
    with psycopg.connect(shadow_url, options="-c TimeZone=UTC") as connection:
        return {int(number): cell for number, cell in connection.execute(statement).fetchall()}


@contextmanager
def only_records(source: DatabaseSource) -> Iterator[DatabaseSource]:
    """Let a source give records, and no text for COPY."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "copy_pages", lambda *_args, **_named: None)
        yield source


def test_every_way_of_reading_leaves_the_same_in_the_shadow(
    kinds: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    added = {(name, value): add(kinds, **{name: value}) for name, values in SAME.items() for value in values}
    with database_source_of(kinds) as odoo:
        mirror(odoo, shadow, full=False)
        for name, values in SAME.items():
            found = cells(database, name)
            assert {value: found[added[name, value]] for value in values} == values, name
        with only_records(odoo):
            assert mirror(odoo, shadow).written == 0


def test_a_text_that_is_no_reference_is_left_as_it_is(kinds: StandIn, shadow: ShadowDatabase, database: str) -> None:
    added = [add(kinds, x_reference=f"'{text}'") for text in NO_REFERENCES]
    with database_source_of(kinds) as odoo:
        mirror(odoo, shadow, full=False)
    found = cells(database, "x_reference")
    assert tuple(found[number] for number in added) == NO_REFERENCES


def test_a_change_of_the_source_writes_no_row(kinds: StandIn, shadow: ShadowDatabase, database: str) -> None:
    """But where Odoo has rounded a number, which the database has exactly; it cannot write what it has read so."""
    for name, values in SAME.items():
        for value in values:
            if "infinity" not in value:  # which the stand-in cannot read
                add(kinds, **{name: value})
    exact = {name: add(kinds, **{name: value}) for name, value in BEYOND_DOUBLES.items()}
    with source_of(kinds) as api, database_source_of(kinds) as odoo:
        mirror(api, shadow, full=False)
        rounded = {name: cells(database, name)[number] for name, number in exact.items()}
        assert mirror(odoo, shadow) == RowCounts(updated=len(exact), unchanged=mirrored(database) - len(exact))
        assert {name: cells(database, name)[number] for name, number in exact.items()} == BEYOND_DOUBLES
        assert mirror(api, shadow).updated == len(exact)
        assert {name: cells(database, name)[number] for name, number in exact.items()} == rounded


def mirrored(shadow_url: str) -> int:
    return len(cells(shadow_url, "id"))
