"""Values of fields that are not to be mirrored any more are removed; those of fields that are gone from Odoo stay."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.tables.apply_changes import columns_to_fill
from odoo_shadow.shadow.tables.changes import plan_change
from odoo_shadow.shadow.tables.tables import ChangeKind
from tests.support.catalog import contents
from tests.support.tables import make_base, make_table, merge, rows_of

TABLE = "odoo_shadow_x_visit"
LISTED = ("id", "_odoo_write_date", "name", "token")
NAME = Column("name", ColumnType.TEXT, "name", "char")
TOKEN = Column("token", ColumnType.TEXT, "token", "char")


@pytest.fixture(autouse=True)
def visits(shadow: ShadowDatabase) -> None:
    """A table with a field that turns out to be a credential."""
    make_table(shadow, "x.visit", [NAME, TOKEN])
    merge(shadow, TABLE, (1, None, "a", "s3cret"), (2, None, "b", None), columns=LISTED)


def make(shadow: ShadowDatabase, *columns: Column, left_out: Iterable[str] = ()) -> None:
    make_table(shadow, "x.visit", columns, left_out=left_out)


def history(shadow: ShadowDatabase) -> list[tuple[object, ...]]:
    with shadow.transaction() as tx:
        return tx.run("SELECT change, column_name FROM odoo_shadow.odoo_shadow_schema_log ORDER BY id")[1:]


def tokens(shadow: ShadowDatabase, column: str = "token") -> list[object]:
    return [row[0] for row in rows_of(shadow, TABLE, (column,))]


def to_fill(shadow: ShadowDatabase) -> list[str]:
    with shadow.transaction() as tx:
        return [column.name for column in columns_to_fill(tx, TABLE)]


def test_an_active_column_is_emptied_once(shadow: ShadowDatabase, database: str) -> None:
    make(shadow, NAME, left_out={"token"})
    assert tokens(shadow) == [None, None]
    assert tokens(shadow, "name") == ["a", "b"]
    assert history(shadow) == [("column emptied", "token")]
    before = contents(database)
    make(shadow, NAME, left_out={"token"})
    assert contents(database) == before


def test_a_column_that_vanished_before_is_emptied(shadow: ShadowDatabase) -> None:
    make(shadow, NAME)
    assert tokens(shadow) == ["s3cret", None]  # it seemed gone from Odoo
    make(shadow, NAME, left_out={"token"})
    assert tokens(shadow) == [None, None]
    assert history(shadow) == [("column no longer written", "token"), ("column emptied", "token")]


def test_a_column_kept_aside_with_its_old_type_is_emptied(shadow: ShadowDatabase) -> None:
    make(shadow, NAME, Column("token", ColumnType.BIGINT, "token", "integer"))
    assert tokens(shadow, "token__text") == ["s3cret", None]
    make(shadow, NAME, left_out={"token"})
    assert tokens(shadow, "token__text") == tokens(shadow) == [None, None]
    assert set(history(shadow)[1:]) == {("column emptied", "token"), ("column emptied", "token__text")}


def test_a_field_that_is_let_in_again_is_filled(shadow: ShadowDatabase) -> None:
    make(shadow, NAME, left_out={"token"})
    make(shadow, NAME, TOKEN)
    assert to_fill(shadow) == ["token"]
    merge(shadow, TABLE, (1, None, "a", "s3cret"), columns=LISTED)
    make(shadow, NAME, left_out={"token"})  # and emptied again
    assert tokens(shadow) == [None, None]


def test_a_field_that_never_had_a_column_needs_nothing(shadow: ShadowDatabase, database: str) -> None:
    before = contents(database)
    make(shadow, NAME, TOKEN, left_out={"password", "pin"})
    assert contents(database) == before


def test_a_plan_tells_and_changes_nothing(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        (change,) = plan_change(tx, TABLE, [NAME], {"token"}).changes
    assert (change.kind, str(change)) == (ChangeKind.EMPTIED, "column emptied: token")
    assert tokens(shadow) == ["s3cret", None]


@pytest.mark.parametrize("left_out", [set(), {"token"}], ids=["gone", "left out"])
@pytest.mark.parametrize("vanished", [False, True], ids=["active", "vanished"])
def test_a_column_that_another_field_gets_is_emptied_and_filled(
    shadow: ShadowDatabase, left_out: set[str], vanished: bool
) -> None:
    if vanished:
        make(shadow, NAME)
    other = Column("token", ColumnType.TEXT, "x_token", "char")
    make(shadow, NAME, other, left_out=left_out)
    assert tokens(shadow) == [None, None]
    assert to_fill(shadow) == ["token"]
    assert history(shadow)[-2:] == [("column emptied", "token"), ("column written again", "token")]
    make(shadow, NAME, other, left_out=left_out)
    assert len(history(shadow)) == 2 + vanished


def test_another_field_of_another_type_keeps_the_old_values_aside(shadow: ShadowDatabase) -> None:
    make(shadow, NAME, Column("token", ColumnType.BIGINT, "x_token", "integer"))
    assert tokens(shadow, "token__text") == ["s3cret", None]
    assert to_fill(shadow) == ["token"]


def test_another_field_of_another_type_keeps_no_credential_aside(shadow: ShadowDatabase) -> None:
    make(shadow, NAME, Column("token", ColumnType.BIGINT, "x_token", "integer"), left_out={"token"})
    assert tokens(shadow, "token__text") == [None, None]
    assert to_fill(shadow) == ["token"]


def test_a_wider_column_of_another_field_is_emptied(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    make(shadow, NAME, Column("code", ColumnType.BIGINT, "code", "integer"))
    merge(shadow, TABLE, (1, None, "a", 7), columns=(*LISTED[:3], "code"))
    make(shadow, NAME, Column("code", ColumnType.TEXT, "x_code", "char"))
    assert tokens(shadow, "code") == [None, None]
    assert to_fill(shadow) == ["code"]


def test_no_hash_is_left_by_which_a_removed_value_could_be_guessed(shadow: ShadowDatabase) -> None:
    _, other = tokens(shadow, "_sync_hash")
    make(shadow, NAME, left_out={"token"})
    assert tokens(shadow, "_sync_hash") == [None, other]  # the second row had no such value
