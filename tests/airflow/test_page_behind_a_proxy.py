"""Airflow served below a path, as behind a proxy: every address of the page has that path, and no host."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.support.airflow_connections import shadow_connection
from tests.support.airflow_pages import PAGE, Visits, tags
from tests.support.many_tables import fill_with_tables
from tools import processes

REPOSITORY = Path(__file__).parents[2]
BASE = "/tools/airflow"
TABLE = "/mirrors/own/tables/odoo_shadow_wide_1"
SECONDS_TO_START = 120

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def server(visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A real API server; its address."""
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "own", tables=1, days=1)
    visits.publish(own={"schema": "own"})
    port = processes.free_port()
    address = f"http://127.0.0.1:{port}{BASE}"
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH")))),
        "AIRFLOW__API__BASE_URL": address,
    }
    command = [sys.executable, "-m", "airflow", "api-server", "--apps", "core", "--host", "127.0.0.1"]
    process = processes.start([*command, "--port", str(port), "--workers", "1"], env, tmp_path / "api-server.log")
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not is_up(address):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.25)
        yield address
    finally:
        processes.end(process)


def is_up(address: str) -> bool:
    try:
        return requests.get(f"{address}/api/v2/version", timeout=5).ok
    except requests.RequestException:
        return False


def logged_in(address: str) -> dict[str, str]:
    """Return the cookie of the administrator."""
    passwords = json.loads(Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]).read_text())
    login = {"username": "admin", "password": passwords["admin"]}
    answer = requests.post(f"{address}/auth/token", json=login, timeout=60)
    return {"_token": answer.json()["access_token"]}


def addresses(html: str) -> list[str]:
    """Return all addresses in a page."""
    found = [item.get(name) for item in tags(html) for name in ("href", "src", "action", "data-trigger", "data-run")]
    return [address for address in found if address is not None]


@pytest.mark.nightly
def test_every_address_has_the_path(server: str) -> None:
    cookies = logged_in(server)
    for path in ("/", "/mirrors/own", TABLE, f"{TABLE}/start/sync", "/nothing"):
        for host in ("127.0.0.1", "evil.example"):
            answer = requests.get(f"{server}{PAGE}{path}", cookies=cookies, headers={"Host": host}, timeout=60)
            assert answer.status_code == (404 if path == "/nothing" else 200)
            assert "evil.example" not in answer.text
            found = addresses(answer.text)
            assert len(found) >= 4
            for address in found:
                assert address.startswith(f"{BASE}/"), address
                if address.startswith(f"{BASE}{PAGE}/") and "?" not in address:
                    again = requests.get(urljoin(server, address), cookies=cookies, timeout=60)
                    assert again.status_code == 200, address
    trigger = f"{BASE}/api/v2/dags/own_sync/dagRuns"
    assert trigger in addresses(requests.get(f"{server}{PAGE}{TABLE}/start/sync", cookies=cookies, timeout=60).text)

    answer = requests.get(f"{server}{PAGE}/mirrors/own?q=x", timeout=60, allow_redirects=False)
    after = f"{BASE}{PAGE}/mirrors/own%3Fq%3Dx".replace("/", "%2F")
    assert answer.headers["location"] == f"{BASE}/api/v2/auth/login?next={after}"
    login = requests.get(urljoin(server, answer.headers["location"]), timeout=60, allow_redirects=False)
    assert login.status_code == 307 and f"{BASE}/auth/login" in login.headers["location"]

    plugins = requests.get(f"{server}/api/v2/plugins", cookies=cookies, timeout=60).json()["plugins"]
    (view,) = [view for plugin in plugins for view in plugin["external_views"] if view["url_route"] == "odoo-shadow"]
    start = requests.get(f"{server}/", timeout=60).text
    (base,) = tags(start, "base")
    for address in (view["href"], view["icon"], view["icon_dark_mode"]):  # relative, so that the browser adds the path
        resolved = urljoin(urljoin(server, str(base["href"])), address)
        assert requests.get(resolved, cookies=cookies, timeout=60).status_code == 200
