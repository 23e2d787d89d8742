"""The shadow database behind an Airflow connection."""

from __future__ import annotations

import json
from typing import cast

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_odoo_shadow.target.database import KEEPALIVES, PgConnection, ShadowDatabase
from airflow_provider_odoo_shadow.target.errors import ShadowConfigurationError
from airflow_provider_odoo_shadow.target.transport import protected
from airflow_provider_odoo_shadow.target.trust import NOBODY_ELSE, Trust
from airflow_provider_odoo_shadow.text.redaction import protect

_OF_LIBPQ = ("hostaddr", "service", "sslmode", "require_auth")
"""The extras that decide how the connection is protected."""


def shadow_database(postgres_conn_id: str, schema: str, trust: Trust = NOBODY_ELSE) -> ShadowDatabase:
    """Return the shadow database of an Airflow connection of type `postgres`. Connects when first used.

    TLS is demanded of other machines, unless the connection's extras say otherwise.
    """

    def connect() -> PgConnection:
        try:
            stored = PostgresHook.get_connection(postgres_conn_id)
        except AirflowNotFoundException:
            raise ShadowConfigurationError(
                f"There is no Airflow connection '{postgres_conn_id}': add it, of type Postgres, "
                "under Admin > Connections."
            ) from None
        protect(stored.password, login=stored.login or "")
        extras = stored.extra_dejson
        given = {"host": stored.host or "", **{name: str(extras[name]) for name in _OF_LIBPQ if name in extras}}
        added = {name: value for name, value in protected(postgres_conn_id, given).items() if name not in given}
        stored.extra = json.dumps({**KEEPALIVES, **added, **extras})
        # log_sql would log every statement, and with it values of rows.
        return cast(PgConnection, PostgresHook(postgres_conn_id, connection=stored, log_sql=False).get_conn())

    return ShadowDatabase(connect, schema=schema, name=postgres_conn_id, trust=trust)
