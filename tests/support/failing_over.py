"""A shadow's server that is replaced by one that lacks the newest commits, as in a failover to a replica that lagged.

A pooler goes on with the new server without a word; so does who connects anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.closing import Closed, close_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.port import Source


class LaggingServer:
    """The shadow's database, and its state of a moment ago.

    :param postgres: the URL of its server.
    """

    def __init__(self, postgres: str, database: str) -> None:
        self._postgres = postgres
        name = urlsplit(database).path.lstrip("/")
        self._names = {"now": sql.Identifier(name), "then": sql.Identifier(f"{name}_then")}

    def copy(self, *connected: ShadowDatabase) -> None:
        """Keep the state of now.

        :param connected: who is, and will connect anew.
        """
        self._run(connected, "CREATE DATABASE {then} TEMPLATE {now}")

    def fail_over(self, *connected: ShadowDatabase) -> None:
        """Go on from the state that was kept; new connections lead there."""
        self._run(connected, "DROP DATABASE {now}", "ALTER DATABASE {then} RENAME TO {now}")

    def close_run(self, odoo: Source, shadow: ShadowDatabase, *, run: Run, options: MirrorOptions) -> Iterator[Closed]:
        """Do what ends a run, after a failover."""
        self.fail_over(shadow)
        return close_run(odoo, shadow, run=run, options=options)

    def _run(self, connected: Sequence[ShadowDatabase], *statements: LiteralString) -> None:
        for shadow in connected:
            shadow.close()
        with psycopg.connect(self._postgres, autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**self._names))
