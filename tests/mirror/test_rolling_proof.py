"""Each run compares a slice of the rows with Odoo, cell by cell: whatever else was missed is found within a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import LiteralString

import pytest

from odoo_shadow.mirror.errors import VerificationError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run import untracked
from odoo_shadow.mirror.run.closing import PROOF, Closed, close_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.proofs import read_proof
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, visits
from tests.support.running import PARTNERS, column, mirror
from tests.support.source_of_truth import assert_equal
from tests.support.verifying import let_pass, verify

pytestmark = pytest.mark.one_flavour


def run_of(source: ApiSource, shadow: ShadowDatabase, batch_size: int = 2000) -> list[Closed]:
    run, options = Run(), MirrorOptions(wait=timedelta(0), batch_size=batch_size)
    mirror(source, shadow, run=run)
    return [item for item in close_run(source, shadow, run=run, options=options) if item.what == PROOF]


def proven(shadow: ShadowDatabase) -> bool:
    with shadow.transaction() as tx:
        return next(item for item in list_tables(tx) if item.table == PARTNERS).proven_up_to is not None


@pytest.fixture
def settled(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> StandIn:
    assert run_of(source, shadow) == []
    assert not proven(shadow)
    return odoo


@pytest.mark.sampled
@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE {odoo_shadow_res_partner} SET name = 'wrong' WHERE id = 5",  # and the hash says that it is right
        "DELETE FROM {odoo_shadow_res_partner} WHERE id = 5",
        "INSERT INTO {odoo_shadow_res_partner} (id, name) VALUES (4999999, 'made up')",
    ],
)
def test_what_differs_is_found_and_repaired(
    settled: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, tamper: LiteralString
) -> None:
    in_shadow(shadow, tamper)
    with shadow.transaction() as tx:  # the counts are right, as the books tell
        tx.run(
            "UPDATE {m} SET row_count = (SELECT count(*) FROM {t})", m=tx.own("odoo_shadow_meta"), t=tx.own(PARTNERS)
        )
    let_pass(shadow, timedelta(hours=4))
    closed = run_of(source, shadow)
    assert all(item.error is None for item in closed)
    assert_equal(settled, database, ["res.partner"])
    assert proven(shadow)


LATE = "now() AT TIME ZONE 'UTC' - interval '5 minutes'"


@pytest.fixture
def visited(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """A table that was mirrored four hours ago, and that nothing but the proof compares."""
    monkeypatch.setattr(untracked, "untracked_columns", lambda *_: ())
    with visits(odoo, 20):
        run = Run()
        mirror(source, shadow, VISIT, run=run)
        assert end(source, shadow, run) == []
        let_pass(shadow, timedelta(hours=4))
        yield odoo


def between(source: ApiSource, shadow: ShadowDatabase) -> Run:
    """Mirror, so that the proof comes ten minutes later: between the two, Odoo may have written."""
    run = Run()
    mirror(source, shadow, VISIT, run=run)
    in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET last_write_date = last_write_date - interval '10 minutes'")
    return run


def end(source: ApiSource, shadow: ShadowDatabase, run: Run) -> list[Closed]:
    options = MirrorOptions(wait=timedelta(0))
    return [item for item in close_run(source, shadow, run=run, options=options) if item.what == PROOF]


def test_what_odoo_wrote_after_the_sync_was_not_wrong(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    run = between(source, shadow)
    in_odoo(visited, f"UPDATE x_visit SET x_name = 'Renamed', write_date = {LATE} WHERE id = 5")  # noqa: S608
    (closed,) = end(source, shadow, run)
    assert closed.error is None and closed.counts.updated == 1
    assert column(shadow, "x_name", [5], VISITS) == {5: "Renamed"}
    assert in_shadow(shadow, "SELECT * FROM {odoo_shadow_verification}") == []


def test_what_the_shadow_has_in_the_same_version_was_wrong_whenever_it_was_written(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    """As a defect, or a trigger, makes of a row that is written in every run."""
    in_odoo(visited, f"UPDATE x_visit SET write_date = {LATE} WHERE id IN (5, 6)")  # noqa: S608
    run = between(source, shadow)
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'wrong' WHERE id = 5")
    in_odoo(visited, "UPDATE x_visit SET x_name = 'x', write_date = write_date + interval '1 minute' WHERE id = 6")
    (closed,) = end(source, shadow, run)
    assert closed.error is None and closed.counts.updated == 2
    found = "SELECT stale, differing, newer, repaired, corrected FROM {odoo_shadow_verification}"
    assert in_shadow(shadow, found) == [(1, 1, 1, 2, 1)]
    assert column(shadow, "x_name", [5, 6], VISITS)[6] == "x" != column(shadow, "x_name", [5], VISITS)[5] != "wrong"


def test_a_wrong_cell_is_told(settled: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    in_shadow(shadow, "UPDATE {odoo_shadow_res_partner} SET name = 'wrong' WHERE id = 5")
    let_pass(shadow, timedelta(hours=4))
    (closed,) = run_of(source, shadow)
    assert closed.counts.updated == 1
    assert in_shadow(shadow, "SELECT kind, differing, repaired FROM {odoo_shadow_verification}") == [("slice", 1, 1)]


def test_a_round_goes_on_where_the_last_slice_ended(
    settled: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    rows = len(settled.execute("res.partner", "search", [], context={"active_test": False}))
    last_id = max(settled.execute("res.partner", "search", [], context={"active_test": False}))
    with shadow.transaction() as tx:
        tx.run("UPDATE {t} SET name = 'wrong' WHERE id = {last}", t=tx.own(PARTNERS), last=last_id)
    reached = []
    for _ in range(5):  # every four hours: a round takes no more than 18
        let_pass(shadow, timedelta(hours=4))
        run_of(source, shadow, batch_size=max(1, rows // 10))
        with shadow.transaction() as tx:
            proof = read_proof(tx, PARTNERS)
        assert proof is not None
        reached.append(proof.last_id)
        if proof.last_id is None:
            break
    assert len(reached) > 2 and reached[-1] is None
    assert reached[:-1] == sorted(item for item in reached[:-1] if item is not None)
    assert proven(shadow)
    assert column(shadow, "name", [last_id]) != {last_id: "wrong"}


def test_a_difference_that_stays_is_an_error(settled: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    in_shadow(shadow, "UPDATE {odoo_shadow_res_partner} SET name = 'wrong' WHERE id = 5")
    with shadow.transaction() as tx:  # a trigger of the sync's own role, to which nobody need agree
        tx.cursor.execute(
            "CREATE FUNCTION odoo_shadow.spoil() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN IF new.id = 5 THEN new.name := 'wrong'; END IF; RETURN new; END$$;"
            "CREATE TRIGGER spoil BEFORE UPDATE ON odoo_shadow.odoo_shadow_res_partner"
            " FOR EACH ROW EXECUTE FUNCTION odoo_shadow.spoil()"
        )
    let_pass(shadow, timedelta(hours=4))
    (closed,) = run_of(source, shadow)
    assert isinstance(closed.error, VerificationError)
    assert "res.partner: 1 row differs from Odoo even after being read again: 5" in str(closed.error)
    assert not proven(shadow)
    (again,) = run_of(source, shadow)  # no slice is due, but this row
    assert isinstance(again.error, VerificationError)
    in_shadow(shadow, "DROP TRIGGER spoil ON {odoo_shadow_res_partner}")
    (mended,) = run_of(source, shadow)
    assert (mended.error, mended.counts.updated) == (None, 1)
    assert run_of(source, shadow) == []


def test_verify_is_a_whole_round(settled: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    verify(source, shadow, model="res.partner")
    assert proven(shadow)


def test_another_reading_begins_anew(settled: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    verify(source, shadow, model="res.partner")
    with shadow.transaction() as tx:
        tx.run("UPDATE {s} SET read_as = 'another login'", s=tx.internal("table_state"))
    run_of(source, shadow)
    assert not proven(shadow)
