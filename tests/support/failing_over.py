"""A shadow's server that is replaced by one that lacks the newest commits, as in a failover to a replica that lagged.

A pooler goes on with the new server without a word; so does who connects anew.
"""

from __future__ import annotations

from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase


class LaggingServer:
    """The shadow's database, and its state of a moment ago.

    :param postgres: the URL of its server.
    """

    def __init__(self, postgres: str, database: str) -> None:
        self._postgres = postgres
        name = urlsplit(database).path.lstrip("/")
        self._names = {"now": sql.Identifier(name), "then": sql.Identifier(f"{name}_then")}

    def copy(self, shadow: ShadowDatabase) -> None:
        """Keep the state of now.

        :param shadow: who is connected, and will connect anew.
        """
        self._run(shadow, "CREATE DATABASE {then} TEMPLATE {now}")

    def fail_over(self, shadow: ShadowDatabase) -> None:
        """Go on from the state that was kept; new connections lead there."""
        self._run(shadow, "DROP DATABASE {now}", "ALTER DATABASE {then} RENAME TO {now}")

    def _run(self, shadow: ShadowDatabase, *statements: LiteralString) -> None:
        shadow.close()
        with psycopg.connect(self._postgres, autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**self._names))
