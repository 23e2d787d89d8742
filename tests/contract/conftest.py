"""A hook to each server, through an Airflow connection, and records that are taken away afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

import psycopg
import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.api.connection import ProtocolChoice
from odoo_stand_in import StandIn
from tests.support import servers
from tests.support.flavours import Flavour
from tests.support.records import Records
from tests.support.servers import HookTo, OdooServer

CONNECTION_ID = "odoo_contract"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave JSON-2 on the stand-in of 17 out, rather than skip it dozens of times."""
    left_out = [item for item in items if _needs_what_17_has_not(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _needs_what_17_has_not(item: pytest.Item) -> bool:
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return params.get("server") == servers.stand_in_label("17") and params.get("protocol") is ProtocolChoice.JSON2


@pytest.fixture(scope="session", params=servers.labels())
def server(request: pytest.FixtureRequest) -> Iterator[OdooServer]:
    """Each server in turn. The stand-ins are this suite's own, since it changes data."""
    if request.param == servers.REAL:
        yield servers.real()
        return
    flavour: Flavour = "17" if request.param.endswith("17") else "19"
    with StandIn(request.getfixturevalue("postgres"), flavour=flavour, database=f"contract{flavour}") as odoo:
        yield servers.of_stand_in(odoo)


@pytest.fixture(scope="session")
def hook(server: OdooServer) -> Iterator[OdooHook]:
    """A hook to the server with its usual login."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"AIRFLOW_CONN_{CONNECTION_ID.upper()}", server.connection_json({}))
        opened = OdooHook(CONNECTION_ID)
        yield opened
        opened.get_conn().close()


@pytest.fixture
def hook_to(server: OdooServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HookTo]:
    """Make hooks whose connections differ: `hook_to(login=…, extras={"protocol": "xmlrpc"})`."""
    opened: list[OdooHook] = []
    numbers = count(1)

    def make(extras: Mapping[str, object] | None = None, **changed: object) -> OdooHook:
        connection_id = f"{CONNECTION_ID}_{next(numbers)}"
        monkeypatch.setenv(f"AIRFLOW_CONN_{connection_id.upper()}", server.connection_json(extras or {}, **changed))
        opened.append(OdooHook(connection_id))
        return opened[-1]

    yield make
    for one in opened:
        one.get_conn().close()


@pytest.fixture(params=list(ProtocolChoice)[1:])
def protocol(request: pytest.FixtureRequest, server: OdooServer) -> ProtocolChoice:
    """Each protocol that the server has and the credential allows."""
    chosen = ProtocolChoice(request.param)
    if chosen is ProtocolChoice.JSON2 and not (server.has_json2 and server.api_key):
        pytest.skip("JSON-2 needs Odoo 19 and an API key")
    return chosen


@pytest.fixture
def spoken(protocol: ProtocolChoice, hook_to: HookTo) -> OdooHook:
    """A hook for each protocol."""
    return hook_to({"protocol": protocol})


@pytest.fixture
def records(hook: OdooHook, server: OdooServer) -> Iterator[Records]:
    """Records of this test's own."""
    made = Records(hook, server)
    yield made
    made.clean_up()


@pytest.fixture
def sql(server: OdooServer) -> Iterator[psycopg.Connection]:
    """A connection to the server's own database, each statement in a transaction of its own."""
    if server.dsn is None:
        pytest.skip("needs ODOO_TEST_DSN")
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def limited_hook(server: OdooServer, hook_to: HookTo) -> OdooHook:
    """A hook of an internal user without further rights."""
    if server.limited is None:
        pytest.skip("needs ODOO_TEST_LIMITED_USER and ODOO_TEST_LIMITED_PASSWORD")
    login, password = server.limited
    return hook_to(login=login, password=password)


@pytest.fixture
def login_again(hook_to: HookTo) -> Iterator[None]:
    """Log in properly after a refused login: from five refusals on, Odoo refuses everything for a minute."""
    yield
    assert hook_to().test_connection()[0]
