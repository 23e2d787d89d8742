"""The shadow database behind an Airflow connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_provider_odoo_shadow.hooks.postgres import open_postgres
from odoo_shadow.postgres.transport import KEEPALIVES
from odoo_shadow.shadow.connection.database import PgConnection, ShadowDatabase
from odoo_shadow.shadow.errors import shadow_called
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust


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
        connection = open_postgres(postgres_conn_id, shadow_called(postgres_conn_id), parameters=parameters)
        if opened is not None:
            opened(connection)
        return connection

    return ShadowDatabase(connect, schema=schema, name=postgres_conn_id, trust=trust)
