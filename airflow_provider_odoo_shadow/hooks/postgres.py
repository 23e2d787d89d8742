"""A PostgreSQL database behind an Airflow connection of type `postgres`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TypeAlias, cast

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from psycopg.rows import TupleRow

from airflow_provider_odoo_shadow.hooks.extras import ExtrasError, read_extras
from airflow_provider_odoo_shadow.hooks.masking import mask
from odoo_shadow.postgres.address import OF_OTHER_TOOLS, check_modes, known_parameters
from odoo_shadow.postgres.errors import Subject
from odoo_shadow.postgres.transport import KEEPALIVES, protected
from odoo_shadow.text.nearest import did_you_mean

PgConnection: TypeAlias = psycopg.Connection[TupleRow]

_OF_LIBPQ = ("hostaddr", "service", "sslmode", "require_auth")
"""The extras that decide how the connection is protected."""

_OF_PSYCOPG = ("autocommit", "connection_factory", "context", "cursor_factory", "prepare_threshold", "row_factory")


def stored_connection(
    postgres_conn_id: str, subject: Subject, own_extras: Collection[str] = ()
) -> tuple[Connection, dict[str, object]]:
    """Return what Airflow stores under an id, and its extras; its password is hidden from now on.

    :param subject: what messages call the database.
    :param own_extras: extras that are not for PostgreSQL's client.
    :raises ShownError: of the subject's kind: there is no such connection, or an extra is wrong.
    """
    try:
        stored = PostgresHook.get_connection(postgres_conn_id)
    except AirflowNotFoundException:
        raise subject.wrong(
            f"There is no Airflow connection '{postgres_conn_id}': add it, of type Postgres, under Admin > Connections."
        ) from None
    mask(stored.password, login=stored.login or "")
    return stored, _extras(subject, stored.extra, own_extras)


def open_postgres(
    postgres_conn_id: str,
    subject: Subject,
    *,
    parameters: Mapping[str, str] = KEEPALIVES,
    own_extras: Collection[str] = (),
) -> PgConnection:
    """Connect. TLS is demanded of other machines, unless the connection's extras say otherwise.

    :param parameters: libpq's, where the connection's extras do not set them.
    :raises ShownError: of the subject's kind: the Airflow connection is wrong.
    """
    stored, extras = stored_connection(postgres_conn_id, subject, own_extras)
    of_client = {name: value for name, value in extras.items() if name not in own_extras}
    given = {"host": stored.host or "", **{name: str(of_client[name]) for name in _OF_LIBPQ if name in of_client}}
    added = {name: value for name, value in protected(subject, given).items() if name not in given}
    stored.extra = json.dumps({**parameters, **added, **of_client})
    # log_sql would log every statement, and with it values of rows.
    hook = PostgresHook(postgres_conn_id, connection=stored, log_sql=False)
    return cast(PgConnection, hook.get_conn())


def _extras(subject: Subject, given: str | None, own_extras: Collection[str]) -> dict[str, object]:
    """Read the extras; unknown ones would end in a traceback of libpq or of the Postgres provider."""
    try:
        extras = read_extras(given, PostgresHook.conn_type)
    except ExtrasError as error:
        raise subject.wrong(f"{subject}: {error}.") from None
    extras = {name: value for name, value in extras.items() if name.lower() not in OF_OTHER_TOOLS}
    known = {*known_parameters(), *_OF_PSYCOPG, *PostgresHook.ignored_extra_options, *own_extras}
    for name in extras:
        if name not in known:
            raise subject.wrong(f"{subject}: there is no extra field '{name}'" + did_you_mean(name, known))
    check_modes(subject, extras)
    return extras
