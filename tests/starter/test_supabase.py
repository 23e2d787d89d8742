"""`odoo-shadow init supabase`: migrations that may run twice, a second generation, and what people have changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from odoo_shadow.starter import supabase_project
from odoo_shadow.starter.migrations import Piece
from tests.support.catalog import structure
from tests.support.shell import Shell, inherited
from tests.support.supabase import add_extensions

pytestmark = pytest.mark.one_flavour

NAME = re.compile(r"(\d{14})_odoo_shadow_(\w+)\.sql")
WITHOUT_SETTINGS = dict.fromkeys(("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD", "SUPABASE_DB_URL"))


def init(shell: Shell, project: Path, *arguments: str) -> list[str]:
    """Run it, without any connection, and return its lines."""
    outcome = shell.run("init", "supabase", "--output", str(project), *arguments, **WITHOUT_SETTINGS)
    assert outcome.code == 0, outcome.err
    return [*outcome.out.splitlines(), *outcome.err.splitlines()]


def migrations(project: Path) -> list[Path]:
    """Return all migrations in the order in which they run."""
    return sorted((project / "supabase" / "migrations").iterdir())


def pieces(project: Path) -> list[str]:
    return [found[2] for path in migrations(project) if (found := NAME.fullmatch(path.name))]


def texts(project: Path) -> dict[str, str]:
    return {str(path): path.read_text("utf-8") for path in project.rglob("*") if path.is_file()}


def push(database: str, project: Path) -> list[str]:
    """Run all migrations, each in a transaction of its own, as the CLI does; return what they say of the schedule."""
    notices: list[str] = []
    for path in migrations(project):
        with psycopg.connect(database) as connection:
            connection.add_notice_handler(lambda said: notices.append(said.message_primary or ""))
            connection.execute(path.read_bytes())
    return [text for text in notices if "schedule" in text]


def test_it_makes_what_a_sync_makes_on_a_new_and_on_an_existing_project(
    shell: Shell, database: str, tmp_path: Path
) -> None:
    init(shell, tmp_path)
    assert pieces(tmp_path) == ["base", "reader", "cron"]
    add_extensions(database)
    assert push(database, tmp_path) == []
    made = structure(database)
    push(database, tmp_path)
    assert structure(database) == made
    assert shell.run("sync", "--models", "res.company").code == 0
    push(database, tmp_path)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT row_count > 0 FROM odoo_shadow_meta").fetchall() == [(True,)]
        jobs = connection.execute("SELECT jobname, schedule, command FROM cron.job").fetchall()
    ((name, schedule, command),) = jobs
    assert (name, schedule) == ("odoo_shadow_sync", "0 */4 * * *")
    assert "post_job('sync_odoo_shadow')" in command and "http" not in command


def test_who_reads_and_which_rows(shell: Shell, database: str, tmp_path: Path) -> None:
    init(shell, tmp_path)
    push(database, tmp_path)
    assert shell.run("sync", "--models", "res.company,res.country").code == 0
    with psycopg.connect(database) as connection:
        reads = connection.execute(
            "SELECT c.relname, has_table_privilege('odoo_shadow_reader', c.oid, 'SELECT') FROM pg_class c"
            " WHERE c.relkind IN ('r', 'v')"
            " AND c.relnamespace::regnamespace::text IN ('odoo_shadow', 'odoo_shadow_internal')"
            " AND c.relname IN ('odoo_shadow_res_company', 'odoo_shadow_meta', 'mirror')"
        ).fetchall()
        assert dict(reads) == {"odoo_shadow_res_company": True, "odoo_shadow_meta": True, "mirror": False}
        assert mode_of(connection) is None
    init(shell, tmp_path, "--row-level-security", "company")
    assert pieces(tmp_path) == ["base", "reader", "cron", "reader"]
    push(database, tmp_path)
    with psycopg.connect(database) as connection:
        assert mode_of(connection) == "company"
    # Without the option the mode stays as it is: a second generation never opens what was closed.
    init(shell, tmp_path)
    push(database, tmp_path)
    with psycopg.connect(database) as connection:
        assert mode_of(connection) == "company"


def mode_of(connection: psycopg.Connection[tuple[object, ...]]) -> object:
    ((mode,),) = connection.execute("SELECT row_level_security FROM odoo_shadow_internal.mirror").fetchall()
    return mode


def test_something_else_under_the_name_of_a_control_table_stops_the_push(
    shell: Shell, database: str, tmp_path: Path
) -> None:
    init(shell, tmp_path)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE public.odoo_shadow_meta (mine text)")
    with pytest.raises(psycopg.errors.RaiseException, match=r"public\.odoo_shadow_meta.*odoo-shadow take-over"):
        push(database, tmp_path)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regnamespace('odoo_shadow')").fetchall() == [(None,)]


def test_without_the_extensions_nothing_is_scheduled_and_a_notice_says_what_to_do(
    shell: Shell, database: str, tmp_path: Path
) -> None:
    init(shell, tmp_path)
    (said,) = push(database, tmp_path)
    assert "pg_cron, pg_net, supabase_vault missing" in said and "run this migration once more" in said
    assert shell.run("sync", "--models", "res.company").code == 0


def test_a_second_time_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    first = init(shell, tmp_path)
    before = texts(tmp_path)
    again = init(shell, tmp_path)
    assert texts(tmp_path) == before
    assert all(line.startswith(("Wrote ", "Next: ")) for line in first)
    assert all(line.startswith(("Unchanged: ", "Next: ")) for line in again)


def test_a_second_generation_adds_only_what_is_new(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path)
    later = tmp_path / "supabase" / "migrations" / "29991231235959_by_somebody.sql"
    later.write_text("SELECT 1;")
    before = texts(tmp_path)
    init(shell, tmp_path, "--schedule", "*/15 * * * *")
    new = [path for path in texts(tmp_path) if path not in before]
    (path,) = (Path(item) for item in new if item.endswith(".sql"))
    assert path.name == "30000101000000_odoo_shadow_cron.sql"
    assert "'*/15 * * * *'" in path.read_text("utf-8")
    after = texts(tmp_path)
    assert all(after[str(path)] == before[str(path)] for path in migrations(tmp_path) if str(path) in before)
    # What is not said stays as it was said last.
    init(shell, tmp_path)
    assert texts(tmp_path) == after
    # The schedule of before is a change, too: what counts is the newest of a kind, not any.
    init(shell, tmp_path, "--schedule", "0 */4 * * *")
    assert migrations(tmp_path)[-1].name == "30000101000001_odoo_shadow_cron.sql"


def test_two_mirrors_in_one_project_do_not_meet(shell: Shell, database: str, tmp_path: Path) -> None:
    odd = 'Über $body$ "x"'
    init(shell, tmp_path)
    init(shell, tmp_path, "--schema", odd)
    assert pieces(tmp_path) == [*("base", "reader", "cron", "ber_body_x_base", "ber_body_x_reader", "ber_body_x_cron")]
    add_extensions(database)
    push(database, tmp_path)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT jobname FROM cron.job ORDER BY jobid").fetchall() == [
            ("odoo_shadow_sync",),
            (f"{odd}_sync",),
        ]


def test_what_somebody_changed_is_kept(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path)
    script = tmp_path / "scripts" / "sync_odoo_shadow.py"
    readme = tmp_path / supabase_project.README
    ours = script.read_text("utf-8")
    script.write_text(f"{ours}# mine\n")
    # An earlier generation of the other file, which nobody has touched: it is renewed.
    record = tmp_path / ".odoo-shadow-init.json"
    init(shell, tmp_path, "--schedule", "none")
    assert "not scheduled" in readme.read_text("utf-8")
    init(shell, tmp_path)
    assert "not scheduled" in readme.read_text("utf-8")
    said = init(shell, tmp_path, "--schedule", "0 */4 * * *")
    assert f"Renewed {readme}" in said
    assert f"Kept {script}: somebody has changed it. --force replaces it." in said
    assert script.read_text("utf-8").endswith("# mine\n")
    init(shell, tmp_path, "--force")
    assert script.read_text("utf-8") == ours
    # Version control may end lines otherwise; and what it lost is no reason to overwrite anything.
    script.write_bytes(ours.replace("\n", "\r\n").encode())
    record.unlink()
    assert f"Unchanged: {script}" in init(shell, tmp_path)


def test_what_cannot_be_is_told_in_one_sentence(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    record = tmp_path / "broken" / ".odoo-shadow-init.json"
    record.parent.mkdir()
    record.write_text("[1]")
    for arguments, words in (
        (["--output", str(tmp_path / "file")], "is a file"),
        (["--output", str(record.parent)], "is not what odoo-shadow init writes"),
        (["--output", str(tmp_path), "--schedule", "@hourly"], "must have five fields"),
        (["--output", str(tmp_path), "--schedule", "0 25 * * *"], "has '25' as its hour"),
        (["--output", str(tmp_path), "--schedule", "0'; * * * *"], "has '0';' as its minute"),
        (["--output", str(tmp_path), "--schema", "pg_x"], "PostgreSQL reserves this name"),
    ):
        outcome = shell.run("init", "supabase", *arguments)
        assert outcome.code == 2
        assert words in outcome.err and "Traceback" not in outcome.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "file", record]


def test_a_schema_cannot_pass_for_another_piece() -> None:
    one, other = Piece("base", "a", "x"), Piece("base", "b', digest ", "x")
    assert one.what != other.what and "\n" not in other.what


def test_the_script_hands_over_flags_and_exit_code(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path)
    script = tmp_path / "scripts" / "sync_odoo_shadow.py"
    env = {**shell.env, "PATH": f"{Path(sys.executable).parent}:{shell.env['PATH']}", **inherited()}
    flags = ["--full", "--models", "res.company", "--batch-size", "100", "--json"]
    done = subprocess.run([sys.executable, script, *flags], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [model["model"] for model in json.loads(done.stdout)["models"]] == ["res.company"]
    wrong = subprocess.run([sys.executable, script, "--batch-size", "0"], env=env, capture_output=True, text=True)
    assert wrong.returncode == 2
    lost = subprocess.run([sys.executable, script], env={**env, "PATH": "/nowhere"}, capture_output=True, text=True)
    assert lost.returncode == 1 and "pipx install odoo-shadow" in lost.stderr
