"""What is tried again, how often, after which wait; and what never is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from odoo_shadow.source.api.client import ATTEMPTS, LONGEST_WAIT, OdooClient
from odoo_shadow.source.errors import (
    OdooAuthenticationError,
    OdooError,
    OdooFatalError,
    OdooServerError,
    OdooThrottledError,
    OdooUnreachableError,
)
from odoo_stand_in import Fault, StandIn
from tests.support.clients import client_of
from tests.support.raw_clients import ClientTo, failing_with
from tests.support.raw_server import RawServer, Reply

pytestmark = pytest.mark.both_flavours

Call = Callable[[OdooClient], object]
READS: dict[str, Call] = {
    "search_read": lambda client: client.search_read("res.partner", [], ["id"], limit=1),
    "search": lambda client: client.search("res.partner", limit=1),
    "search_count": lambda client: client.search_count("res.partner"),
    "fields_get": lambda client: client.fields_get("res.partner", ["type"]),
    "read": lambda client: client.execute_kw("res.partner", "read", [[1], ["name"]]),
}
OTHERS: dict[str, Call] = {
    "create": lambda client: client.execute_kw("res.partner", "create", [[{"name": "once only"}]]),
    "write": lambda client: client.execute_kw("res.partner", "write", [[1], {"color": 1}]),
    "unlink": lambda client: client.execute_kw("res.partner", "unlink", [[2**31 - 1]]),
    "a_method_of_a_module": lambda client: client.execute_kw("res.partner", "a_method_of_a_module"),
}


def broken_off(method: str, times: int = 1) -> Fault:
    return Fault(model="res.partner", method=method, times=times, close=True)


def tried(odoo: StandIn, method: str) -> int:
    return odoo.calls.count(("res.partner", method))


@pytest.mark.parametrize("method", READS)
def test_reading_is_tried_three_times(method: str, shared_odoo: StandIn) -> None:
    with client_of(shared_odoo) as client:
        shared_odoo.faults.add(broken_off(method, ATTEMPTS - 1))
        READS[method](client)
        assert tried(shared_odoo, method) == ATTEMPTS
        shared_odoo.faults.add(broken_off(method, ATTEMPTS))
        with failing_with(OdooUnreachableError, name="odoo_test"):
            READS[method](client)
        assert tried(shared_odoo, method) == 2 * ATTEMPTS


@pytest.mark.parametrize("method", OTHERS)
def test_writing_is_never_tried_twice(method: str, shared_odoo: StandIn) -> None:
    with client_of(shared_odoo) as client:
        client.user_id()
        for fault in (broken_off(method), Fault(method=method, status=503), Fault(method=method, status=429)):
            shared_odoo.faults.clear()
            shared_odoo.calls.clear()
            shared_odoo.faults.add(fault)
            with pytest.raises(OdooError):
                OTHERS[method](client)
            assert tried(shared_odoo, method) == 1
        assert client.search("res.partner", [("name", "=", "once only")]) == []


def test_the_login_is_tried_again(shared_odoo: StandIn) -> None:
    shared_odoo.faults.add(Fault(times=ATTEMPTS - 1, status=503))
    with client_of(shared_odoo, extras={"protocol": "jsonrpc"}) as client:
        assert client.user_id() == 2
    assert shared_odoo.calls == [("common", "authenticate")] * ATTEMPTS


def test_finding_the_version_is_tried_again(shared_odoo: StandIn) -> None:
    first = ("web", "version") if shared_odoo.flavour == "19" else ("common", "version")
    shared_odoo.faults.add(Fault(method="version", times=ATTEMPTS - 1, status=503))
    with client_of(shared_odoo) as client:
        assert client.version.major == int(shared_odoo.flavour)
    assert shared_odoo.calls == [first] * ATTEMPTS


FATAL: dict[str, Call] = {
    "unknown model": lambda client: client.search_count("no.model"),
    "unknown field": lambda client: client.search_read("res.partner", [], ["no_field"]),
    "abstract model": lambda client: client.search_read("mail.thread", [], ["id"]),
    "nonsense": lambda client: client.search("res.partner", [("id", "~~", 1)]),
}


@pytest.mark.parametrize("what", FATAL)
def test_refusals_are_not_tried_again(what: str, shared_odoo: StandIn) -> None:
    with client_of(shared_odoo) as client:
        client.user_id()
        shared_odoo.calls.clear()
        with pytest.raises(OdooFatalError):
            FATAL[what](client)
        assert len(shared_odoo.calls) == 1


def test_a_wrong_password_is_not_tried_again(shared_odoo: StandIn) -> None:
    with (
        client_of(shared_odoo, password="wrong", extras={"protocol": "jsonrpc"}) as client,
        failing_with(OdooAuthenticationError, name="odoo_test"),
    ):
        client.search_count("res.partner")
    assert shared_odoo.calls == [("common", "authenticate")]


@pytest.mark.parametrize("reason", ["SerializationFailure", "DeadlockDetected", "LockNotAvailable"])
def test_passing_trouble_of_the_database_is_tried_again(reason: str, server: RawServer, client: OdooClient) -> None:
    error = f'{{"error": {{"data": {{"name": "psycopg2.errors.{reason}", "message": "could not\\nx"}}}}}}'
    server.script.extend([Reply(body=error)] * (ATTEMPTS - 1))
    assert client.search_count("res.partner") == 7
    assert len(server.calls) == ATTEMPTS


def throttled(retry_after: str | None, status: int = 429) -> Reply:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(status, "slow down", "text/plain", headers)


def test_429_waits_as_long_as_the_server_asks(server: RawServer, client: OdooClient) -> None:
    server.script.append(throttled("1"))
    assert client.search_count("res.partner") == 7
    first, second = server.requests[-2:]
    assert second.at - first.at >= 0.9


@pytest.mark.parametrize("asked", [None, "0", "soon", "-5", "1.5"])
def test_429_without_a_usable_wait_is_tried_again_soon(
    asked: str | None, server: RawServer, client: OdooClient
) -> None:
    server.otherwise = lambda _: throttled(asked)
    with failing_with(OdooThrottledError, "HTTP 429", "lower requests_per_second") as caught:
        client.search_count("res.partner")
    assert not caught[0].retry_after
    assert len(server.calls) == ATTEMPTS


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_is_left_to_the_task(status: int, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: throttled("3600", status)
    kind = OdooThrottledError if status == 429 else OdooServerError
    with failing_with(kind, f"HTTP {status}") as caught:
        client.search_count("res.partner")
    assert caught[0].retry_after == 3600
    assert len(server.calls) == 1


def test_a_wait_until_a_date(server: RawServer, client: OdooClient) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    server.otherwise = lambda _: throttled(format_datetime(until, usegmt=True))
    with failing_with(OdooThrottledError, "asks to wait 3") as caught:
        client.search_count("res.partner")
    wait = caught[0].retry_after
    assert wait is not None
    assert LONGEST_WAIT < 3500 < wait <= 3600
    assert len(server.calls) == 1


def test_a_date_that_is_over_means_now(server: RawServer, client: OdooClient) -> None:
    server.script.append(throttled("Sun, 06 Nov 1994 08:49:37 GMT"))
    assert client.search_count("res.partner") == 7


@pytest.mark.parametrize("asked", ["\xb2", "9" * 400, "Mon, 01 Jan 0001 00:00:00 +2300", ""])
def test_an_odd_wait_does_not_break_the_error(asked: str, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: throttled(asked)
    with failing_with(OdooThrottledError, "HTTP 429"):
        client.search_count("res.partner")


def test_what_others_wait_for_is_the_longest_wait_too(server: RawServer, client_to: ClientTo) -> None:
    server.otherwise = lambda _: throttled(str(int(LONGEST_WAIT) + 1))
    with failing_with(OdooThrottledError, "asks to wait 31 s"):
        client_to(server.url).search_count("res.partner")
    assert len(server.calls) == 1
