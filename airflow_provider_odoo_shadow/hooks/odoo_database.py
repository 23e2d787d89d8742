"""Odoo's own database behind an Airflow connection."""

from __future__ import annotations

from dataclasses import asdict

from airflow_provider_odoo_shadow.hooks.masking import mask
from airflow_provider_odoo_shadow.hooks.postgres import PgConnection, open_postgres, stored_connection
from odoo_shadow.postgres.transport import KEEPALIVES
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.database.connection import DEFAULT_SCHEMA, OdooDatabase, odoo_database_called
from odoo_shadow.source.database.how_read import HowRead
from odoo_shadow.source.errors import OdooConfigurationError

_SCHEMA = "odoo_database_schema"
_OF_API = {
    "host": "odoo_url",
    "login": "odoo_user",
    "lang": "odoo_lang",
    "company_ids": "odoo_company_ids",
    "hash_secret": "odoo_hash_secret",
}
"""What a connection to the API says of Odoo, and the extras that say so without one."""
EXTRAS = (_SCHEMA, *_OF_API.values())
"""The extras of the connection that are not for PostgreSQL's client, called as the command line's variables are."""

_PARAMETERS = {"application_name": "odoo-shadow", "connect_timeout": "10", **KEEPALIVES}


def odoo_database(odoo_database_conn_id: str, api: OdooConnection | None) -> OdooDatabase:
    """Return Odoo's own database of an Airflow connection of type `postgres`. Connects when first used.

    TLS is demanded of other machines, unless the connection's extras say otherwise.

    :param api: the API beside it, whose language, companies and secret count; without it, those of the extras.
    :raises OdooConfigurationError: there is no such connection, or an extra is wrong.
    """
    subject = odoo_database_called(odoo_database_conn_id)
    _, extras = stored_connection(odoo_database_conn_id, subject, EXTRAS)
    mask(extras.get(_OF_API["hash_secret"]))
    twice = [name for name in _OF_API.values() if extras.get(name) not in (None, "")]
    if api is not None and twice:
        raise OdooConfigurationError(
            f"{subject}: remove the extra {twice[0]}: connection '{api.name}' of the API beside it says that already."
        )

    def connect() -> PgConnection:
        return open_postgres(odoo_database_conn_id, subject, parameters=_PARAMETERS, own_extras=EXTRAS)

    how = _how_read(odoo_database_conn_id, extras) if api is None else HowRead.of(api)
    schema = str(extras.get(_SCHEMA) or DEFAULT_SCHEMA)
    return OdooDatabase(odoo_database_conn_id, connect, schema, **asdict(how))


def _how_read(name: str, extras: dict[str, object]) -> HowRead:
    given = {setting: extras.get(extra) for setting, extra in _OF_API.items()}
    return HowRead.parse(
        name,
        url=given["host"],
        login=given["login"],
        lang=given["lang"],
        company_ids=given["company_ids"],
        hash_secret=given["hash_secret"],
        called=lambda setting: f"the extra {_OF_API.get(setting, setting)}",
    )
