"""Where the dashboards read: which marts there are, who reads them, and the address as SQLAlchemy writes it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from odoo_shadow.postgres.address import read_address
from odoo_shadow.postgres.transport import protected
from odoo_shadow.shadow.access.reader_role import READER
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA
from odoo_shadow.shadow.errors import shadow_called
from odoo_shadow.shadow.relations import MART_FRESHNESS
from tools.trouble import ToolError

SETTING = "SUPABASE_DB_URL"
_CALLED = shadow_called(SETTING)
_LOGIN = "odoo_shadow_dashboards"
_HIDDEN = "X" * 10
_KEYS_SECRETS = frozenset({"sslpassword", "passfile"})
_IN_URL = ("user", "password", "host", "port", "dbname")
_REASONS = sql.SQL("SELECT mart, left_out_because FROM {} WHERE left_out_because IS NOT NULL")
_THERE = b"""
SELECT mart, c.oid IS NOT NULL,
    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        AND c.relkind IN ('r', 'p') AND (NOT has_database_privilege(current_database(), 'CREATE')
            OR o.rolsuper OR o.rolname = current_user), false),
    coalesce(has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'), false)
FROM unnest(%(marts)s::text[]) AS mart
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = %(schema)s
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = mart
LEFT JOIN pg_catalog.pg_roles AS o ON o.oid = c.relowner
"""
"""A login that may do more than read takes its own marts only: another role's table may run that role's code."""


@dataclass(frozen=True)
class Marts:
    """The marts as one login sees them.

    :param left_out: which are not there or cannot be read, and why.
    :param can_write: whether the login may change one.
    """

    left_out: dict[str, str]
    can_write: bool


def make_reader(url: str) -> None:
    """Make the role that each build lets read the marts."""
    with psycopg.connect(url) as connection:
        if not connection.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", [READER]).fetchall():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(READER)))


def as_reader(url: str) -> str:
    """Return the address of the same database for a new login that may read what that role may, and nothing else."""
    password = secrets.token_urlsafe(24)
    with psycopg.connect(url) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                sql.Identifier(_LOGIN), sql.Literal(password), sql.Identifier(READER)
            )
        )
    return make_conninfo(url, user=_LOGIN, password=password)


def read_marts(url: str, schema: str, marts: Collection[str]) -> Marts:
    """Find out which marts there are.

    :raises ToolError: there is none, or the database does not answer.
    :raises ShadowError: the address cannot be used.
    """
    try:
        with psycopg.connect(make_conninfo("", **parameters_of(url))) as connection:
            connection.read_only = True
            found = connection.execute(_THERE, {"schema": schema, "marts": [MART_FRESHNESS, *marts]}).fetchall()
            if not all(is_readable for mart, _, is_readable, _ in found if mart == MART_FRESHNESS):
                raise ToolError(
                    f"There is no {schema}.{MART_FRESHNESS} that this login may read: run odoo-shadow marts build,"
                    f" grant {READER} to the login, or name another schema with --marts-schema. A login that may create"
                    " in the database reads its own tables only."
                )
            left_out_because = _REASONS.format(sql.Identifier(schema, MART_FRESHNESS))
            reasons: dict[str, str] = dict(connection.execute(left_out_because).fetchall())
    except psycopg.Error as error:
        raise ToolError(f"The database of the marts does not answer: {' '.join(str(error).split())}") from None
    left_out = {
        mart: "this login cannot read it" if is_there else reasons.get(mart, "it is not there")
        for mart, is_there, is_readable, _ in found
        if not is_readable
    }
    return Marts(left_out, any(is_writable for *_, is_writable in found))


def sqlalchemy_url(url: str, *, hide_password: bool = False) -> str:
    """Return a PostgreSQL address as SQLAlchemy writes it, with the encryption that the engine would demand.

    :param hide_password: put in its place what makes Superset ask for it.
    :raises ShadowError: the address cannot be used.
    :raises ToolError: it has a secret of another kind.
    """
    given = parameters_of(url)
    if unwanted := sorted(_KEYS_SECRETS & given.keys()):
        raise ToolError(f"{SETTING} has {unwanted[0]}, which Superset would keep as plain text: do without it.")
    if hide_password and "password" in given:
        given["password"] = _HIDDEN
    others = {key: value for key, value in given.items() if key not in _IN_URL}
    host, port = given.get("host", ""), given.get("port", "")
    if host.startswith("/") or "," in host:  # a socket's folder, or several servers
        others |= {"host": host} | ({"port": port} if port else {})
        host = port = ""
    login = ":".join(quote(given[key], safe="") for key in ("user", "password") if key in given)
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    address = f"{login}@{place}" if login else place
    return f"postgresql+psycopg2://{address}/{quote(given.get('dbname', ''), safe='')}?{urlencode(others)}".rstrip("?")


def parameters_of(url: str) -> dict[str, str]:
    """Return a PostgreSQL address in parts, with the encryption that the engine would demand.

    :raises ShadowError: it cannot be used.
    """
    return protected(_CALLED, read_address(_CALLED, url, DEFAULT_SCHEMA))
