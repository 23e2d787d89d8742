"""What happens in Odoo: single writes as data, so that hypothesis can choose, shrink and print them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from psycopg import sql

from tests.support.stories.odoo_side import PLAIN, PRODUCT, REFUSALS, TABLES, TAG, TEMPLATE, THING, Calls, OdooSide

ALL: dict[str, Any] = {"context": {"active_test": False}}
_TEXTS = ("a", "b", "", False, 'tab\t"quote" \\N', "π 🚀")
_VALUES: tuple[dict[str, Any], ...] = (
    *({"x_name": text} for text in _TEXTS),
    {"x_title": "Titel"},
    {"x_title": False},
    {"x_rate": 0.1, "x_price": 12.3456},
    {"x_rate": -1e300, "x_price": False},
    {"x_day": "2024-02-29", "x_moment": "2024-02-29 23:59:59"},
    {"x_day": False, "x_moment": False},
    {"x_data": {"k": [1, None, "ü"]}},
    {"x_data": False},
    {"x_tag_id": 1},
    {"x_tag_id": 2},
)


@dataclass(frozen=True)
class Write:
    """One thing that somebody does in Odoo.

    :param row: which row it meets: a number that is taken modulo the number of rows.
    :param value: what it writes, likewise.
    """

    name: str
    row: int = 0
    value: int = 0


@dataclass(frozen=True)
class Tick:
    """Time passes.

    :param patient: it stops at the moment when an open transaction is as long as the look-back; else that one ends.
    """

    seconds: float
    patient: bool = False


@dataclass(frozen=True)
class Begin:
    """A transaction is opened, and something written in it."""

    write: Write


@dataclass(frozen=True)
class Within:
    """Something is written in a transaction that is open."""

    transaction: int
    write: Write


@dataclass(frozen=True)
class End:
    """A transaction ends."""

    transaction: int
    commit: bool


@dataclass(frozen=True)
class AddField:
    """Somebody adds a field, with a default where `default` says so."""

    name: str
    kind: str
    default: bool


@dataclass(frozen=True)
class RemoveField:
    """Somebody removes one of the fields that were added."""

    name: str


@dataclass(frozen=True)
class BackUp:
    """Somebody takes a backup of Odoo."""


@dataclass(frozen=True)
class Restore:
    """Somebody restores it."""


Event = Write | Tick | Begin | Within | End | AddField | RemoveField | BackUp | Restore
_DEFAULTS: dict[str, Any] = {
    "char": "given",
    "text": "given",
    "integer": 7,
    "float": 0.5,
    "boolean": True,
    "date": "2024-02-29",
    "datetime": "2024-02-29 12:00:00",
}
_Doing = Callable[[OdooSide, Calls, int, int], None]


def do(odoo: OdooSide, event: Event) -> None:  # noqa: C901 - one line per event
    """Let it happen; what Odoo refuses does not happen."""
    match event:
        case Tick(seconds, patient):
            odoo.tick(timedelta(seconds=seconds), patient=patient)
        case Write():
            _refusable(odoo, odoo.odoo, event)
        case Begin(write):
            transaction = odoo.begin()
            if not _refusable(odoo, transaction.calls, write):
                odoo.end(transaction, commit=False)
        case Within(number, write):
            if odoo.open:
                transaction = odoo.open[number % len(odoo.open)]
                if not _refusable(odoo, transaction.calls, write):
                    odoo.end(transaction, commit=False)
        case End(number, commit):
            if odoo.open:
                odoo.end(odoo.open[number % len(odoo.open)], commit=commit)
        case AddField(name, kind, default):
            odoo.add_field(name, kind, _DEFAULTS[kind] if default else None)
        case RemoveField(name):
            odoo.remove_field(name)
        case BackUp():
            odoo.back_up()
        case Restore():
            odoo.restore()


def _refusable(odoo: OdooSide, calls: Calls, write: Write) -> bool:
    try:
        _DOINGS[write.name](odoo, calls, write.row, write.value)
    except REFUSALS:
        return False
    return True


def _ids(calls: Calls, model: str) -> list[int]:
    found = calls.execute(model, "search", [], order="id", **ALL)
    return [int(one) for one in found]


def _one(calls: Calls, model: str, row: int) -> list[int]:
    ids = _ids(calls, model)
    return [ids[row % len(ids)]] if ids else []


def _create(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    values = _VALUES[value % len(_VALUES)]
    calls.execute(THING, "create", [{"x_name": f"thing {row}", **values} for _ in range(1 + row % 3)])


def _edit(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    calls.execute(THING, "write", _one(calls, THING, row), _VALUES[value % len(_VALUES)])


def _edit_many(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Write every row from one on: they share a `write_date`."""
    ids = _ids(calls, THING)
    calls.execute(THING, "write", ids[row % max(1, len(ids)) :], _VALUES[value % len(_VALUES)])


