"""How calls travel: connections kept open, pace, certificates, and nothing that a browser or a shell adds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooError,
    OdooServerError,
)
from odoo_stand_in import Fault, StandIn
from tests.support.certificates import Certificate
from tests.support.clients import client_of
from tests.support.raw_clients import SECRET, ClientTo, failing_with
from tests.support.raw_server import DATE, RawServer, Reply, Request, relay_to, result

pytestmark = pytest.mark.both_flavours


@pytest.mark.parametrize("protocol", ["auto", "jsonrpc", "xmlrpc"])
def test_one_connection_serves_many_calls(protocol: str, shared_odoo: StandIn) -> None:
    with relay_to(shared_odoo.url) as relay:
        with client_of(shared_odoo, host=relay.url, extras={"protocol": protocol}) as client:
            for _ in range(20):
                assert client.search_count("res.partner") > 0
        assert relay.connections == 1


def test_threads_share_the_connections_that_are_allowed(shared_odoo: StandIn) -> None:
    with relay_to(shared_odoo.url) as relay:
        with client_of(shared_odoo, host=relay.url, extras={"max_connections": 2}) as client:
            expected = client.search("res.partner", order="id")
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda _: client.search("res.partner", order="id"), range(40)))
        assert found == [expected] * 40
        assert 1 <= relay.connections <= 2


def test_a_kept_connection_that_the_server_closed_costs_nothing(server: RawServer, client: OdooClient) -> None:
    client.user_id()
    server.script.extend([result(7, close=True), result([9])])
    assert client.search_count("res.partner") == 7
    assert client.execute_kw("res.partner", "create", [[{}]]) == [9]
    assert server.calls == ["search_count", "create"]
    assert server.connections == 2


def test_requests_per_second_is_kept_to(server: RawServer, client_to: ClientTo) -> None:
    client = client_to(server.url, requests_per_second=25)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: client.search_count("res.partner"), range(9)))
    arrivals = sorted(request.at for request in server.requests)
    assert len(arrivals) >= 10  # nine calls and a login
    assert arrivals[-1] - arrivals[0] >= 0.9 * (len(arrivals) - 1) / 25


def test_without_a_limit_nothing_waits(server: RawServer, client_to: ClientTo, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sleep(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr("odoo_shadow.source.api.http.time.sleep", no_sleep)
    assert client_to(server.url).search_count("res.partner") == 7


def test_cookies_are_not_kept(server: RawServer, client: OdooClient) -> None:
    cookies = {"Set-Cookie": "session_id=0123456789; Path=/; HttpOnly"}
    server.otherwise = lambda _: result(7, headers=cookies)
    for _ in range(3):
        client.search_count("res.partner")
    assert len(server.requests) == 4
    assert [one for one in server.requests if "Cookie" in one.headers] == []


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A .netrc with other credentials for the server's address."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\ndefault login o password o\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("netrc")
def test_netrc_adds_nothing(server: RawServer, client: OdooClient) -> None:
    client.search_count("res.partner")
    assert [one for one in server.requests if "Authorization" in one.headers] == []


@pytest.mark.usefixtures("netrc")
def test_netrc_does_not_replace_the_key(server: RawServer, client_to: ClientTo) -> None:
    seen: list[tuple[str, str | None]] = []

    def reply(request: Request) -> Reply:
        seen.append((request.path, request.headers.get("Authorization")))
        return json2_server(request)

    server.everything = reply
    assert client_to(server.url, protocol="json2").search_count("res.partner") == 7
    assert seen == [("/web/version", None), ("/json/2/res.partner/search_count", f"bearer {SECRET}")]


def json2_server(request: Request) -> Reply:
    return Reply(body='{"version": "19.0"}' if request.path == "/web/version" else "7")


@pytest.mark.parametrize(("field", "value"), [("password", f"пароль {SECRET}"), ("database", "пароль")])
def test_a_credential_that_no_header_can_carry_is_told(
    field: str, value: str, server: RawServer, client_to: ClientTo
) -> None:
    server.everything = json2_server
    client = client_to(server.url, protocol="json2", **{field: value})
    with failing_with(OdooConfigurationError, field):
        client.search_count("res.partner")


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A certificate that nobody knows."""
    return Certificate(tmp_path)


