"""The MCP server over HTTP, and the command that starts it: who is served, who is not, and what it says of itself."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from mcp.server.lowlevel import Server

from odoo_shadow.knowledge.mcp.address import TOKEN as MCP_TOKEN
from odoo_shadow.knowledge.mcp.address import Address
from odoo_shadow.knowledge.mcp.http import listen, serve_http
from tests.support.mcp_site import TOKEN, Site, asking, http_server, over_http
from tests.support.roles import new_role
from tests.support.shell import Shell

pytestmark = pytest.mark.one_flavour

ASKED = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
SLOW = "SELECT count(*) FROM mart_sales a, mart_sales b, mart_sales c"
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    """Where a server answers."""
    with http_server(site) as served:
        yield served.url
        ending = served.stop(signal.SIGINT)
    assert ending.code == 130, ending.err
    assert "Stopped." in ending.err and TOKEN not in ending.err and ending.out == ""


def test_a_client_with_the_token_asks_over_http(url: str) -> None:
    with asking(over_http(url)) as client:
        assert client.query("SELECT count(*) FROM mart_sales").json["rows"] == [[3000]]


@pytest.mark.attack
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": "Bearer \u00e4\u00f6"}, 401),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_nobody_else_is_answered(url: str, changed: dict[str, str | None], status: int) -> None:
    headers = {**HEADERS, "Authorization": f"Bearer {TOKEN}", **changed}
    sent = {name: value.encode() for name, value in headers.items() if value is not None}
    answer = requests.post(url, json=ASKED, headers=sent, timeout=10)
    assert answer.status_code == status, answer.text
    assert TOKEN not in answer.text and "sale" not in answer.text


@pytest.mark.attack
def test_a_body_that_is_too_large_is_not_read(url: str) -> None:
    headers = {**HEADERS, "Authorization": f"Bearer {TOKEN}"}
    assert requests.post(url, data=b" " * 1_100_000, headers=headers, timeout=10).status_code == 413


@pytest.mark.attack
def test_the_token_is_in_no_process_list(site: Site, url: str) -> None:
    lines = [" ".join(item.info["cmdline"] or ()) for item in psutil.process_iter(["cmdline"])]
    assert any("mcp --http" in line for line in lines)
    assert not [line for line in lines if TOKEN in line]


@pytest.fixture
def shell(site: Site) -> Shell:
    return Shell(site.env)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ((), {"SUPABASE_DB_URL": None}, "SUPABASE_DB_URL"),
        (("--http", ":8765"), {}, f"{MCP_TOKEN} must be a secret"),
        (("--http", ":8765"), {MCP_TOKEN: TOKEN[:31]}, "openssl rand -hex 32"),
        (("--http", ":8765"), {MCP_TOKEN: "a" * 40}, "openssl rand -hex 32"),
        (("--http", "8765"), {MCP_TOKEN: TOKEN}, "HOST:PORT"),
        (("--http", "192.0.2.1:80"), {MCP_TOKEN: TOKEN}, "cannot be listened at"),
        (("--schema", "other"), {}, "--schema"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(
    shell: Shell, arguments: tuple[str, ...], variables: dict[str, str | None], said: str
) -> None:
    outcome = shell.run("mcp", *arguments, **variables)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err and "Traceback" not in outcome.err
    assert TOKEN not in outcome.err


@pytest.mark.attack
def test_the_syncs_own_login_is_not_served(site: Site, shell: Shell) -> None:
    outcome = shell.run("mcp", SUPABASE_DB_URL=site.owner)
    assert outcome.code == 2
    assert (
        "is a superuser" in outcome.last_error and "GRANT odoo_shadow_reader TO odoo_shadow_mcp" in outcome.last_error
    )


@pytest.mark.nightly
@pytest.mark.attack
def test_a_mirror_of_a_role_that_is_not_trusted_is_not_served(site: Site, shell: Shell) -> None:
    with new_role(site.owner) as role:
        site.as_owner("ALTER SCHEMA odoo_shadow OWNER TO {role}", role=role)
        try:
            refused = shell.run("mcp")
            superuser = shell.run("mcp", SUPABASE_DB_URL=site.owner)
        finally:
            site.as_owner("ALTER SCHEMA odoo_shadow OWNER TO CURRENT_USER")
    assert refused.code == 2 and "--trusted-roles" in refused.last_error
    assert f"(with TRUSTED_ROLES={role})" in superuser.last_error


@pytest.mark.nightly
def test_ctrl_c_ends_it_at_once_also_while_a_statement_runs(site: Site, shell: Shell) -> None:
    said: list[dict[str, object]] = [
        {"method": "initialize", "id": 1, "params": INITIALIZE},
        {"method": "notifications/initialized"},
        {"method": "tools/call", "id": 2, "params": {"name": "query", "arguments": {"sql": SLOW}}},
    ]
    with shell.start_to_talk_with("mcp") as process:
        assert process.stdin is not None
        process.stdin.writelines(json.dumps({"jsonrpc": "2.0", **item}) + "\n" for item in said)
        process.stdin.flush()
        while not site.as_owner("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)  # a statement may take 15 seconds
    assert process.returncode == 130 and err.endswith("Stopped.\n")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1]


def test_ctrl_c_is_told_also_to_who_started_it_in_the_background() -> None:
    """A shell that starts something in the background lets it ignore SIGINT, unless it listens itself."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with listen(Address("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]

            def ask_and_stop() -> None:
                assert requests.get(f"http://127.0.0.1:{port}/mcp", timeout=10).status_code == 401
                os.kill(os.getpid(), signal.SIGINT)

            with ThreadPoolExecutor(1) as beside:
                asked = beside.submit(ask_and_stop)
                with pytest.raises(KeyboardInterrupt):
                    serve_http(Server("a-server"), listening, TOKEN, is_loopback=True)
                asked.result()
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_help_shows_how_a_program_starts_it(shell: Shell) -> None:
    outcome = shell.run("mcp", "--help")
    assert '"mcpServers"' in outcome.out and MCP_TOKEN in outcome.out


@pytest.mark.nightly
def test_without_its_packages_the_command_says_what_to_install(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp" / "__init__.py").write_text("raise ModuleNotFoundError('no', name='mcp')\n")
    path = f"{tmp_path}:{shell.env.get('PYTHONPATH', '')}"
    process = Shell({**shell.env, "PYTHONPATH": path}).start("mcp")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "pip install 'odoo-shadow[mcp]'" in err
