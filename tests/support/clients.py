"""The engine's own clients and sources, for stand-ins."""

from __future__ import annotations

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn


def client_of(odoo: StandIn, **changed: object) -> OdooClient:
    """Return a client for a stand-in: by JSON-2 with the API key on 19, by JSON-RPC with the password on 17.

    :param changed: fields of `OdooConnection.parse` to give otherwise.
    """
    fields: dict[str, object] = {
        "host": odoo.url,
        "database": odoo.database,
        "login": odoo.login,
        "password": odoo.api_key if odoo.flavour == "19" else odoo.password,
    }
    return OdooClient(OdooConnection.parse("odoo_test", **{**fields, **changed}))  # type: ignore[arg-type]


def source_of(odoo: StandIn, **changed: object) -> ApiSource:
    """Return a stand-in as a source. See `client_of`."""
    return ApiSource(client_of(odoo, **changed))


def limited_source_of(odoo: StandIn) -> ApiSource:
    """Return a stand-in as a source for a login without rights on accounting."""
    password = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    return source_of(odoo, login=odoo.limited_login, password=password)
