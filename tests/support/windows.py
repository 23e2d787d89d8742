"""Which models a run's window reaches, worked out from the stand-in's own tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from odoo_stand_in import StandIn


def written_since(odoo: StandIn, models: Iterable[str], moment: datetime) -> set[str]:
    """Return the models that have rows written since a moment, and those whose rows do not tell."""
    found = set()
    with psycopg.connect(odoo.dsn) as connection:
        for model in models:
            described = odoo.registry.models[model]
            if "write_date" in described.fields:
                query = sql.SQL("SELECT max(write_date) FROM {}").format(sql.Identifier(described.table))
                ((newest,),) = connection.execute(query).fetchall()
                if newest is None or newest.replace(tzinfo=UTC) < moment:
                    continue
            found.add(model)
    return found
