"""Text from Odoo and from other roles is shown as text: no markup, no escape codes, no credentials, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.evil_texts import EVIL, HONEST, assert_plain, evil_odoo, refuse, words
from tests.support.raw_server import RawServer, Reply, Request
from tests.support.shell import PG_PASSWORD, Outcome, Shell, shell_for
from tests.support.terminal import run_on_a_terminal

pytestmark = pytest.mark.attack


@pytest.fixture(scope="module")
def odoo(postgres: str) -> Iterator[StandIn]:
    with evil_odoo(postgres, "shown") as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults(odoo: StandIn) -> Iterator[None]:
    odoo.faults.clear()
    yield
    odoo.faults.clear()


@pytest.fixture
def shell(odoo: StandIn, database: str) -> Shell:
    return shell_for(odoo, database)


def both_ways(shell: Shell, *arguments: str) -> Outcome:
    """Run the program in a pipe and on a terminal, and look at all that it shows."""
    outcome = shell.run(*arguments)
    assert_plain(outcome.out)
    assert_plain(outcome.err)
    code, shown = run_on_a_terminal(shell, *arguments)
    assert_plain(shown, terminal=True)
    assert code == outcome.code
    return outcome


def test_models_and_what_is_left_out(shell: Shell, odoo: StandIn) -> None:
    refuse(odoo, "res.country", "search_count")
    outcome = both_ways(shell, "models", "--models", "x_*,res.country,res.company", "--why")
    assert outcome.code == 0
    assert "Odooallowsnosuchname" in words(outcome.out)


def test_json_is_exact(shell: Shell, odoo: StandIn) -> None:
    outcome = shell.run("models", "--models", "x_*", "--json")
    assert outcome.code == 0
    assert outcome.out.isascii() and outcome.out.replace("\n", "").isprintable()
    left_out = {item["model"] for item in json.loads(outcome.out)["left_out"]}
    assert f"x_evil_{EVIL}" in left_out


def test_a_sync_and_its_dry_run(shell: Shell, odoo: StandIn) -> None:
    refuse(odoo, "res.country", "fields_get")
    models = ("--models", "x_evil,res.country,res.company")
    assert both_ways(shell, "sync", *models, "--dry-run").code == 1
    outcome = both_ways(shell, "sync", *models)
    assert outcome.code == 1
    assert HONEST in outcome.err


def test_doctor(shell: Shell, odoo: StandIn) -> None:
    refuse(odoo, "res.country", "fields_get")
    outcome = both_ways(shell, "doctor", "--models", "x_evil,res.country,res.company")
    assert words(HONEST) in words(outcome.out)


def test_status_and_verify_of_a_registry_that_another_role_wrote(shell: Shell, odoo: StandIn, database: str) -> None:
    assert shell.run("sync", "--models", "x_evil,res.company").code == 0
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_meta (table_name, odoo_model, row_count, last_sync_at, sync_errors)"
            " VALUES ('x', %s, 1, now(), 1)",
            [f"x_evil_{EVIL}"],
        )
    both_ways(shell, "status")
    refuse(odoo, "res.company", "search_read")
    outcome = both_ways(shell, "verify")
    assert outcome.code == 1
    assert HONEST in outcome.err


def test_ddl_and_its_files(shell: Shell, odoo: StandIn, database: str, tmp_path: Path) -> None:
    outcome = both_ways(shell, "ddl", "--models", "x_*", "--output", str(tmp_path))
    assert outcome.code == 0
    for file in sorted(tmp_path.iterdir()):
        text = file.read_text(encoding="utf-8")
        assert_plain(text)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(text.encode())


@pytest.mark.sampled
@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "--odoo-timeout", EVIL),
        ("sync", "--odoo-protocol", EVIL),
        ("sync", "--models", EVIL),
        ("sync", "--batch-size", EVIL),
        ("sync", "--config", f"/no/{EVIL}"),
        ("sync", EVIL),
        ("sync", f"--{EVIL}"),
        (EVIL,),
        ("ddl", "--models", "res.company", "--output", f"/dev/null/{EVIL}"),
        ("status", "--schema", EVIL),
    ],
    ids=lambda arguments: " ".join(arguments)[:20],
)
def test_what_is_typed_or_stands_in_a_variable(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert both_ways(shell, *arguments).code == 2


def test_a_secret_in_the_wrong_place_is_not_repeated(shell: Shell) -> None:
    secret = shell.env["ODOO_PASSWORD"]
    for changed in ({"ODOO_TIMEOUT": secret}, {"ODOO_PROTOCOL": secret}, {"ODOO_URL": f"ftp://{secret}"}):
        outcome = shell.run("sync", **changed)
        assert outcome.code == 2 and secret not in outcome.err
    for arguments in ([secret], ["sync", secret], ["sync", "--batch-size", secret], ["sync", f"--nonsense={secret}"]):
        outcome = shell.run(*arguments, ODOO_PASSWORD=secret)
        assert outcome.code == 2 and secret not in outcome.err
    outcome = shell.run(
        "sync", "--supabase-db-url", f"postgresql://me:{PG_PASSWORD}@x", PG_PASSWORD, SUPABASE_DB_URL=""
    )
    assert outcome.code == 2 and PG_PASSWORD not in outcome.err


def test_a_traceback_is_shown_only_when_asked_for_and_without_secrets(shell: Shell, odoo: StandIn) -> None:
    outcome = shell.run("sync", "--models", "res.company", "--verbose", ODOO_URL="http://127.0.0.1:1")
    assert outcome.code == 2 and "Traceback" in outcome.err
    assert odoo.api_key not in outcome.err and PG_PASSWORD not in outcome.err


def nonsense(request: Request) -> Reply:
    """Answer with what Odoo never says, and repeat the credential."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": [{"model": None}, {EVIL: EVIL}, request.body.decode()]})
    return Reply(body=body, headers={"X-Evil": "a\x1b[2Jb"})


