"""Names and values that nobody would choose, from fields_get to the last cell."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.names import column_name
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.values import NUL_SHOWN_AS
from odoo_stand_in import StandIn
from tests.support.catalog import structure
from tests.support.clients import source_of
from tests.support.flavours import FLAVOURS
from tests.support.running import column, mirror, statuses_of
from tests.support.source_of_truth import assert_equal, column_types, mirrored_fields, shadow_rows

pytestmark = pytest.mark.one_flavour

TABLE = "odoo_shadow_x_awkward"
SQL_NAMES = [
    'x_";DROP TABLE victim;--',
    "x_'quoted\"",
    "x_100%s",
    "x_{braces}",
    "x_größe_語",
    "x_UPPER",
    "x_back\\slash",
]


@pytest.fixture(params=FLAVOURS)
def awkward(request: pytest.FixtureRequest, postgres: str) -> Iterator[StandIn]:
    """A stand-in with names and types that Odoo itself would not let pass."""
    with StandIn(
        postgres, flavour=request.param, database=f"awkward{request.param}", scale=0.1, schema="awkward"
    ) as it:
        for name in SQL_NAMES:
            if name not in it.registry.models["x_awkward"].fields:
                it.add_field("x_awkward", name, "char", default=f"value of {name}")
        yield it


@pytest.fixture
def awkward_source(awkward: StandIn) -> Iterator[ApiSource]:
    with source_of(awkward) as opened:
        yield opened


def test_awkward_names_and_types_arrive(
    awkward: StandIn, awkward_source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE victim (x int)")
    first = mirror(awkward_source, shadow, "x_awkward")
    assert first.counts.inserted > 0 and first.unstorable_cells == 0
    assert_equal(awkward, database, ["x_awkward"])

    types = {row[3]: row[4] for row in structure(database)["columns"] if row[:2] == ("odoo_shadow", TABLE)}
    assert types == column_types(awkward, "x_awkward")
    assert types["x_embedding"] == "jsonb"
    long = [field.name for field in mirrored_fields(awkward, "x_awkward") if len(field.name.encode()) > 63]
    assert len({column_name(name) for name in long}) == len(long) == 2
    assert ("public", "victim") in {row[:2] for row in structure(database)["relations"]}

    assert mirror(awkward_source, shadow, "x_awkward", full=True).counts == RowCounts(unchanged=first.counts.inserted)


def test_a_field_with_an_awkward_name_may_come_later(
    awkward: StandIn, awkward_source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(awkward_source, shadow, "x_awkward")
    awkward.add_field("x_awkward", 'x_later"; DROP TABLE x; --%s', "char", default="100% later")
    mirror(awkward_source, shadow, "x_awkward")
    assert_equal(awkward, database, ["x_awkward"])


NUL = "\0"
UNSTORABLE: dict[str, tuple[Any, Any]] = {
    "x_name": (f"a{NUL}b hunter2", f"a{NUL_SHOWN_AS}b hunter2"),
    "x_html": (f"<p>{NUL}</p>", f"<p>{NUL_SHOWN_AS}</p>"),
    "x_json": ({f"k{NUL}": ["v", {"k": NUL}]}, {f"k{NUL_SHOWN_AS}": ["v", {"k": NUL_SHOWN_AS}]}),
}


def test_unstorable_characters_are_shown_counted_and_told_once(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    def with_unstorable(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        changed = {name: sent for name, (sent, _) in UNSTORABLE.items()}
        return [{**row, **changed} if row["id"] in (3, 4) else row for row in rows] if model == "x_awkward" else rows

    odoo.rewrite = with_unstorable
    with caplog.at_level(logging.WARNING):
        result = mirror(source, shadow, "x_awkward", batch_size=10)
    assert result.unstorable_cells == 2 * len(UNSTORABLE)
    assert f"{2 * len(UNSTORABLE)} cells with characters replaced" in str(result)
    told = [record.getMessage() for record in caplog.records if "cannot store" in record.getMessage()]
    assert len(told) == 1 and "x_awkward 3" in told[0]
    assert "hunter2" not in caplog.text

    rows = shadow_rows(database, TABLE)
    for name, (_, stored) in UNSTORABLE.items():
        assert rows[3][name] == rows[4][name] == stored
    assert mirror(source, shadow, "x_awkward", full=True).counts.updated == 0  # the same next time

    odoo.rewrite = None
    assert mirror(source, shadow, "x_awkward", full=True).counts.updated == 2
    assert_equal(odoo, database, ["x_awkward"])


@pytest.mark.sampled
@pytest.mark.parametrize(
    "name", ["x_a\0b", ""], ids=["NUL", "nothing"]
)  # fails: the column of NUL is added anew each time
def test_a_field_whose_name_no_column_can_have_fails_clearly_or_not_at_all(
    own_odoo: StandIn, shadow: ShadowDatabase, name: str
) -> None:
    fields = own_odoo.registry.models["x_awkward"].fields
    fields[name] = replace(fields["x_name"], name=name, mirror_of="x_name")
    with source_of(own_odoo) as source:
        try:
            mirror(source, shadow, "x_awkward")
        except (OdooError, ShadowError) as error:
            assert "\n" not in str(error)
            assert statuses_of(shadow) == ["error"]
            return
        assert mirror(source, shadow, "x_awkward").kind is ScanKind.INCREMENTAL  # the column is known from then on


def test_texts_that_look_like_something_else_stay_texts(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    texts = ["\\N", "\\.", "NULL", "'; DROP TABLE x; --", "100%s", "{}", "a\tb\r\nc", "😀", " ", "false"]
    ids = odoo.execute("x_awkward", "create", [{"x_name": text} for text in texts])
    mirror(source, shadow, "x_awkward")
    assert [column(shadow, "x_name", ids, TABLE)[number] for number in ids] == texts
