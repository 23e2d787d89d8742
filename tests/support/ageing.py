"""Rows that are older than they were."""

from __future__ import annotations

import psycopg
from psycopg import sql

from odoo_stand_in import StandIn


def age(odoo: StandIn, *models: str) -> None:
    """Let all rows of some models be older, so that no look-back reaches them."""
    with psycopg.connect(odoo.dsn) as connection:
        for model in models:
            table = sql.Identifier(odoo.registry.models[model].table)
            statement = "UPDATE {} SET write_date = least(write_date, now() AT TIME ZONE 'UTC' - interval '1 day')"
            connection.execute(sql.SQL(statement).format(table))
