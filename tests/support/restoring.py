"""Backups of a stand-in's database, restored in its place."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from odoo_stand_in import StandIn

UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
"""What every stand-in calls its database."""


class Backup:
    """What some models' tables hold at this moment, with the numbers that their next records get."""

    def __init__(self, odoo: StandIn, models: Sequence[str]) -> None:
        self._odoo = odoo
        self._tables = [odoo.registry.models[model].table for model in models]
        with psycopg.connect(odoo.dsn) as connection:
            connection.execute("DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup")
            for table in self._tables:
                statement = sql.SQL("CREATE TABLE {} AS TABLE {}")
                connection.execute(statement.format(sql.Identifier("backup", table), sql.Identifier("public", table)))

    def restore(self, *, uuid: str = UUID) -> None:
        """Put it back; what came since is gone, and its ids are given once more."""
        with psycopg.connect(self._odoo.dsn) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in self._tables:
                parts = {"now": sql.Identifier("public", table), "then": sql.Identifier("backup", table)}
                connection.execute(sql.SQL("DELETE FROM {now}; INSERT INTO {now} TABLE {then}").format(**parts))
                connection.execute(
                    sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(
                        table, parts["now"]
                    )
                )
        set_uuid(self._odoo, uuid)


def set_uuid(odoo: StandIn, uuid: str) -> None:
    """Give Odoo's database another name of its own, as its manager does with what it restores or copies."""
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute("UPDATE ir_config_parameter SET value = %s WHERE key = 'database.uuid'", (uuid,))
