"""Roles that may read a stand-in's own database and nothing else, as the second source is meant to be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.support.roles import as_role, new_role, run_as_owner


def move_to_schema(dsn: str, schema: str) -> None:
    """Let a stand-in's tables be in another schema than `public`; it goes on serving them after its next start."""
    run_as_owner(dsn, "ALTER SCHEMA public RENAME TO {schema}", schema=schema)
    database = urlsplit(dsn).path.lstrip("/")
    run_as_owner(dsn, "ALTER DATABASE {name} SET search_path = {schema}", name=database, schema=schema)


@contextmanager
def reading_role(dsn: str, *, without: tuple[str, ...] = (), schema: str = "public") -> Iterator[str]:
    """Make a role with SELECT alone; yield the database's URL for it, and drop it afterwards.

    :param dsn: such as `StandIn.dsn`, of a role that may make others.
    :param without: tables and views on which it lacks SELECT.
    """
    with new_role(dsn) as role:
        run_as_owner(
            dsn,
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
            role=role,
            schema=schema,
        )
        for table in without:
            run_as_owner(dsn, "REVOKE SELECT ON {schema}.{table} FROM {role}", role=role, schema=schema, table=table)
        yield as_role(dsn, role)