@pytest.fixture
def tls_server(certificate: Certificate) -> Iterator[RawServer]:
    """A server that shows it."""
    with RawServer(certificate.context) as running:
        yield running


def test_an_unknown_certificate_is_refused(tls_server: RawServer, client_to: ClientTo) -> None:
    with failing_with(OdooConfigurationError, "certificate is not trusted", "set verify to a CA file"):
        client_to(tls_server.url).search_count("res.partner")
    assert tls_server.requests == []


def test_a_certificate_that_the_ca_file_knows(
    tls_server: RawServer, certificate: Certificate, client_to: ClientTo
) -> None:
    client = client_to(tls_server.url, verify=str(certificate.path))
    assert [client.search_count("res.partner") for _ in range(3)] == [7, 7, 7]
    assert tls_server.connections == 1


@pytest.mark.parametrize("verify", ["false", False])
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verify_can_be_switched_off(verify: object, tls_server: RawServer, client_to: ClientTo) -> None:
    assert client_to(tls_server.url, verify=verify).search_count("res.partner") == 7


def test_a_certificate_for_another_host(tls_server: RawServer, certificate: Certificate, client_to: ClientTo) -> None:
    url = tls_server.url.replace("127.0.0.1", "localhost")
    with failing_with(OdooConfigurationError, "certificate is for another host name"):
        client_to(url, verify=str(certificate.path)).search_count("res.partner")
    assert tls_server.requests == []


def test_a_ca_file_that_is_missing(tls_server: RawServer, tmp_path: Path, client_to: ClientTo) -> None:
    with failing_with(OdooConfigurationError, "CA file", "verify"):
        client_to(tls_server.url, verify=str(tmp_path / "no.pem")).search_count("res.partner")


def test_a_ca_file_that_is_none(tls_server: RawServer, tmp_path: Path, client_to: ClientTo) -> None:
    (tmp_path / "nonsense.pem").write_text("nonsense")
    with failing_with(OdooConfigurationError, "the CA file holds no readable certificate", "verify"):
        client_to(tls_server.url, verify=str(tmp_path / "nonsense.pem")).search_count("res.partner")


def test_https_to_a_server_without_tls(server: RawServer, client_to: ClientTo) -> None:
    with failing_with(OdooConfigurationError, "does not speak TLS there: use http") as caught:
        client_to(server.url.replace("http:", "https:")).search_count("res.partner")
    assert "not trusted" not in str(caught[0])  # no CA file can cure this


def test_server_time_is_the_date_of_the_newest_answer(server: RawServer, client: OdooClient) -> None:
    first, second = datetime(2026, 11, 22, 12, 0, tzinfo=UTC), datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
    assert client.server_time() == first
    assert [request.path for request in server.requests] == ["/web/version"]
    server.otherwise = lambda _: result(7, date=DATE.replace(":00 GMT", ":05 GMT"))
    client.search_count("res.partner")
    assert client.server_time() == second
    assert client.server_time().tzinfo is UTC


def test_server_time_of_another_zone_is_turned_into_utc(server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: result(7, date="Sun, 22 Nov 2026 14:00:00 +0200")
    client.search_count("res.partner")
    assert client.server_time() == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, "yesterday", ""])
def test_a_server_without_a_clock(date: str | None, server: RawServer, client: OdooClient) -> None:
    server.everything = lambda _: Reply(404, date=date)
    with failing_with(OdooServerError, "no Date header"):
        client.server_time()


def test_a_stand_ins_clock(shared_client: OdooClient) -> None:
    assert abs(shared_client.server_time() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("protocol", ["jsonrpc", "xmlrpc", "auto"])
def test_no_secret_in_any_log(protocol: str, shared_odoo: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = shared_odoo.api_key
    shared_odoo.faults.add(Fault(method="search_count", status=503), Fault(method="search_count", close=True))
    with client_of(shared_odoo, password=key, extras={"protocol": protocol}) as client:
        client.search_count("res.partner")
        for model in ("no.model", "mail.thread"):
            with pytest.raises(OdooError):
                client.search_read(model, [], ["id"])
        shown = repr(client.connection) + str(client.connection)
    assert "Try 2 of 3 failed" in caplog.text
    assert key not in caplog.text + shown
