"""Values that Odoo sends as another text or number than is meant, over every protocol, and verify's second look."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.shape import conversions
from odoo_shadow.mirror.shape.conversions import Convert
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.field_types import FIELD_TYPES
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.tables.present import present_columns
from odoo_shadow.shadow.tables.row_hash import RowHash, rehash_rows
from odoo_shadow.shadow.tables.staging import Cell
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.types import Json
from odoo_stand_in import StandIn
from odoo_stand_in.invented.awkward import KINDS
from tests.support.clients import source_of
from tests.support.counting import in_odoo, mirror_with
from tests.support.verifying import found_by, verify

pytestmark = pytest.mark.both_flavours

TABLE = "odoo_shadow_x_kinds"
SECRET = "a key that nobody guesses"
ODD = ModelSettings(domain=(["id", ">", 20],), all_companies=True, all_languages=True)
LONG_AGO, LARGE, HALF_LARGE = 21, 22, 23  # new rows
ODD_ROWS = f"""
ALTER TABLE x_kinds ALTER x_integer TYPE bigint, ALTER x_res_id TYPE bigint, ALTER x_partner_id TYPE bigint;
INSERT INTO x_kinds (id, x_name, x_date, x_datetime, create_date, write_date, x_json)
VALUES ({LONG_AGO}, 'long ago', '0024-05-13', '0999-12-31 23:59:59.9', '0001-01-01', '0024-02-29 01:02:03', '0');
INSERT INTO x_kinds (id, x_name, x_integer, x_res_id, x_float, x_float_digits, x_monetary, x_json)
VALUES ({LARGE}, 'large', 3000000000, 2147483648, 'Infinity', 'NaN', '-Infinity', '""'),
({HALF_LARGE}, 'half', 9007199254740991, -3, '-Infinity', 12345678901234567890.123456789, 'NaN', '[]');
"""  # noqa: S608
MEANT: dict[int, dict[str, str]] = {
    LONG_AGO: {
        "x_date": "0024-05-13",
        "x_datetime": "0999-12-31 23:59:59+00",
        "create_date": "0001-01-01 00:00:00+00",
        "_odoo_write_date": "0024-02-29 01:02:03+00",
        "x_json": "0",
    },
    LARGE: {
        "x_integer": "3000000000",
        "x_res_id": "2147483648",
        "x_float": "Infinity",
        "x_float_digits": "NaN",
        "x_monetary": "-Infinity",
        "x_json": '""',
    },
    HALF_LARGE: {
        "x_integer": "9007199254740991",
        "x_res_id": "-3",
        "x_float": "-Infinity",
        "x_float_digits": "12345678901234567000",  # the double that Odoo sends
        "x_monetary": "NaN",
        "x_json": "[]",
    },
}


@dataclass(frozen=True)
class Spoken:
    """A server with odd rows, as a source."""

    odoo: StandIn
    source: ApiSource
    protocol: str


@pytest.fixture
def odd(awkward_odoo: StandIn) -> Iterator[StandIn]:
    in_odoo(awkward_odoo, ODD_ROWS)
    yield awkward_odoo
    in_odoo(awkward_odoo, "DELETE FROM x_kinds WHERE id > 20")


@pytest.fixture(params=["jsonrpc", "xmlrpc", "json2"])
def spoken(request: pytest.FixtureRequest, odd: StandIn) -> Iterator[Spoken]:
    if request.param == "json2" and odd.flavour == "17":
        pytest.skip("17 has no JSON-2")
    extras = {"protocol": request.param, "hash_secret": SECRET}
    with source_of(odd, password=odd.api_key, extras=extras) as source:
        yield Spoken(odd, source, request.param)


def texts(shadow: ShadowDatabase, numbers: Any = tuple(MEANT)) -> dict[int, dict[str, str | None]]:
    """All columns of some rows, as PostgreSQL writes them."""
    with shadow.transaction() as tx:
        names = list(present_columns(tx, TABLE))
        as_text = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
        rows = tx.run(
            "SELECT {all} FROM {table} WHERE id = ANY({ids})", all=as_text, table=tx.own(TABLE), ids=list(numbers)
        )
    return {int(row[names.index("id")]): dict(zip(names, row, strict=True)) for row in rows}


@pytest.mark.sampled
def test_values_are_what_odoo_means_over_every_protocol(spoken: Spoken, shadow: ShadowDatabase) -> None:
    result = mirror_with(spoken.source, shadow, model=KINDS, settings=ODD)
    found = texts(shadow)
    for number, row in MEANT.items():
        assert {name: found[number][name] for name in row} == row
    again = mirror_with(spoken.source, shadow, model=KINDS, settings=ODD)
    assert (result.counts.inserted, again.counts.written) == (len(MEANT), 0)
    assert found_by(verify(spoken.source, shadow, model=KINDS)) == {}


def test_every_protocol_stores_the_same(odd: StandIn, shadow: ShadowDatabase) -> None:
    written: list[int] = []
    for protocol in ("jsonrpc", "xmlrpc", "jsonrpc"):
        with source_of(odd, password=odd.password, extras={"protocol": protocol}) as source:
            result = mirror_with(source, shadow, MirrorOptions(full=True), model=KINDS, settings=ODD)
            written.append(result.counts.written)
    assert written == [len(MEANT), 0, 0]


@pytest.mark.sampled
def test_hashes_are_made_of_what_is_meant(spoken: Spoken, shadow: ShadowDatabase) -> None:
    """So equal values have equal hashes, however Odoo spells them."""
    names = ("x_date", "x_datetime", "x_integer", "x_float")
    mirror_with(spoken.source, shadow, model=KINDS, settings=ODD.model_copy(update={"hashed_fields": names}))
    found, wanted = texts(shadow), {LONG_AGO: ("x_date", "x_datetime"), LARGE: ("x_integer",)}
    for number, fields in wanted.items():
        for name in fields:
            message = f"{name}\0{MEANT[number][name]}".encode()
            assert found[number][name] == hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    assert found_by(verify(spoken.source, shadow, model=KINDS)) == {}


WRONG = [
    (LONG_AGO, "x_date = '2024-05-13'"),  # as PostgreSQL reads Odoo's text
    (LONG_AGO, "x_datetime = x_datetime + interval '1000 years'"),
    (LONG_AGO, "_odoo_write_date = _odoo_write_date + interval '1 second'"),
    (LONG_AGO, "x_json = '1'"),
    (LARGE, "x_integer = 2147483647"),
    (LARGE, "x_res_id = x_res_id + 1"),
    (LARGE, "x_float = 1.7976931348623157e308"),
    (LARGE, "x_monetary = NULL"),
    (LARGE, "x_boolean = true"),
    (LARGE, "x_partner_ids = '{1}'"),
    (LARGE, "x_by_company_integer__companies = '{}'"),
    (HALF_LARGE, "x_integer = 9007199254740992"),
    (HALF_LARGE, "x_monetary = 'Infinity'"),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("number", "wrong"), WRONG, ids=lambda item: str(item)[:30])
def test_verify_notices_a_wrong_value_though_its_hash_is_right(
    odd: StandIn, shadow: ShadowDatabase, database: str, number: int, wrong: str
) -> None:
    with source_of(odd) as source, psycopg.connect(database, autocommit=True) as stranger:
        mirror_with(source, shadow, model=KINDS, settings=ODD)
        columns = [item.column for item in read_layout(source, KINDS, ODD).columns]
        stranger.execute(f"UPDATE odoo_shadow.{TABLE} SET {wrong} WHERE id = {number}".encode())  # noqa: S608
        with shadow.transaction() as tx:
            rehash_rows(tx, RowHash.of(tx, TABLE, columns), None, limit=100)
        (found,) = found_by(verify(source, shadow, model=KINDS)).items()
        assert found in [("differing", [number]), ("stale", [number])]


def times_two(value: Json) -> Cell:
    return int(value) * 2 if isinstance(value, int | float) else None


def without_sign(value: Json) -> Cell:
    return str(value).lstrip("-") if value else None


MISTAKES: dict[str, tuple[Convert, int]] = {
    "date": (lambda value: f"20{value}" if value else None, LONG_AGO),
    "datetime": (lambda value: f"20{value}+00" if value else None, LONG_AGO),
    "integer": (times_two, LARGE),
    "monetary": (without_sign, LARGE),
    "float": (lambda _: 0.0, LARGE),
    "many2one_reference": (lambda _: None, LARGE),
    "json": (lambda value: conversions.jsonb(value) if value else None, HALF_LARGE),
}


@pytest.mark.sampled
@pytest.mark.parametrize("kind", MISTAKES)
def test_verify_notices_a_wrong_converter(
    odd: StandIn, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Each of them writes what it makes of a value, with the hash that belongs to it, and no run is the wiser."""
    convert, number = MISTAKES[kind]
    monkeypatch.setitem(FIELD_TYPES, kind, replace(FIELD_TYPES[kind], convert=convert))
    settings = ModelSettings(domain=(["id", "=", number],))
    with source_of(odd) as source:
        assert mirror_with(source, shadow, model=KINDS, settings=settings).counts.inserted == 1
        assert mirror_with(source, shadow, model=KINDS, settings=settings).counts.written == 0
        assert found_by(verify(source, shadow, model=KINDS)) == {"differing": [number]}
