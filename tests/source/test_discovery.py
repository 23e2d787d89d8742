"""What a login without rights is told of an Odoo 16, which no stand-in imitates."""

from __future__ import annotations

import json

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.discovery import discover_models
from odoo_shadow.source.models import ModelKind
from tests.support.raw_server import RawServer, Reply, Request, result

FIELDS = {"write_date": {"type": "datetime", "store": True}}
REFUSED = {"name": "odoo.exceptions.AccessError", "message": "No group allows this.", "debug": "Traceback"}


def odoo_16(request: Request) -> Reply:
    """Answer as Odoo 16 does: wizards are among the models, and `ir.model` may not be read."""
    if request.path != "/jsonrpc":
        return Reply(404, "<html>no</html>", "text/html")
    names = ("res.partner", "sale.advance.payment.inv", "x_wizard")
    answers = {
        "version": {"server_version": "16.0"},
        "authenticate": 7,
        "get_available_models": [{"model": name, "display_name": name} for name in names],
        "fields_get": FIELDS,
    }
    if request.call in answers:
        return result(answers[request.call])
    error = {"code": 200, "message": "Odoo Server Error", "data": REFUSED}
    return Reply(body=json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}))


def test_wizards_of_odoo_are_known_by_name_to_who_may_not_ask(server: RawServer, client: OdooClient) -> None:
    server.everything = odoo_16
    found = {model.name: model.kind for model in discover_models(client).models}
    assert found == {
        "res.partner": ModelKind.TABLE,
        "sale.advance.payment.inv": ModelKind.TRANSIENT,
        "x_wizard": ModelKind.TABLE,
    }
