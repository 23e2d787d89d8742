"""Fields that Odoo refuses to read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import AccessError, StandIn
from tests.support.clients import source_of
from tests.support.counting import (
    VISIT,
    VISITS,
    CountingProxy,
    in_shadow,
    visits,
)

ROWS = 40
PAGES = MirrorOptions(batch_size=10, look_back=timedelta(0))
Rows = list[dict[str, Any]]


@contextmanager
def source_of_fields(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    """A client, and a model with some more fields."""
    with source_of(odoo, host=proxy.url) as opened, visits(odoo, ROWS):
        for name in "abcdef":
            odoo.add_field(VISIT, f"x_{name}", "char", default=name)
        yield opened


def refuse(odoo: StandIn, *fields: str, ids: Collection[int] = (), together: bool = False) -> None:
    """Let Odoo refuse a read with one of the fields, or with all of them, of some records, or of any."""
    has_one = all if together else any

    def rewrite(model: str, rows: Rows) -> Rows:
        for row in rows:
            if model == VISIT and has_one(name in row for name in fields) and (not ids or row["id"] in ids):
                raise AccessError(f"Failed to read field {VISIT}.{fields[0]}")
        return rows

    odoo.rewrite = rewrite


def refused(shadow: ShadowDatabase, table: str = VISITS) -> list[str]:
    ((fields,),) = in_shadow(
        shadow, "SELECT unreadable_fields FROM {odoo_shadow_meta} WHERE table_name = {table}", table=table
    )
    return list(fields)
