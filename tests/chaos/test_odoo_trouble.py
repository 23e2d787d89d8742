"""Odoo, or a proxy in front of it, answers everything but rows: 429, 502, 504, pages of HTML, half a body."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import Fault
from tests.support.flavours import FLAVOURS
from tests.support.running import log_of, statuses_of
from tests.support.syncing import (
    MODEL,
    ONE_MODEL,
    Site,
    assert_told_in_a_sentence,
    edit_all,
    go_on_working,
    read_twice,
)

ALWAYS = 1000
AT_ONCE = {"Retry-After": "0"}
PAGES = Fault(MODEL, "search_read", after=2)
GATEWAY = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"

TROUBLE = {
    "429": replace(PAGES, status=429, body="Too Many Requests", headers=AT_ONCE),
    "502": replace(PAGES, status=502, body=GATEWAY.format("502 Bad Gateway")),
    "504": replace(PAGES, status=504, body=GATEWAY.format("504 Gateway Time-out")),
    "a page of HTML": replace(PAGES, status=200, body=GATEWAY.format("We are back soon")),
    "half a body": replace(
        PAGES, status=200, body='[{"id": 101, "name": "Acm', headers={"Content-Type": "application/json"}
    ),
}
LASTING = ("429", "502", "504")


def of_json_rpc(fault: Fault) -> Fault:
    body = fault.body if isinstance(fault.body, str) else ""
    return replace(fault, body=body.replace("[{", '{"jsonrpc": "2.0", "id": 1, "result": [{'))


def test_passing_trouble_with_pages_goes_unnoticed(site: Site, read: list[int]) -> None:
    """Every second call fails once, each in another way."""
    for number, fault in enumerate(TROUBLE.values(), 1):  # one that waits does not see what an earlier one takes
        site.odoo.faults.add(replace(fault, after=number))
    outcome = site.run()
    assert outcome.code == 0, outcome
    assert len(site.odoo.faults) == 0
    site.assert_settled()
    assert read_twice(read) == 0
    with ShadowDatabase.from_url(site.database) as shadow:
        assert statuses_of(shadow) == ["success"]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.nightly
def test_trouble_at_every_third_call_goes_unnoticed(site: Site, read: list[int], flavour: str) -> None:
    """Of all kinds, at all calls: describing, reading, counting; each passes when tried again."""
    kinds = TROUBLE.values() if flavour == "19" else map(of_json_rpc, TROUBLE.values())
    for number, fault in enumerate(kinds, 1):
        site.odoo.faults.add(replace(fault, model=None, method=None, after=2 * number))
    outcome = site.run()
    assert outcome.code == 0, outcome
    assert len(site.odoo.faults) == 0
    site.assert_settled()
    assert read_twice(read) == 0


def test_a_wait_that_odoo_asks_for_is_kept(site: Site, read: list[int]) -> None:
    site.odoo.faults.add(replace(TROUBLE["429"], headers={"Retry-After": "1"}))
    outcome = site.run()
    assert outcome.code == 0
    assert "next one in 1.0 s" in " ".join(outcome.err.split())
    site.assert_settled()
    assert read_twice(read) == 0


def test_a_wait_that_is_too_long_ends_the_run_at_once(site: Site, read: list[int]) -> None:
    site.odoo.faults.add(replace(TROUBLE["429"], headers={"Retry-After": "3600"}))
    assert_told_in_a_sentence(site.run(), "HTTP 429", "asks to wait 3600 s")
    site.assert_whole_pages()
    changed = go_on_working(site.odoo)
    assert site.run(*ONE_MODEL, "--wait", "0").code == 0
    site.assert_settled()
    assert read_twice(read, changed) == 0


def test_trouble_that_lasts_ends_the_run_and_the_next_goes_on(site: Site, read: list[int]) -> None:
    """Of one kind after the other, until Odoo is well again; each run gets a page further."""
    for kind in LASTING:
        site.odoo.faults.add(replace(TROUBLE[kind], times=ALWAYS, after=1, headers=AT_ONCE))
        assert_told_in_a_sentence(site.run(*ONE_MODEL, "--wait", "0"), "Odoo connection 'ODOO_URL'")
        site.odoo.faults.clear()
    changed = go_on_working(site.odoo)
    assert site.run(*ONE_MODEL, "--wait", "0").code == 0
    site.assert_settled()
    assert read_twice(read, changed) == 0
    with ShadowDatabase.from_url(site.database) as shadow:
        entries = log_of(shadow)
    assert [entry["status"] for entry in entries] == ["error"] * len(LASTING) + ["success"]


@pytest.mark.parametrize("kind", ["429", pytest.param("502", marks=pytest.mark.nightly)])
def test_edits_of_hours_ago_survive_trouble_that_lasts(site: Site, read: list[int], kind: str) -> None:
    """As with a run every four hours: the look-back does not reach what a broken-off run had to read."""
    assert site.run().code == 0
    let_hours_pass(site)
    read.clear()
    site.odoo.faults.add(replace(TROUBLE[kind], times=ALWAYS, headers=AT_ONCE))
    assert_told_in_a_sentence(site.run(), "Odoo connection 'ODOO_URL'")
    site.odoo.faults.clear()
    assert site.run(*ONE_MODEL, "--wait", "0").code == 0
    site.assert_settled()
    assert read_twice(read) == 0


def let_hours_pass(site: Site) -> None:
    """Let all records be edited two hours ago, and the last run be four hours ago."""
    edit_all(site.odoo, timedelta(hours=2))
    with psycopg.connect(site.database) as connection:
        connection.execute(
            "UPDATE odoo_shadow.odoo_shadow_watermark SET last_write_date = last_write_date - interval '4 hours'"
        )


@pytest.mark.nightly
def test_an_odoo_that_is_down_from_the_beginning(site: Site, read: list[int]) -> None:
    """Not even the login works: nothing is opened, and nothing of an earlier run is touched."""
    site.odoo.faults.add(Fault(times=ALWAYS, status=502, headers=AT_ONCE, body=GATEWAY.format("502 Bad Gateway")))
    outcome = site.run()
    assert outcome.code == 2
    assert_told_in_a_sentence(outcome, "failed (HTTP 502)")
    site.odoo.faults.clear()
    assert site.run().code == 0
    site.assert_settled()
    assert read_twice(read) == 0
