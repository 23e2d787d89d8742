"""A stand-in spoken to over plain HTTP."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import requests

from odoo_stand_in import StandIn


class Wire:
    """The three protocols, without any client code of the project."""

    def __init__(self, odoo: StandIn) -> None:
        self.odoo = odoo
        self.session = requests.Session()

    def jsonrpc(self, service: str, method: str, *args: Any) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "id": 1, "params": {"service": service, "method": method, "args": args}}
        answer = self.session.post(f"{self.odoo.url}/jsonrpc", json=body, timeout=20)
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told

    def call(self, model: str, method: str, *args: Any, secret: str | None = None, uid: int = 2, **kwargs: Any) -> Any:
        secret = secret or self.odoo.password
        told = self.jsonrpc("object", "execute_kw", self.odoo.database, uid, secret, model, method, args, kwargs)
        return told["error"]["data"] if "error" in told else told.get("result")

    def json2(self, model: str, method: str, body: Any, key: str | None = None) -> requests.Response:
        headers = {"Authorization": f"bearer {key or self.odoo.api_key}", "X-Odoo-Database": self.odoo.database}
        return self.session.post(f"{self.odoo.url}/json/2/{model}/{method}", json=body, headers=headers, timeout=20)

    def xmlrpc(self, model: str, method: str, *args: Any) -> Any:
        with xmlrpc.client.ServerProxy(f"{self.odoo.url}/xmlrpc/2/object") as proxy:
            return proxy.execute_kw(self.odoo.database, 2, self.odoo.password, model, method, args)
