"""Odoo's API, by an Airflow connection or by what the Vault of the shadow's database holds."""

from __future__ import annotations

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_odoo_shadow.hooks.masking import mask
from airflow_provider_odoo_shadow.hooks.odoo import OdooHook, extras_of
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.vault import OdooCredentials, read_odoo_login
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.text.given import given


def api_connection(odoo_conn_id: str, odoo_credentials: str, shadow: ShadowDatabase) -> OdooConnection:
    """Return where the API is, and the login to it.

    :param odoo_conn_id: the Airflow connection of Odoo. With the Vault only its extras count, and it need not exist.
    :param odoo_credentials: `connection` or `vault`.
    :param shadow: whose Vault is read.
    :raises MirrorConfigurationError: `odoo_credentials` is neither.
    :raises OdooConfigurationError: a field of the connection or a secret is wrong.
    :raises ShadowError: the Vault cannot be read, or lacks something.
    """
    if odoo_credentials not in [*OdooCredentials]:
        raise MirrorConfigurationError(
            f"odoo_credentials is {given(odoo_credentials)}, but must be one of {', '.join(OdooCredentials)}."
        )
    if odoo_credentials == OdooCredentials.CONNECTION:
        return OdooHook(odoo_conn_id).connection
    try:
        extra = BaseHook.get_connection(odoo_conn_id).extra
    except AirflowNotFoundException:
        extra = None
    extras = extras_of(odoo_conn_id, extra)
    found = read_odoo_login(shadow)
    mask(found.password, login=found.login)
    return OdooConnection.parse(
        "Vault",
        host=found.url,
        database=found.database,
        login=found.login,
        password=found.password,
        extras=extras,
        in_vault=True,
    )
