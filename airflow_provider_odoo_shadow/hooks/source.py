"""What the engine mirrors from: Odoo's API, or Odoo's own database with or without the API beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from airflow_provider_odoo_shadow.hooks.odoo_database import odoo_database
from airflow_provider_odoo_shadow.hooks.vault import api_connection
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.vault import OdooCredentials
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source, beside_of
from odoo_shadow.text.given import given


@contextmanager
def odoo_source(
    shadow: ShadowDatabase,
    *,
    source: str,
    odoo_conn_id: str | None,
    odoo_credentials: str,
    odoo_database_conn_id: str | None,
    at_once: int = 1,
) -> Iterator[Source]:
    """Open what the engine mirrors from.

    :param shadow: whose Vault is read if `odoo_credentials` says so.
    :param source: `api` or `database`.
    :param odoo_conn_id: the Airflow connection of the API; None for the default one, or for no API beside the database.
    :param odoo_credentials: `connection`, or `vault` for the API's address and login from the Vault.
    :param odoo_database_conn_id: the Airflow connection of Odoo's own database.
    :param at_once: how many tasks of a run ask Odoo at the same time; together they keep to `requests_per_second`.
    :raises MirrorConfigurationError: an argument is wrong, or there is no connection of Odoo's own database.
    :raises OdooConfigurationError: a field of a connection or a secret is wrong.
    :raises ShadowError: the Vault cannot be read, or lacks something.
    """
    if source not in [*SourceKind]:
        raise MirrorConfigurationError(f"source is {given(source)}, but must be one of {', '.join(SourceKind)}.")
    conn_id = odoo_conn_id or OdooHook.default_conn_name
    if source == SourceKind.API:
        with ApiSource(OdooClient(api_connection(conn_id, odoo_credentials, shadow).shared(at_once))) as odoo:
            yield odoo
        return
    if not odoo_database_conn_id:
        raise MirrorConfigurationError(
            "The source database needs odoo_database_conn_id, the Airflow connection of Odoo's own database (type "
            "Postgres)."
        )
    has_beside = odoo_conn_id is not None or odoo_credentials == OdooCredentials.VAULT
    api = api_connection(conn_id, odoo_credentials, shadow).shared(at_once) if has_beside else None
    with (
        nullcontext() if api is None else ApiSource(OdooClient(api)) as beside,
        DatabaseSource(odoo_database(odoo_database_conn_id, api), beside) as odoo,
    ):
        yield odoo


@contextmanager
def mirrors_own_source(witness: Source, *, source: str, odoo_database_conn_id: str | None) -> Iterator[Source | None]:
    """Open the source that a mirror is made from, where another one is asked; None if it is that one, or not known.

    :param witness: the source that is asked.
    :param source: what the mirror is made from.
    :raises OdooConfigurationError: the connection of Odoo's own database is wrong.
    """
    if witness.access.kind == source:
        yield None
    elif isinstance(witness, ApiSource) and odoo_database_conn_id:
        with DatabaseSource(odoo_database(odoo_database_conn_id, witness.client.connection), witness) as own:
            yield own
    else:
        yield beside_of(witness)
