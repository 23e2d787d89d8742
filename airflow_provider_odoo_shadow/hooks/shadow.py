"""The shadow database behind an Airflow connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_odoo_shadow.hooks.extras import ExtrasError, read_extras
from airflow_provider_odoo_shadow.hooks.masking import mask
from odoo_shadow.postgres.address import OF_OTHER_TOOLS, check_modes, known_parameters
from odoo_shadow.postgres.transport import KEEPALIVES, protected
from odoo_shadow.shadow.connection.database import PgConnection, ShadowDatabase
from odoo_shadow.shadow.errors import ShadowConfigurationError, shadow_called
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust
from odoo_shadow.text.nearest import did_you_mean

_OF_LIBPQ = ("hostaddr", "service", "sslmode", "require_auth")
"""The extras that decide how the connection is protected."""


_OF_PSYCOPG = ("autocommit", "connection_factory", "context", "cursor_factory", "prepare_threshold", "row_factory")


def shadow_database(
    postgres_conn_id: str,
    schema: str,
    trust: Trust = NOBODY_ELSE,
    *,
    parameters: Mapping[str, str] = KEEPALIVES,
    opened: Callable[[PgConnection], None] | None = None,
) -> ShadowDatabase:
    """Return the shadow database of an Airflow connection of type `postgres`. Connects when first used.

    TLS is demanded of other machines, unless the connection's extras say otherwise.

    :param parameters: libpq's, where the connection's extras do not set them.
    :param opened: is called with each new connection, before anything is sent over it.
    """

    def connect() -> PgConnection:
        try:
            stored = PostgresHook.get_connection(postgres_conn_id)
        except AirflowNotFoundException:
            raise ShadowConfigurationError(
                f"There is no Airflow connection '{postgres_conn_id}': add it, of type Postgres, "
                "under Admin > Connections."
            ) from None
        mask(stored.password, login=stored.login or "")
        extras = _extras(postgres_conn_id, stored.extra)
        given = {"host": stored.host or "", **{name: str(extras[name]) for name in _OF_LIBPQ if name in extras}}
        demanded = protected(shadow_called(postgres_conn_id), given)
        added = {name: value for name, value in demanded.items() if name not in given}
        stored.extra = json.dumps({**parameters, **added, **extras})
        # log_sql would log every statement, and with it values of rows.
        hook = PostgresHook(postgres_conn_id, connection=stored, log_sql=False)
        connection = cast(PgConnection, hook.get_conn())
        if opened is not None:
            opened(connection)
        return connection

    return ShadowDatabase(connect, schema=schema, name=postgres_conn_id, trust=trust)


def _extras(postgres_conn_id: str, given: str | None) -> dict[str, object]:
    """Read the extras; unknown ones would end in a traceback of libpq or of the Postgres provider."""
    try:
        extras = read_extras(given, PostgresHook.conn_type)
    except ExtrasError as error:
        raise ShadowConfigurationError(f"Shadow database '{postgres_conn_id}': {error}.") from None
    extras = {name: value for name, value in extras.items() if name.lower() not in OF_OTHER_TOOLS}
    known = {*known_parameters(), *_OF_PSYCOPG, *PostgresHook.ignored_extra_options}
    for name in extras:
        if name not in known:
            raise ShadowConfigurationError(
                f"Shadow database '{postgres_conn_id}': there is no extra field '{name}'" + did_you_mean(name, known)
            )
    check_modes(shadow_called(postgres_conn_id), extras)
    return extras
