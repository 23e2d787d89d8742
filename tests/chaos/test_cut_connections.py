"""The connections to Odoo and to PostgreSQL are dropped, cut short, held back and slowed down on their way."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.flavours import FLAVOURS
from tests.support.running import statuses_of
from tests.support.syncing import (
    CHECKPOINT,
    COMMIT,
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
from tests.support.tcp_proxy import Action, Moment, drop, hold_until, truncate

THIRD_PAGE = Moment(READ_A_PAGE, 3)
CUT_ONCE: dict[str, tuple[bool, Action]] = {
    "before Odoo hears of it": (False, drop),
    "when Odoo has worked it out": (True, drop),
    "within the headers": (True, truncate(40)),
    "within the rows": (True, truncate(2000)),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("answered", "action"), CUT_ONCE.values(), ids=CUT_ONCE)
def test_a_page_that_is_cut_off_once_goes_unnoticed(
    site: Site, read: list[int], answered: bool, action: Action
) -> None:
    site.to_odoo.at(replace(THIRD_PAGE, answered=answered), action)
    outcome = site.run()
    assert outcome.code == 0, outcome
    site.assert_settled()
    assert read_twice(read) <= PAGE
    with ShadowDatabase.from_url(site.database) as shadow:
        assert statuses_of(shadow) == ["success"]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_page_that_never_comes_is_asked_for_in_halves(site: Site, read: list[int], flavour: str) -> None:
    is_over = Event()
    site.to_odoo.at(replace(THIRD_PAGE, answered=True), hold_until(is_over))
    outcome = site.run(ODOO_TIMEOUT="1")
    is_over.set()
    assert outcome.code == 0, outcome
    assert f"going on with pages of {PAGE // 2}" in " ".join(outcome.err.split())
    site.assert_settled()
    assert read_twice(read) <= PAGE


@pytest.mark.nightly
def test_an_odoo_that_is_out_of_reach_in_the_middle_ends_the_run(site: Site, read: list[int]) -> None:
    def go_away(_: object) -> None:
        site.to_odoo.is_refusing = True
        site.to_odoo.drop_all()

    site.to_odoo.at(THIRD_PAGE, go_away)
    assert_told_in_a_sentence(site.run(), "Odoo connection 'ODOO_URL'")
    site.assert_whole_pages()
    site.to_odoo.is_refusing = False
    changed = go_on_working(site.odoo)
    assert site.run(*ONE_MODEL, "--wait", "0").code == 0
    site.assert_settled()
    assert read_twice(read, changed) == 0


CUT_MID_PAGE: dict[str, tuple[Moment, Action]] = {
    "while rows are copied": (Moment(b"COPY ", 3, answered=True), drop),
    "before a page is committed": (Moment(CHECKPOINT, 4, then=COMMIT), drop),
    "when a page is committed": (Moment(CHECKPOINT, 4, then=COMMIT, answered=True), drop),
    "within the word that it is committed": (Moment(CHECKPOINT, 4, then=COMMIT, answered=True), truncate(3)),
    "between two pages": (Moment(CHECKPOINT, 4, then=b"BEGIN"), drop),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("moment", "action"), CUT_MID_PAGE.values(), ids=CUT_MID_PAGE)
def test_postgres_cut_off_ends_the_run_in_order(site: Site, read: list[int], moment: Moment, action: Action) -> None:
    site.to_postgres.at(moment, action)
    assert_told_in_a_sentence(site.run(), "Shadow database 'SUPABASE_DB_URL': the connection was lost")
    site.assert_whole_pages()
    with ShadowDatabase.from_url(site.database) as shadow:
        assert statuses_of(shadow) == ["error"]  # through a new connection
    changed = go_on_working(site.odoo)
    again = site.run(*ONE_MODEL, "--wait", "0")
    assert (again.code, again.err) == (0, "")
    site.assert_settled()
    assert read_twice(read, changed) <= PAGES_IN_HAND * PAGE


@pytest.mark.nightly
def test_postgres_out_of_reach_for_good_leaves_an_entry_that_the_next_run_closes(site: Site, read: list[int]) -> None:
    def go_away(_: object) -> None:
        site.to_postgres.is_refusing = True
        site.to_postgres.drop_all()

    site.to_postgres.at(Moment(CHECKPOINT, 4), go_away)
    assert_told_in_a_sentence(site.run(), "the log entry stays open until the next run", "the connection was lost")
    with ShadowDatabase.from_url(site.database) as shadow:
        assert statuses_of(shadow) == ["running"]
    assert_told_in_a_sentence(site.run(), "Shadow database 'SUPABASE_DB_URL' cannot be reached")
    site.to_postgres.is_refusing = False
    site.let_leases_run_out()
    assert site.run().code == 0
    site.assert_settled()
    assert read_twice(read) <= PAGES_IN_HAND * PAGE


@pytest.mark.nightly
def test_slow_connections_only_take_longer(site: Site, read: list[int]) -> None:
    site.to_odoo.lag = site.to_postgres.lag = 0.002
    assert site.run().code == 0
    site.assert_settled()
    assert read_twice(read) == 0


def test_a_run_that_was_held_back_for_too_long_writes_nothing_more(site: Site, read: list[int]) -> None:
    """Its connection falls silent between two pages; another run takes over; then the connection wakes up."""
    is_over, is_held = Event(), Event()

    def hold(link: object) -> None:
        is_held.set()
        is_over.wait(60)

    site.to_postgres.at(Moment(CHECKPOINT, 4, then=b"BEGIN"), hold)
    silent = site.start()
    assert is_held.wait(30)
    changed = go_on_working(site.odoo)
    site.let_leases_run_out()
    assert site.run(*ONE_MODEL, "--wait", "0").code == 0
    is_over.set()
    assert_told_in_a_sentence(outcome_of(silent), "was taken over by another run")
    site.assert_settled()
    assert read_twice(read, changed) <= PAGES_IN_HAND * PAGE


def test_a_run_that_falls_silent_within_a_page_does_not_keep_others_waiting_without_a_word(site: Site) -> None:
    """Its machine has gone without a farewell, so PostgreSQL still waits for it, in a transaction."""
    is_over, is_held = Event(), Event()

    def hold(link: object) -> None:
        is_held.set()
        is_over.wait(60)

    site.to_postgres.at(Moment(CHECKPOINT, 4, then=COMMIT), hold)
    silent = site.start()
    assert is_held.wait(30)
    try:
        other = site.start(*ONE_MODEL, "--wait", "1")
        _, told = other.communicate(timeout=10)
        assert "is being written by odoo-shadow on" in told and f"process {silent.pid}" in told
    finally:
        is_over.set()
    assert outcome_of(silent).code == 0
    site.assert_settled()
