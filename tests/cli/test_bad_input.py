"""Bad input: one clear sentence, the right exit code, no traceback, no secret."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from odoo_stand_in import Fault, StandIn
from tests.support.catalog import contents, structure
from tests.support.flavours import Flavour
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import PG_PASSWORD, Outcome, Shell
from tests.support.source_of_truth import assert_equal, shadow_rows

HUNTER = "odoo-hunter2"
HTML = "<!DOCTYPE html><html><body>Maintenance</body></html>"
ALWAYS = 1000
MODELS = ("--models", "res.company,res.partner")


@dataclass(frozen=True)
class BadInput:
    """Variables that are wrong, and what is said of them."""

    said: tuple[str, ...]
    env: dict[str, str]
    fault: Fault | None = None


# Port 1 is that of tcpmux, which nobody runs.
BAD_INPUT = {
    "no Odoo there": BadInput(("cannot be reached", "check the URL"), {"ODOO_URL": "http://127.0.0.1:1"}),
    "no such host": BadInput(("cannot be reached",), {"ODOO_URL": "https://no-such-host.invalid"}),
    "not a URL": BadInput(
        ("ODOO_URL (--odoo-url) is not a URL such as",), {"ODOO_URL": f"ftp://me:{HUNTER}@example.com"}
    ),
    "another path": BadInput(("no Odoo API at", "check the URL"), {"ODOO_URL": "{url}/elsewhere"}),
    "wrong password": BadInput(("refused the login 'admin'",), {"ODOO_PASSWORD": HUNTER}),
    "wrong key": BadInput(("refused the login 'admin'", "API keys expire"), {"ODOO_PASSWORD": "0" * 40}),
    "wrong login": BadInput(("refused the login 'nobody'",), {"ODOO_USER": "nobody", "ODOO_PASSWORD": HUNTER}),
    "expired key": BadInput(("refused the login 'admin'", "API keys expire"), {"ODOO_PASSWORD": "{expired}"}),
    "unknown database": BadInput(("no database 'nonsense'",), {"ODOO_DB": "nonsense"}),
    "unknown database by JSON-RPC": BadInput(
        ("no database 'nonsense'",), {"ODOO_DB": "nonsense", "ODOO_PROTOCOL": "jsonrpc"}
    ),
    "no CA file": BadInput(
        ("cannot read the CA file", "verify"), {"ODOO_URL": "https://127.0.0.1:1", "ODOO_VERIFY": "/no/such/file"}
    ),
    "nonsense for a timeout": BadInput(("timeout", "above zero"), {"ODOO_TIMEOUT": "-1"}),
    "nonsense for connections": BadInput(("ODOO_MAX_CONNECTIONS", "above zero"), {"ODOO_MAX_CONNECTIONS": "0"}),
    "nonsense for a pace": BadInput(("ODOO_REQUESTS_PER_SECOND", "between"), {"ODOO_REQUESTS_PER_SECOND": "1e-9"}),
    "nonsense for companies": BadInput(("ODOO_COMPANY_IDS", "company ids, such as"), {"ODOO_COMPANY_IDS": "one"}),
    "a page of HTML": BadInput(("a page of HTML",), {}, Fault(times=ALWAYS, status=200, body=HTML)),
    "a proxy's 502": BadInput(("failed (HTTP 502)",), {}, Fault(times=ALWAYS, status=502, body=HTML)),
    "too many calls": BadInput(
        ("HTTP 429", "asks to wait 3600 s"), {}, Fault(times=ALWAYS, status=429, headers={"Retry-After": "3600"})
    ),
    "no answer in time": BadInput(
        ("did not answer within 0.2 s",), {"ODOO_TIMEOUT": "0.2"}, Fault(times=ALWAYS, delay=0.4)
    ),
    "no PostgreSQL there": BadInput(
        ("Shadow database 'SUPABASE_DB_URL' cannot be reached", "check the host, the port"),
        {"SUPABASE_DB_URL": f"postgresql://postgres:{PG_PASSWORD}@127.0.0.1:1/postgres"},
    ),
    "no PostgreSQL URL": BadInput(
        ("must be a PostgreSQL URL, such as",), {"SUPABASE_DB_URL": f"https://postgres:{PG_PASSWORD}@db.example.com"}
    ),
    "unknown PostgreSQL database": BadInput(
        ('database "nonsense" does not exist',), {"SUPABASE_DB_URL": "{server}/nonsense{query}"}
    ),
    "unknown role": BadInput(('role "nobody" does not exist',), {"SUPABASE_DB_URL": "{as_nobody}"}),
}


# With --verbose, only those that hold a secret, and one that is tried again.
WITH_SECRETS = [name for name, wrong in BAD_INPUT.items() if wrong.fault is None and "no " not in name] + [
    "no PostgreSQL there"
]


@pytest.fixture(params=list(BAD_INPUT))
def bad(request: pytest.FixtureRequest, odoo19: StandIn, shell: Shell) -> BadInput:
    wrong = BAD_INPUT[request.param]
    database = shell.env["SUPABASE_DB_URL"]
    server, _, rest = database.rpartition("/db_")
    values = {
        "url": odoo19.url,
        "expired": odoo19.expired_api_key,
        "server": server,
        "query": rest[rest.index("?") :],
        "as_nobody": database.replace("//postgres:", "//nobody:"),
    }
    if wrong.fault is not None:
        odoo19.faults.add(Fault(**vars(wrong.fault)))
    return BadInput(wrong.said, {name: text.format(**values) for name, text in wrong.env.items()})


def assert_clear(outcome: Outcome, shell: Shell, said: tuple[str, ...], *, code: int = 2) -> None:
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.err + outcome.out
    assert outcome.last_error.startswith("Error: " if code == 2 else "res."), outcome.err
    for words in said:
        assert words in outcome.last_error
    assert_no_secret(outcome, shell)


def assert_no_secret(outcome: Outcome, shell: Shell) -> None:
    for secret in (*shell.secrets, HUNTER, "0" * 40):
        assert secret not in outcome.out + outcome.err


@pytest.mark.sampled
def test_a_sync_that_cannot_begin(shell: Shell, bad: BadInput, database: str) -> None:
    outcome = shell.run("sync", *MODELS, **bad.env)
    assert_clear(outcome, shell, bad.said)
    assert outcome.out == ""
    assert structure(database)["relations"] == []  # nothing half-written
    retries = [line for line in outcome.err.splitlines() if line.startswith("WARNING")]
    assert len(retries) <= 2
    assert outcome.err.count("Error: ") == 1


@pytest.mark.parametrize("bad", WITH_SECRETS, indirect=True)
def test_with_verbose_there_is_a_traceback_but_no_secret(shell: Shell, bad: BadInput) -> None:
    outcome = shell.run("sync", *MODELS, "--verbose", **bad.env)
    assert outcome.code == 2
    assert "Traceback" in outcome.err
    assert outcome.last_error.startswith("Error: ")
    assert_no_secret(outcome, shell)


@pytest.mark.parametrize("command", [["sync", "--dry-run"], ["ddl"]], ids=" ".join)
@pytest.mark.parametrize("name", ["no Odoo there", "wrong password", "unknown database"])
def test_the_other_commands_say_the_same(shell: Shell, command: list[str], name: str, tmp_path: Path) -> None:
    where = ["--output", str(tmp_path / "migrations")] if command == ["ddl"] else []
    assert_clear(shell.run(*command, *where, **BAD_INPUT[name].env), shell, BAD_INPUT[name].said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["no PostgreSQL there", "no PostgreSQL URL"])
def test_so_does_status(shell: Shell, name: str) -> None:
    assert_clear(shell.run("status", **BAD_INPUT[name].env), shell, BAD_INPUT[name].said)


def test_a_wrong_password_of_odoo_17(shell: Shell, shared_odoos: dict[Flavour, StandIn]) -> None:
    odoo = shared_odoos["17"]
    outcome = shell.run("sync", ODOO_URL=odoo.url, ODOO_DB=odoo.database, ODOO_PASSWORD=HUNTER)
    assert_clear(outcome, shell, ("refused the login 'admin'",))


def test_json_2_of_odoo_17(shell: Shell, shared_odoos: dict[Flavour, StandIn]) -> None:
    odoo = shared_odoos["17"]
    changed = {"ODOO_URL": odoo.url, "ODOO_DB": odoo.database, "ODOO_PASSWORD": odoo.api_key}
    outcome = shell.run("sync", **changed, ODOO_PROTOCOL="json2")
    assert_clear(outcome, shell, ("is Odoo 17.0, which has no JSON-2", "set protocol to auto or jsonrpc"))
    assert odoo.api_key not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--batch-size", "0"], "--batch-size"),
        (["--batch-size", "ten"], "--batch-size"),
        (["--batch-size", "1000000"], "--batch-size"),
        (["--look-back", "-1"], "--look-back"),
        (["--models", ""], "No models are named"),
        (["--models", "res partner"], "'res partner' is not a model's name"),
        (["--models", "res.partner,res.partner"], "listed twice: res.partner"),
        (["--models", "x;DROP TABLE y"], "is not a model's name"),
        (["--odoo-protocol", "soap"], "--odoo-protocol"),
        (["--nonsense"], "No such option"),
        (["--schema", ""], "A schema must have a name: choose one, such as odoo_shadow."),
        (["--schema", "pg_x"], "Schema 'pg_x' cannot hold a mirror: PostgreSQL reserves this name."),
        (["--schema", "information_schema"], "Schema 'information_schema' cannot hold a mirror"),
        (["--schema", "a" * 70], "cannot hold a mirror: its name is longer than 63 bytes, which PostgreSQL would cut."),
        (["--models", "res.partner", "--models=res.users"], "--models is given twice: write one list, with commas."),
        (["--odoo-company-ids", "1", "--odoo-company-ids", "2"], "--odoo-company-ids is given twice"),
        (
            ["--odoo-company-ids", ","],
            "ODOO_COMPANY_IDS (--odoo-company-ids) is text, but must be company ids, such as 1,3",
        ),
        (["--full", "true"], "unexpected extra argument (true)"),
        (["res.partner"], "Models are named by an option: write --models res.partner."),
        (["--models", "res.users", "sale.*", "--full"], "write --models 'res.users,sale.*'."),
    ],
)
def test_wrong_usage(shell: Shell, odoo19: StandIn, database: str, arguments: list[str], said: str) -> None:
    outcome = shell.run("sync", *arguments)
    assert outcome.code == 2
    assert said in outcome.last_error and outcome.last_error.startswith("Error: ")
    assert "Traceback" not in outcome.err
    assert odoo19.calls == [] and structure(database)["relations"] == []
    assert_no_secret(outcome, shell)


@pytest.mark.parametrize("command", ["ddl", "status"])
def test_a_schema_that_cannot_be_is_refused_by_every_command(shell: Shell, command: str, tmp_path: Path) -> None:
    where = ["--output", str(tmp_path / "files")] if command == "ddl" else []
    outcome = shell.run(command, "--schema", "pg_x", *where)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.last_error.startswith("Error: Schema 'pg_x' cannot hold a mirror")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_stands_twice_in_the_file(shell: Shell, odoo19: StandIn, database: str, tmp_path: Path) -> None:
    """Once, the last won without a word, and excluded phone numbers were mirrored."""
    path = tmp_path / "mirrors.yaml"
    settings = "exclude_fields: [phone, mobile]\n        exclude_fields: [email]"
    path.write_text(f"mirrors:\n  a:\n    model_settings:\n      res.partner:\n        {settings}\n")
    outcome = shell.run("sync", "--config", str(path))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"Error: {path}, lines 5 and 6: 'exclude_fields' is given twice in mirrors.a.model_settings.res.partner, and "
        "only the last would take effect: keep one.\n"
    )
    assert odoo19.calls == [] and structure(database)["relations"] == []


def test_settings_for_a_model_that_is_nearly_called_so(shell: Shell, database: str, tmp_path: Path) -> None:
    path = tmp_path / "mirrors.yaml"
    path.write_text("mirrors: {a: {models: [res.company], model_settings: {res.compny: {exclude_fields: [phone]}}}}")
    for command in ("sync", "models"):
        outcome = shell.run(command, "--config", str(path))
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err == "Error: model_settings: there is no model 'res.compny' (did you mean res.company?).\n"
    assert structure(database)["relations"] == []
    path.write_text("mirrors: {a: {models: [res.company], model_settings: {res.users: {}, helpdesk.ticket: {}}}}")
    outcome = shell.run("sync", "--config", str(path), "--dry-run")
    assert (outcome.code, outcome.err) == (0, "model_settings: helpdesk.ticket matches none of the models.\n")


@pytest.mark.parametrize("mirror", ["", ":north"])
def test_a_file_with_a_colon_in_its_path(shell: Shell, tmp_path: Path, mirror: str) -> None:
    path = tmp_path / "a:b" / "mirrors.yaml"
    missing = shell.run("sync", "--config", f"{path}")
    assert missing.err == f"Error: {path}: the mirrors cannot be read (No such file or directory).\n"
    path.parent.mkdir()
    path.write_text("mirrors: {north: {models: [res.company]}}")
    outcome = shell.run("models", "--config", f"{path}{mirror}", SUPABASE_DB_URL=None)
    assert (outcome.code, outcome.err) == (0, "")
    assert "res.company" in outcome.out


def test_a_variable_that_is_nearly_called_as_one_that_is_read_is_told(shell: Shell) -> None:
    wrong = {"ODOO_COMPANY_ID": "1", "ODOO_LANGUAGE": "fr_FR", "ODOO_VERFY": "false", "ODOO_TIMEOUTS": "5"}
    others = {"ODOO_RC": "x", "ODOO_VERSION": "19.0", "ODOO_PASSWORD2": "x", "ODOO_DATABASE_URL": "x", "ODOO_HOME": "x"}
    outcome = shell.run("models", "--models", "res.company", SUPABASE_DB_URL=None, **wrong, **others)
    assert outcome.code == 0
    assert outcome.err.splitlines() == [
        "The variable ODOO_COMPANY_ID is not read: did you mean ODOO_COMPANY_IDS?",
        "The variable ODOO_LANGUAGE is not read: did you mean ODOO_LANG?",
        "The variable ODOO_TIMEOUTS is not read: did you mean ODOO_TIMEOUT?",
        "The variable ODOO_VERFY is not read: did you mean ODOO_VERIFY?",
    ]


@pytest.mark.parametrize("name", ["ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD", "SUPABASE_DB_URL"])
@pytest.mark.parametrize("value", [None, "", " "], ids=["missing", "empty", "blank"])
def test_a_variable_that_is_not_set(shell: Shell, name: str, value: str | None) -> None:
    outcome = shell.run("sync", *MODELS, **{name: value})
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.err
    assert name in outcome.last_error or "ODOO_URL" in outcome.last_error
    assert "cannot be reached" not in outcome.last_error  # libpq takes a blank URL for its own defaults
    assert_no_secret(outcome, shell)


def test_an_unknown_command(shell: Shell) -> None:
    outcome = shell.run("nonsense")
    assert outcome.code == 2 and "No such command 'nonsense'" in outcome.err


def test_a_role_that_may_not_create(shell: Shell, database: str) -> None:
    with new_role(database) as role:
        outcome = shell.run("sync", *MODELS, SUPABASE_DB_URL=as_role(database, role))
    assert_clear(
        outcome, shell, (f"The role '{role}' has no right to create schema 'odoo_shadow'", "CREATE on the database")
    )
    assert structure(database)["relations"] == []


def test_a_role_that_may_not_create_tables(shell: Shell, database: str) -> None:
    shell.run("sync", "--models", "res.users")
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        outcome = shell.run("sync", "--models", "res.partner", SUPABASE_DB_URL=as_role(database, role))
    assert_clear(outcome, shell, ("is not allowed to do that (permission denied for schema odoo_shadow)",), code=1)


def test_a_schema_of_another_odoo_database(
    shell: Shell, odoo19: StandIn, shared_odoos: dict[Flavour, StandIn], database: str
) -> None:
    shell.run("sync", *MODELS)
    before = structure(database), contents(database)
    other = shared_odoos["17"]
    changed = {
        "ODOO_URL": other.url,
        "ODOO_DB": other.database,
        "ODOO_USER": other.limited_login,  # which may not read the uuid
        "ODOO_PASSWORD": other.limited_api_key,
    }
    for arguments in ([], ["--dry-run"], ["--full"]):
        outcome = shell.run("sync", *MODELS, *arguments, **changed)
        said = f"Schema 'odoo_shadow' mirrors the Odoo database '{odoo19.database}' at {odoo19.url}, not 'shared17' at"
        assert_clear(outcome, shell, (said, "another schema"))
        assert (structure(database), contents(database)) == before


@pytest.mark.nightly
def test_a_page_of_html_in_the_middle(shell: Shell, odoo19: StandIn, database: str) -> None:
    odoo19.faults.add(Fault("res.partner", "search_read", times=ALWAYS, after=2, status=200, body=HTML))
    outcome = shell.run("sync", "--models", "res.company,res.partner,res.users", "--batch-size", "100")
    assert_clear(outcome, shell, ("answered a page of HTML (HTTP 200)",), code=1)
    assert len(shadow_rows(database, "odoo_shadow_res_partner")) == 100
    assert_equal(odoo19, database, ["res.company", "res.users"])
    odoo19.faults.clear()
    assert shell.run("sync", "--models", "res.partner").code == 0
    assert_equal(odoo19, database, ["res.partner"])


@pytest.mark.nightly
def test_a_page_that_times_out(shell: Shell, odoo19: StandIn, database: str) -> None:
    odoo19.faults.add(Fault("res.partner", "search_read", times=ALWAYS, after=1, delay=1.0))
    outcome = shell.run("sync", "--models", "res.partner", "--batch-size", "100", ODOO_TIMEOUT="0.5")
    assert_clear(outcome, shell, ("did not answer within 0.5 s: try smaller pages, or a longer timeout",), code=1)
    odoo19.faults.clear()
    assert shell.run("sync", "--models", "res.partner").code == 0
    assert_equal(odoo19, database, ["res.partner"])


def test_text_with_nul_characters(shell: Shell, odoo19: StandIn, database: str) -> None:
    odoo19.rewrite = lambda model, rows: [{**row, "name": "a\0b"} for row in rows] if model == "res.company" else rows
    outcome = shell.run("sync", "--models", "res.company")
    assert outcome.code == 0
    assert {row["name"] for row in shadow_rows(database, "odoo_shadow_res_company").values()} == {"a\u2400b"}
    assert "'name' holds characters that PostgreSQL cannot store" in " ".join(outcome.err.split())


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_password_with_an_unescaped_character_is_not_told(shell: Shell, closed_port: int) -> None:
    url = f"postgresql://postgres:pass@{PG_PASSWORD}@127.0.0.1:{closed_port}/postgres"
    for command in (["sync", *MODELS], ["status"], ["status", "--verbose"]):
        outcome = shell.run(*command, SUPABASE_DB_URL=url)
        assert outcome.code == 2
        assert_no_secret(outcome, shell)


def test_a_database_that_goes_away_in_between(shell: Shell, odoo19: StandIn, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA odoo_shadow")
        connection.execute(
            "CREATE FUNCTION public.end_session() RETURNS event_trigger LANGUAGE plpgsql AS $$"
            " BEGIN IF current_query() LIKE '%odoo_shadow_res_partner%' THEN"
            " PERFORM pg_terminate_backend(pg_backend_pid()); END IF; END $$"
        )
        connection.execute("CREATE EVENT TRIGGER fatal ON ddl_command_end EXECUTE FUNCTION public.end_session()")
        outcome = shell.run("sync", "--models", "res.partner,res.company")
        connection.execute("DROP EVENT TRIGGER fatal")
    assert outcome.code == 1
    assert outcome.last_error.startswith("res.partner: Shadow database 'SUPABASE_DB_URL': the connection was lost")
    assert "Traceback" not in outcome.err
    assert_equal(odoo19, database, ["res.company"])
    assert shell.run("sync", "--models", "res.partner").code == 0
    assert_equal(odoo19, database, ["res.partner"])


def test_all_settings_that_are_missing_are_listed_at_once(shell: Shell) -> None:
    outcome = shell.run("sync", ODOO_URL=None, ODOO_PASSWORD=None, SUPABASE_DB_URL=None)
    assert outcome.code == 2
    assert outcome.last_error == (
        "Error: These settings are missing: ODOO_URL (--odoo-url), ODOO_PASSWORD (--odoo-password), SUPABASE_DB_URL "
        "(--supabase-db-url). Set the variables, or give the options."
    )


def test_a_variable_that_may_be_meant_for_one_that_need_not_be_given_is_named(shell: Shell) -> None:
    changed = {"SUPABASE_DB_URL": None, "SUPABSE_DB_URL": "postgresql://u:geheim@h/db"}
    outcome = shell.run("models", "--models", "res.company", **changed)
    assert outcome.code == 0
    assert outcome.err == "The variable SUPABSE_DB_URL is not read: did you mean SUPABASE_DB_URL?\n"