def _archive(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    method = "action_unarchive" if value % 3 == 0 else "action_archive"
    calls.execute(THING, method, _one(calls, THING, row))


def _adopt(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Put one row below an older one."""
    ids = _ids(calls, THING)
    if len(ids) > 1:
        child = 1 + row % (len(ids) - 1)
        calls.execute(THING, "write", [ids[child]], {"x_parent_id": ids[value % child]})


def _follow(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Let one row point to another, which may be deleted: the database empties it then, and no `write_date` tells."""
    ids = _ids(calls, THING)
    if ids:
        calls.execute(THING, "write", [ids[row % len(ids)]], {"x_next_id": ids[value % len(ids)]})


def _unlink(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Delete a row, and by the database's cascade all below it and the plain rows that point to them."""
    if len(_ids(calls, THING)) > 2 or value == 0:  # an empty table is a dull story
        calls.execute(THING, "unlink", _one(calls, THING, row))


def _delete_by_sql(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    ids = _one(calls, THING, row)
    if ids and calls is odoo.odoo:
        odoo.sql("DELETE FROM x_thing WHERE id = {id}", id=ids[0])


def _tag(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Change a many2many from the row's side."""
    calls.execute(THING, "write", _one(calls, THING, row), {"x_tag_ids": [[3 + value % 2, 1 + value % 2]]})


def _tag_far(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Change it from the other side: the row's `write_date` stays."""
    things = _one(calls, THING, row)
    commands = [[3 + value % 2, one] for one in things]
    calls.execute(TAG, "write", _one(calls, TAG, value), {"x_thing_ids": commands})


def _unlink_tag(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Delete what rows point to: the database empties their many2one and many2many, and no `write_date` tells."""
    calls.execute(TAG, "unlink", _one(calls, TAG, value))


def _edit_by_sql(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Write past Odoo, without a new `write_date`."""
    model = (THING, TEMPLATE, PRODUCT)[value % 3]
    column = {THING: "x_name", TEMPLATE: "default_code", PRODUCT: "barcode"}[model]
    ids = _one(calls, model, row)
    if ids and calls is odoo.odoo:
        odoo.hide(model, ids)
        odoo.sql(
            "UPDATE {table} SET {column} = {value} WHERE id = {id}",
            table=sql.Identifier(TABLES[model]),
            column=sql.Identifier(column),
            value=f"by SQL {row} {value}",
            id=ids[0],
        )


def _write_date_back(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """A module sets a row's `write_date` back while it changes it."""
    ids = _one(calls, THING, row)
    if ids and calls is odoo.odoo:
        odoo.hide(THING, ids)
        odoo.set_back.add(THING)
        odoo.sql(
            "UPDATE x_thing SET x_name = {value}, write_date = write_date - interval '1 day' WHERE id = {id}",
            value=f"back {value}",
            id=ids[0],
        )


def _create_plain(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    things = _one(calls, THING, row)
    calls.execute(PLAIN, "create", {"x_name": f"plain {value}", "x_thing_id": things[0] if things else False})


def _edit_plain(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    calls.execute(PLAIN, "write", _one(calls, PLAIN, row), {"x_name": _TEXTS[value % len(_TEXTS)]})


def _unlink_plain(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    calls.execute(PLAIN, "unlink", _one(calls, PLAIN, row))


def _create_product(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    templates = _one(calls, TEMPLATE, row) if value % 2 else []
    link = {"product_tmpl_id": templates[0]} if templates else {}
    calls.execute(PRODUCT, "create", {"name": f"product {value}", **link})


def _edit_product(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Write a product: its own field, or one that is its template's."""
    values: tuple[dict[str, Any], ...] = ({"barcode": f"code {value}"}, {"list_price": value / 10}, {"active": False})
    calls.execute(PRODUCT, "write", _one(calls, PRODUCT, row), values[value % 3])


def _edit_template(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Write a template: its products take over its `write_date`."""
    calls.execute(TEMPLATE, "write", _one(calls, TEMPLATE, row), {"name": f"template {value}"})


def _unlink_template(odoo: OdooSide, calls: Calls, row: int, value: int) -> None:
    """Delete a template and, by cascade, its products."""
    calls.execute(TEMPLATE, "unlink", _one(calls, TEMPLATE, row))


_DOINGS: dict[str, _Doing] = {
    "create": _create,
    "edit": _edit,
    "edit_many": _edit_many,
    "archive": _archive,
    "adopt": _adopt,
    "follow": _follow,
    "unlink": _unlink,
    "delete_by_sql": _delete_by_sql,
    "tag": _tag,
    "tag_far": _tag_far,
    "unlink_tag": _unlink_tag,
    "edit_by_sql": _edit_by_sql,
    "write_date_back": _write_date_back,
    "create_plain": _create_plain,
    "edit_plain": _edit_plain,
    "unlink_plain": _unlink_plain,
    "create_product": _create_product,
    "edit_product": _edit_product,
    "edit_template": _edit_template,
    "unlink_template": _unlink_template,
}
HIDDEN = ("edit_by_sql", "write_date_back")
"""Writes that no `write_date` tells of: only a verification finds them."""

OF_MODEL = {
    THING: (
        *("create", "edit", "edit_many", "archive", "adopt", "follow", "unlink", "delete_by_sql"),
        *("tag", "tag_far", "unlink_tag"),
    ),
    PLAIN: ("create_plain", "create_plain", "edit_plain", "unlink_plain"),
    TEMPLATE: ("edit_template", "unlink_template"),
    PRODUCT: ("create_product", "edit_product", "edit_product"),
}

SECONDS = (0.000001, 0.4, 1.0, 60.0, 899.0, 900.0, 900.0, 1200.0, 1200.0, 7200.0)
"""How long it may take until something happens: around the look-back's quarter of an hour most of all."""

small = st.integers(0, 11)
fields = st.one_of(
    st.builds(AddField, st.sampled_from(("x_new", "x_other")), st.sampled_from(sorted(_DEFAULTS)), st.booleans()),
    st.builds(RemoveField, st.sampled_from(("x_new", "x_other"))),
)
backups = st.sampled_from((BackUp(), Restore()))
hidden = st.builds(Write, st.sampled_from(HIDDEN), small, small)


def ticks_of(seconds: tuple[float, ...]) -> st.SearchStrategy[Tick]:
    """Return the passing of time."""
    return st.builds(Tick, st.sampled_from(seconds), st.booleans())


def writes_of(names: tuple[str, ...]) -> st.SearchStrategy[Write]:
    """Return writes by their names."""
    return st.builds(Write, st.sampled_from(names), small, small)


def events_of(writes: st.SearchStrategy[Write], ticks: st.SearchStrategy[Tick]) -> st.SearchStrategy[Event]:
    """Return what can happen in Odoo in short transactions."""
    return st.one_of(writes, writes, ticks)


def transactions_of(writes: st.SearchStrategy[Write]) -> st.SearchStrategy[Event]:
    """Return what can happen in Odoo in long transactions."""
    return st.one_of(
        st.builds(Begin, writes),
        st.builds(Within, small, writes),
        st.builds(End, small, st.booleans()),
    )
