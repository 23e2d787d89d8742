"""Roles that may read a stand-in's own database and nothing else, as the second source is meant to be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.roles import as_role, new_role, run_as_owner


@contextmanager
def reading_role(dsn: str, *, without: tuple[str, ...] = ()) -> Iterator[str]:
    """Make a role with SELECT alone; yield the database's URL for it, and drop it afterwards.

    :param dsn: such as `StandIn.dsn`, of a role that may make others.
    :param without: tables and views on which it lacks SELECT.
    """
    with new_role(dsn) as role:
        run_as_owner(
            dsn,
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
            role=role,
        )
        for table in without:
            run_as_owner(dsn, "REVOKE SELECT ON {table} FROM {role}", role=role, table=table)
        yield as_role(dsn, role)
