"""A database that somebody hostile may use, and a mirror in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust
from odoo_stand_in import StandIn
from tests.support.in_process import run_in_process
from tests.support.roles import as_role
from tests.support.shell import Outcome, shell_for


@dataclass(frozen=True)
class Hostile:
    """A database with a hostile login.

    :param url: of the server's superuser.
    :param mallory: the hostile role.
    :param role: that mirrors, with the least rights that it needs; None for the superuser.
    """

    url: str
    mallory: str
    role: str | None

    @property
    def mirror_url(self) -> str:
        """The URL of the role that mirrors."""
        return self.url if self.role is None else as_role(self.url, self.role)

    def open_public(self) -> None:
        """Let everybody create in `public`, as databases do that were upgraded from PostgreSQL 14."""
        self.as_owner("GRANT CREATE ON SCHEMA public TO PUBLIC")
        if self.role is not None:
            self.as_owner(
                "CREATE SCHEMA odoo_shadow AUTHORIZATION {role}",
                "CREATE SCHEMA odoo_shadow_internal AUTHORIZATION {role}",
            )

    def as_owner(self, *statements: LiteralString, **names: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser; return the last one's rows."""
        return self._run(self.url, statements, names)

    def run_text(self, *statements: str) -> None:
        """Run statements that a message gave, as the superuser."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def as_mallory(self, *statements: LiteralString, **names: str) -> list[tuple[Any, ...]]:
        """Run statements as the hostile role; return the last one's rows."""
        return self._run(as_role(self.url, self.mallory), statements, names)

    def shadow(self, trust: Trust = NOBODY_ELSE) -> ShadowDatabase:
        """The shadow, as the role that mirrors sees it."""
        return ShadowDatabase.from_url(self.mirror_url, name="shadow_db", trust=trust)

    def run(self, odoo: StandIn, *arguments: str, **changed: str) -> Outcome:
        """Run `odoo-shadow` as the role that mirrors; in this process, since a program takes a second to start."""
        env = shell_for(odoo, self.mirror_url).env | {"SUPABASE_DB_URL": self.mirror_url, **changed}
        return run_in_process(arguments, env)

    def _run(self, url: str, statements: Sequence[LiteralString], names: dict[str, str]) -> list[tuple[Any, ...]]:
        parts = {key: sql.Identifier(name) for key, name in names.items()}
        database = urlsplit(self.url).path.lstrip("/")
        parts |= {"database": sql.Identifier(database)}
        parts |= {"mallory": sql.Identifier(self.mallory), "role": sql.Identifier(self.role or "postgres")}
        with psycopg.connect(url, autocommit=True) as connection:
            rows: list[tuple[Any, ...]] = []
            for statement in statements:
                cursor = connection.execute(sql.SQL(statement).format(**parts))
                rows = cursor.fetchall() if cursor.description else []
            return rows
