"""Text from Odoo and from other roles is shown as text: no markup, no escape codes, no credentials, nothing lost."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from odoo_stand_in import StandIn
from odoo_stand_in.faults import Fault
from tests.cli.shell import PG_PASSWORD, Outcome, Shell, shell_for
from tests.cli.test_terminal import run_on_a_terminal
from tests.conftest import OUR_LOGGERS
from tests.dags.conftest import odoo_connection
from tests.dags.test_sync_dag import run, states
from tests.source.raw_server import RawServer, Reply, Request
from tests.target.emptying import empty
from tools.embedded_postgres import drop_database, new_database

if TYPE_CHECKING:
    from airflow.sdk import DAG

ATTACKS = {
    "markup": "[/red][link=http://evil.example]honest[/link][/] :smiley:",
    "clear the screen": "\x1b[2J\x1b[1;1H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "eight bits": "\x9b2J\x9d0;owned\x9c",
    "bidi": "\u202egnp.exe\u2066",
    "lines": "one\r\nError: all is well\x0b\x85\u2028two",
    "log groups": "::group::hidden ::endgroup::",
    "hidden": "a\u200bb\ufeffc\U000e0041\x7f",
}
EVIL = " ".join(ATTACKS.values())
HONEST = "[draft] costs [/b] 5 [€] [link]"
BROKEN = json.dumps({"name": f"odoo.exceptions.UserError{EVIL}", "message": f"{HONEST} {EVIL}", "debug": EVIL})
JSON_TYPE = {"Content-Type": "application/json"}
# What rich itself writes: colours, and the cursor, which a spinner hides and moves.
OWN_CODES = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[ABCDGK])")


@pytest.fixture(scope="module")
def odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="shown", scale=0.3) as running:
        running.add_model("x_evil", {"x_name": "char", "x_kind": {"type": "char", "string": EVIL}}, label=EVIL)
        running.add_model(f"x_evil_{EVIL}")
        running.execute("x_evil", "create", {"x_name": EVIL})
        running.execute("res.company", "write", [1], {"name": EVIL})
        yield running


@pytest.fixture(autouse=True)
def no_faults(odoo: StandIn) -> Iterator[None]:
    odoo.faults.clear()
    yield
    odoo.faults.clear()


@pytest.fixture(scope="module")
def one_database(postgres: str) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture
def database(one_database: str) -> Iterator[str]:
    yield one_database
    empty(one_database)


@pytest.fixture
def shell(odoo: StandIn, database: str) -> Shell:
    return shell_for(odoo, database)


def refuse(odoo: StandIn, model: str, method: str) -> None:
    odoo.faults.add(Fault(model, method, times=1000, status=422, headers=JSON_TYPE, body=BROKEN))


def assert_plain(text: str, *, terminal: bool = False) -> None:
    """Nothing is left that a terminal or a log viewer obeys."""
    rest = OWN_CODES.sub("", text).replace("\r\n", "\n").replace("\r", "") if terminal else text
    foreign = sorted({char for char in rest if char != "\n" and not char.isprintable()})
    assert foreign == []
    assert "::group::" not in rest and "::endgroup::" not in rest
    assert not re.search(r"(?m)^\W*Error: all is well", rest)
    assert "Traceback" not in rest


def both_ways(shell: Shell, *arguments: str) -> Outcome:
    """Run the program in a pipe and on a terminal, and look at all that it shows."""
    outcome = shell.run(*arguments)
    assert_plain(outcome.out)
    assert_plain(outcome.err)
    code, shown = run_on_a_terminal(shell, *arguments)
    assert_plain(shown, terminal=True)
    assert code == outcome.code
    return outcome


def words(text: str) -> str:
    """What a table says, without its lines and the breaks within its cells."""
    return "".join(re.sub(r"[│┃\s]+", "", text))


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


def test_in_a_tasks_log(
    airflow_database: None,
    mirror_dag: Callable[..., DAG],
    odoo: StandIn,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level(logging.INFO, logger=name)
    refuse(odoo, "res.country", "search_read")
    dag_run = run(mirror_dag(models=["x_*", "res.country", "res.company"], retries=0))
    assert states(dag_run)["res.country"] == "failed"
    assert {states(dag_run)[task] for task in ("plan", "report", "x_evil", "res.company")} == {"success"}
    ours = [record for record in caplog.records if record.name.startswith(OUR_LOGGERS)]
    told = [record for record in ours if not record.name.endswith("last_words") or record.levelname == "ERROR"]
    for record in told:  # the others end a group of Airflow's own
        assert_plain(record.getMessage())
    report = "".join(record.getMessage() for record in ours if record.name.endswith("dag_factory.report"))
    assert words(HONEST) in words(report) and "┃" in report  # the table is still one
    assert "\x1b[2J" not in capsys.readouterr().out


def test_the_connections_test_message(
    airflow_database: None, monkeypatch: pytest.MonkeyPatch, odoo: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_provider_odoo_shadow.hooks.odoo import OdooHook

    refuse(odoo, "res.partner", "search_count")
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    works, message = OdooHook().test_connection()
    assert not works and HONEST in message
    assert_plain(message)


def test_airflow_hides_what_is_not_ours_to_hide(
    airflow_database: None, monkeypatch: pytest.MonkeyPatch, odoo: StandIn
) -> None:
    from airflow.sdk._shared.secrets_masker import redact

    from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
    from odoo_shadow.text.redaction import forms_of

    secret = 'Hash-"secret"/of & 20+ characters'
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo, hash_secret=secret))
    assert OdooHook().connection.hash_secret == secret
    for form in (*forms_of(secret), *forms_of(odoo.api_key, odoo.login)):
        assert form not in str(redact(f"KeyError: {form}"))
    assert redact("watermark of odoo_shadow_payment_token: 2026-01-01") == (
        "watermark of odoo_shadow_payment_token: 2026-01-01"
    )