@pytest.mark.parametrize("command", ["models", "sync", "doctor", "ddl"])
def test_answers_that_nobody_expects_end_in_one_sentence(shell: Shell, command: str, tmp_path: Path) -> None:
    with RawServer() as server:
        server.otherwise = nonsense
        output = ("--output", str(tmp_path)) if command == "ddl" else ()
        changed = {"ODOO_URL": server.url, "ODOO_PASSWORD": "hunter2-hunter2"}
        outcome = shell.run(command, "--models", "res.*", *output, **changed)
        verbose = shell.run(command, "--models", "res.*", *output, "--verbose", **changed)
    assert outcome.code in (1, 2)
    assert_plain(outcome.out + outcome.err)
    assert "hunter2" not in outcome.out + outcome.err + verbose.out + verbose.err
    assert "\x1b" not in verbose.err


def broken(request: Request) -> Reply:
    """Answer properly, but for a header that is none and repeats the request."""
    version = request.path == "/jsonrpc" and request.call == "version"
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"server_version": "17.0"} if version else False}
    body = json.dumps(answer).encode()
    status = b"404 Not Found" if request.path == "/web/version" else b"200 OK"
    head = b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: %d\r\n" % (status, len(body))
    head += b"Content-Type: application/json\r\n"
    return Reply(raw=head + b"no header\x1b[2J " + request.body + b"\r\n\r\n" + body)


def test_broken_headers_are_not_passed_on(shell: Shell) -> None:
    """urllib3 warns of them, with the headers in the warning, and a traceback."""
    with RawServer() as server:
        server.everything = broken
        changed = {"ODOO_URL": server.url, "ODOO_PASSWORD": "hunter2-hunter2", "ODOO_PROTOCOL": "jsonrpc"}
        outcome = shell.run("sync", "--models", "res.company", **changed)
    assert outcome.code == 2
    assert "Failed to parse headers" in outcome.err
    assert_plain(outcome.out + outcome.err)
    assert "hunter2" not in outcome.err
