"""Models that are SQL views, whose ids may be anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from odoo_stand_in import StandIn
from tests.support.counting import in_odoo

VIEW = "x_view"
VIEW_TABLE = "odoo_shadow_x_view"
_SOURCE = "x_view_source"


@contextmanager
def view_of(odoo: StandIn, *ids: int | None) -> Iterator[None]:
    """A view with these ids, one row each, for as long as a test needs it."""
    written = "timestamp '2024-02-29 12:00:00'"
    in_odoo(odoo, f"CREATE TABLE {_SOURCE} (id bigint, x_name varchar)")
    add_to_view(odoo, *ids)
    odoo.add_view(
        VIEW,
        f"SELECT id, x_name, 1 AS create_uid, {written} AS create_date, 1 AS write_uid, {written} AS write_date"  # noqa: S608
        f" FROM {_SOURCE}",
    )
    try:
        yield
    finally:
        odoo.uninstall(VIEW)
        in_odoo(odoo, f"DROP TABLE {_SOURCE}")


def add_to_view(odoo: StandIn, *ids: int | None) -> None:
    for item in ids:
        in_odoo(odoo, f"INSERT INTO {_SOURCE} VALUES (%s, %s)", item, f"Row {item}")  # noqa: S608


def remove_from_view(odoo: StandIn, *ids: int) -> None:
    in_odoo(odoo, f"DELETE FROM {_SOURCE} WHERE id = ANY(%s)", list(ids))  # noqa: S608
