"""On a terminal, a progress display; interrupted or killed, nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import Fault, StandIn
from tests.support.recording import recording
from tests.support.running import log_of, scan_of, statuses_of
from tests.support.shell import Shell
from tests.support.source_of_truth import assert_equal, shadow_rows
from tests.support.terminal import run_on_a_terminal

TABLE = "odoo_shadow_res_partner"
SYNC = ("sync", "--models", "res.partner", "--batch-size", "50")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(what)


def hang_after(odoo: StandIn, pages: int) -> None:
    """Let the page after so many never come."""
    odoo.faults.add(Fault("res.partner", "search_read", times=1000, after=pages + 1, delay=3600.0))


def wait_for_pages(shell: Shell, database: str, pages: int) -> None:
    """Return when so many pages have been committed."""

    def committed() -> bool:
        with psycopg.connect(database) as connection:
            if connection.execute("SELECT to_regclass('odoo_shadow.odoo_shadow_res_partner')").fetchall() == [(None,)]:
                return False
            ((rows,),) = connection.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_res_partner").fetchall()
            return bool(rows >= 50 * pages)

    wait_until(committed, f"{pages} pages should have been committed")


def test_a_terminal_shows_a_progress_bar(shell: Shell, odoo19: StandIn, database: str) -> None:
    code, shown = run_on_a_terminal(shell, *SYNC)
    assert code == 0, shown
    hide_the_cursor = "\x1b[?25l"
    assert hide_the_cursor in shown and "100%" in shown
    assert "res.partner: first load" not in shown  # the lines that go elsewhere
    assert_equal(odoo19, database, ["res.partner"])


def test_errors_on_a_terminal_are_one_sentence(shell: Shell) -> None:
    code, shown = run_on_a_terminal(Shell(shell.changed_env(ODOO_URL="http://127.0.0.1:1")), "sync")
    assert code == 2
    assert "Traceback" not in shown
    assert "cannot be reached" in " ".join(shown.split())


@pytest.mark.nightly
def test_killed_in_the_middle_and_again(shell: Shell, odoo19: StandIn, database: str) -> None:
    hang_after(odoo19, 3)
    process = shell.start(*SYNC)
    wait_for_pages(shell, database, 3)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    process.communicate()
    odoo19.faults.clear()

    with ShadowDatabase.from_url(database) as shadow:
        scan = scan_of(shadow)
        assert scan is not None and scan.last_id == max(shadow_rows(database, TABLE))
        assert statuses_of(shadow) == ["running"]

        # Nobody can know yet that it is dead: whoever comes now is told until when to wait.
        refused = shell.run(*SYNC, "--wait", "0")
        assert refused.code == 1
        assert f"is being written by odoo-shadow on {os.uname().nodename}, process {process.pid};" in refused.err
        assert "the table is free again at" in refused.err
        with shadow.transaction() as tx:  # the lease ends
            tx.run("UPDATE {w} SET held_until = now() - interval '1 s'", w=tx.internal("lease"))

        with recording(odoo19) as read:
            assert shell.run(*SYNC).code == 0
        assert len(read) == len(shadow_rows(database, TABLE)) - 150
        assert_equal(odoo19, database, ["res.partner"])
        assert [entry["status"] for entry in log_of(shadow)] == ["error", "success"]


def test_interrupted_by_the_keyboard(shell: Shell, odoo19: StandIn, database: str) -> None:
    odoo19.faults.add(Fault("res.partner", "search_read", times=1000, after=2, delay=0.5))
    process = shell.start(*SYNC)
    wait_for_pages(shell, database, 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    odoo19.faults.clear()
    assert process.returncode not in (0, None)
    assert "Traceback" not in errors
    with ShadowDatabase.from_url(database) as shadow:
        assert statuses_of(shadow) == ["error"]
        assert shell.run(*SYNC).code == 0  # at once: the table was given back
        assert_equal(odoo19, database, ["res.partner"])
        assert statuses_of(shadow) == ["error", "success"]


def test_output_may_go_to_a_closed_pipe(shell: Shell, odoo19: StandIn, database: str) -> None:
    process = shell.start("sync", "--models", "res.company")
    assert process.stdout is not None
    process.stdout.close()
    process.wait(30)
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert "Traceback" not in errors
    assert_equal(odoo19, database, ["res.company"])


@pytest.mark.parametrize(("typed", "code", "schema"), [("n", 1, "public"), ("y", 0, "odoo_shadow_before")])
def test_take_over_asks_first(shell: Shell, database: str, typed: str, code: int, schema: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(f"CREATE TABLE public.{TABLE} (id bigint)")
    ended, shown = run_on_a_terminal(shell, "take-over", typed=f"{typed}\n")
    assert ended == code and "Move 1 table into schema odoo_shadow_before?" in shown
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT schemaname FROM pg_tables WHERE tablename = %s", [TABLE]).fetchall()
    assert found == [(schema,)]
