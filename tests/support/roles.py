"""Roles with few rights, for as long as a test needs them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust


@contextmanager
def new_role(database: str, name: str | None = None) -> Iterator[str]:
    """Create a role that may log in and nothing else; yield its name, and drop it with all that it owns."""
    role = sql.Identifier(name or f"role_{uuid.uuid4().hex[:12]}")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    try:
        yield role.as_string().strip('"')
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            _drop_owned(connection, role)
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def _drop_owned(connection: psycopg.Connection, role: sql.Identifier) -> None:
    """Drop all that a role owns, although autovacuum may be at one of the tables: they can meet in a deadlock."""
    for left in (2, 1, 0):
        try:
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
        except psycopg.errors.DeadlockDetected:
            if not left:
                raise
        else:
            return


def as_role(database: str, role: str) -> str:
    """Return a database's URL for another role."""
    return urlsplit(database)._replace(netloc=f"{role}:@").geturl()


def run_as_owner(database: str, *statements: LiteralString, **names: str) -> None:
    """Run statements as the server's superuser; names in braces are identifiers."""
    parts = {key: sql.Identifier(name) for key, name in names.items()}
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement).format(**parts))


@contextmanager
def reader_of(database: str, *, trust: Trust = NOBODY_ELSE, has_grants: bool = True) -> Iterator[ShadowDatabase]:
    """Open a shadow as a reader, with the grants that the documentation shows."""
    with new_role(database) as role:
        if has_grants:
            run_as_owner(
                database,
                "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
                "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
                role=role,
            )
        with ShadowDatabase.from_url(as_role(database, role), trust=trust) as shadow:
            yield shadow
