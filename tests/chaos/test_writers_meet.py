"""Two processes on one table: one waits for the other, is told who it is, or takes over when it has died."""

from __future__ import annotations

import signal
import subprocess
from threading import Event

import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.running import PARTNERS, log_of, statuses_of
from tests.support.source_of_truth import shadow_rows
from tests.support.syncing import (
    MODEL,
    ONE_MODEL,
    PAGE,
    PAGES_IN_HAND,
    READ_A_PAGE,
    Site,
    assert_told_in_a_sentence,
    go_on_working,
    outcome_of,
    read_twice,
)
from tests.support.tcp_proxy import Moment, hold_until

MODELS = (MODEL, "res.company", "sale.order", "project.task")


def held_at_third_page(site: Site) -> tuple[subprocess.Popen[str], Event]:
    """Start a run that holds the table, has written two pages and waits for Odoo until the event."""
    go_on = Event()
    site.to_odoo.at(Moment(READ_A_PAGE, 3), hold_until(go_on))
    process = site.start()

    def has_two_pages() -> bool:
        with ShadowDatabase.from_url(site.database) as shadow, shadow.transaction() as tx:
            ((table,),) = tx.run("SELECT to_regclass({name})", name=f"odoo_shadow.{PARTNERS}")
        return table is not None and len(shadow_rows(site.database, PARTNERS)) == 2 * PAGE

    site.wait_for("two pages", has_two_pages)
    return process, go_on


def wait_until_it_waits(process: subprocess.Popen[str]) -> str:
    """Return what a run says when it begins to wait for another."""
    assert process.stderr is not None
    told = ""
    while "if that run is dead" not in " ".join(told.split()):
        line = process.stderr.readline()
        assert line, f"it has ended: {told}"
        told += line
    return " ".join(told.split())


def holder_of(process: subprocess.Popen[str]) -> str:
    return f"process {process.pid};"


def test_the_second_is_told_who_holds_the_table(site: Site, read: list[int]) -> None:
    first, go_on = held_at_third_page(site)
    second = site.run(*ONE_MODEL, "--wait", "0")
    assert_told_in_a_sentence(second, "is being written by odoo-shadow on ", holder_of(first))
    assert site.run("sync", "--models", "res.company", "--wait", "0").code == 0  # another table is free
    go_on.set()
    assert outcome_of(first).code == 0
    site.assert_settled([MODEL, "res.company"])
    assert read_twice(read) == 0


@pytest.mark.nightly
def test_the_second_waits_for_its_turn(site: Site, read: list[int]) -> None:
    first, go_on = held_at_third_page(site)
    second = site.start()
    assert holder_of(first) in wait_until_it_waits(second)
    changed = go_on_working(site.odoo)
    go_on.set()
    assert (outcome_of(first).code, outcome_of(second).code) == (0, 0)
    site.assert_settled()
    assert read_twice(read, changed) == 0
    with ShadowDatabase.from_url(site.database) as shadow:
        assert statuses_of(shadow) == ["success", "success"]


def test_the_second_takes_over_from_one_that_was_killed(site: Site, read: list[int]) -> None:
    first, go_on = held_at_third_page(site)
    second = site.start()
    wait_until_it_waits(second)
    first.kill()
    outcome_of(first)
    go_on.set()
    changed = go_on_working(site.odoo)
    site.let_leases_run_out()
    assert outcome_of(second).code == 0
    site.assert_settled()
    assert read_twice(read, changed) <= PAGE
    with ShadowDatabase.from_url(site.database) as shadow:
        killed, success = log_of(shadow)
    assert killed["status"] == "error" and "it was killed" in killed["error_message"]
    assert success["status"] == "success" and success["rows_inserted"] >= 1


def test_a_run_that_was_stopped_and_wakes_up_too_late_writes_nothing_more(site: Site, read: list[int]) -> None:
    first, go_on = held_at_third_page(site)
    first.send_signal(signal.SIGSTOP)
    go_on.set()
    site.wait_for("the third page", lambda: len(read) == 3 * PAGE)  # as it is before people go on
    changed = go_on_working(site.odoo)
    site.let_leases_run_out()
    assert site.run(*ONE_MODEL, "--wait", "0").code == 0
    site.assert_settled()

    first.send_signal(signal.SIGCONT)
    assert_told_in_a_sentence(outcome_of(first), "was taken over by another run")
    site.assert_settled()
    assert read_twice(read, changed) <= PAGES_IN_HAND * PAGE


def test_two_that_begin_on_an_empty_database_at_once_both_end_well(site: Site, read: list[int]) -> None:
    arguments = ("sync", "--models", ",".join(MODELS), "--batch-size", str(PAGE))
    both = [site.start(*arguments), site.start(*arguments)]
    outcomes = [outcome_of(process) for process in both]
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    site.assert_settled(MODELS)
    assert read_twice(read) == 0
    with ShadowDatabase.from_url(site.database) as shadow:
        assert set(statuses_of(shadow)) == {"success"}
