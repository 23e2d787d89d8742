"""Whether tables are fresh, or proven, as of a moment: never said of a table that something speaks against."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from odoo_shadow.mirror.health.freshness import Claim, Standing, ask_freshness
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooError
from odoo_stand_in import Fault, StandIn
from tests.support.counting import in_shadow
from tests.support.records import moment as moment_in
from tests.support.roles import reader_of
from tests.support.running import PARTNERS, StoppedError, mirror, stop_after, watermark_of
from tests.support.tables import make_base
from tests.support.verifying import verify

pytestmark = pytest.mark.one_flavour

PARTNER = "res.partner"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def standing(shadow: ShadowDatabase, moment: datetime, claim: Claim = Claim.FRESH, model: str = PARTNER) -> Standing:
    (found,) = ask_freshness(shadow, [model], claim, moment)
    return found


def is_fresh(shadow: ShadowDatabase, moment: datetime) -> bool:
    return standing(shadow, moment).is_met


def mark_of(shadow: ShadowDatabase) -> datetime:
    watermark = watermark_of(shadow)
    assert watermark is not None
    return watermark.last_write_date


@pytest.fixture
def beside(database: str) -> Iterator[ShadowDatabase]:
    """Another connection, to ask while a run is under way."""
    with ShadowDatabase.from_url(database) as opened:
        yield opened


@pytest.fixture
def mirrored(source: ApiSource, shadow: ShadowDatabase) -> ShadowDatabase:
    """A table that is proven as well, and whose watermark is an hour old."""
    mirror(source, shadow)
    verify(source, shadow, model=PARTNER)
    in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET last_write_date = last_write_date - interval '1 hour'")
    return shadow


def test_a_table_is_fresh_up_to_its_watermark(mirrored: ShadowDatabase) -> None:
    reached = mark_of(mirrored)
    assert standing(mirrored, reached) == Standing(PARTNER, True, f"{PARTNER}: fresh as of {reached:%F %T} UTC")
    later = standing(mirrored, reached + SECOND)
    assert not later.is_met
    assert later.said == f"{PARTNER}: fresh as of {reached:%F %T} UTC, waiting for {reached + SECOND:%F %T} UTC"


def test_what_was_written_before_a_moment_is_there_when_the_table_is_fresh_as_of_it(
    odoo: StandIn, mirrored: ShadowDatabase, source: ApiSource
) -> None:
    (number,) = odoo.execute(PARTNER, "create", [{"name": "Written just now"}])
    (record,) = odoo.execute(PARTNER, "read", [number], ["write_date"])
    written = moment_in(record["write_date"])
    assert not is_fresh(mirrored, written)
    while mark_of(mirrored) < written:
        mirror(source, mirrored)
    assert is_fresh(mirrored, written)
    assert in_shadow(mirrored, f"SELECT name FROM {{{PARTNERS}}} WHERE id = {{id}}", id=number)  # noqa: S608


@pytest.mark.parametrize("minutes", [1, 60], ids=["as clocks differ", "further than clocks differ"])
def test_no_table_is_fresh_as_of_a_moment_that_has_not_come(mirrored: ShadowDatabase, minutes: int) -> None:
    ahead = timedelta(minutes=minutes)
    in_shadow(mirrored, "UPDATE {odoo_shadow_watermark} SET last_write_date = now() + {ahead}", ahead=ahead)
    now = datetime.now(UTC)
    assert not is_fresh(mirrored, now + ahead / 2)
    assert is_fresh(mirrored, now - SECOND) == (minutes == 1), "a watermark further ahead says nothing at all"


def test_a_watermark_counts_only_when_the_run_that_moved_it_has_ended(
    mirrored: ShadowDatabase, source: ApiSource, beside: ShadowDatabase
) -> None:
    before = mark_of(mirrored)
    seen: list[tuple[bool, str]] = []

    def ask(_: Progress) -> None:
        found = standing(beside, mark_of(beside))
        seen.append((mark_of(beside) > before, found.said))

    mirror(source, mirrored, on_progress=ask)
    assert seen == [(True, f"{PARTNER}: not fresh: a run of it is under way, or was killed")]
    assert is_fresh(mirrored, mark_of(mirrored))


def test_a_table_that_is_being_scanned_is_as_fresh_as_before(
    mirrored: ShadowDatabase, source: ApiSource, beside: ShadowDatabase
) -> None:
    before, seen = mark_of(mirrored), list[bool]()

    def ask(progress: Progress) -> None:
        if progress.done < 1:
            seen.append(is_fresh(beside, before) and not is_fresh(beside, before + SECOND))

    mirror(source, mirrored, full=True, batch_size=50, on_progress=ask)
    assert len(seen) > 1 and all(seen)


def test_a_table_whose_run_was_killed_after_its_window_waits_for_the_next(
    mirrored: ShadowDatabase, source: ApiSource, beside: ShadowDatabase
) -> None:
    in_shadow(mirrored, "UPDATE {odoo_shadow_sync_log} SET status = 'running'")
    assert not is_fresh(mirrored, LONG_AGO)
    seen: list[bool] = []
    mirror(source, mirrored, full=True, batch_size=50, on_progress=lambda _: seen.append(is_fresh(beside, LONG_AGO)))
    assert seen and not any(seen), "what the killed run has not done is not done before this one's end"
    assert is_fresh(mirrored, LONG_AGO)


def test_a_run_that_fails_makes_the_table_wait(mirrored: ShadowDatabase, source: ApiSource, odoo: StandIn) -> None:
    with pytest.raises(StoppedError):
        mirror(source, mirrored, on_progress=stop_after(1))
    assert standing(mirrored, LONG_AGO).said.startswith(f"{PARTNER}: not fresh: its last run failed")
    odoo.faults.add(Fault(model=PARTNER, method="search_count", status=500, times=1000))
    odoo.faults.add(Fault(model=PARTNER, method="search", status=500, times=1000))
    with pytest.raises(OdooError):
        mirror(source, mirrored)
    assert not is_fresh(mirrored, LONG_AGO)
    odoo.faults.clear()
    mirror(source, mirrored)
    assert is_fresh(mirrored, LONG_AGO)


def test_a_first_load_that_has_not_ended_is_waited_for(
    source: ApiSource, shadow: ShadowDatabase, beside: ShadowDatabase
) -> None:
    said: list[str] = []

    def ask(progress: Progress) -> None:
        if progress.done < 1:
            said.append(standing(beside, LONG_AGO).said)

    mirror(source, shadow, batch_size=50, on_progress=ask)
    assert {*said} == {f"{PARTNER}: not fresh: its first load has not ended"}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE {odoo_shadow_field} SET is_filled = false WHERE column_name = 'name'", "a new column is not filled"),
        ("DROP TABLE {odoo_shadow_res_partner} CASCADE", "its table is not there"),
        ("DELETE FROM {odoo_shadow_sync_log}", "no run of it has ended well"),
        ("UPDATE {odoo_shadow_sync_log} SET status = 'error'", "no run of it has ended well"),
        ("UPDATE {odoo_shadow_meta} SET sync_errors = 1", "its last run failed"),
        (
            "INSERT INTO odoo_shadow_internal.due_row (table_name, ids) VALUES ('odoo_shadow_res_partner', '{{5}}')",
            "rows of it have to be read again",
        ),
        ("UPDATE odoo_shadow_internal.table_state SET is_doubted = true", "its rows may be from another"),
    ],
)
def test_what_speaks_against_a_table_makes_it_wait(mirrored: ShadowDatabase, statement: str, reason: str) -> None:
    for claim in Claim:
        assert standing(mirrored, LONG_AGO, claim).is_met
    in_shadow(mirrored, statement)
    for claim in Claim:
        found = standing(mirrored, LONG_AGO, claim)
        assert not found.is_met
        assert found.said.startswith(f"{PARTNER}: not {claim}: {reason}")


def test_rows_that_are_due_later_are_not_waited_for(mirrored: ShadowDatabase) -> None:
    in_shadow(
        mirrored,
        "INSERT INTO odoo_shadow_internal.due_row (table_name, ids, due_from)"
        " VALUES ('odoo_shadow_res_partner', '{{5}}', now() + interval '10 minutes')",
    )
    assert is_fresh(mirrored, LONG_AGO)


def test_several_models_are_answered_in_their_order(mirrored: ShadowDatabase, source: ApiSource) -> None:
    mirror(source, mirrored, "res.company")
    models = ["res.company", "res.partnr", PARTNER]
    found = ask_freshness(mirrored, models, Claim.FRESH, LONG_AGO)
    assert [item.model for item in found] == models
    assert [item.is_met for item in found] == [True, False, True]
    assert found[1].said == "res.partnr: not mirrored, or not yet (did you mean res.partner?)"


def test_a_shadow_that_is_not_there_is_waited_for(shadow: ShadowDatabase) -> None:
    found = standing(shadow, LONG_AGO)
    assert (found.is_met, found.said) == (False, f"{PARTNER}: There is no shadow in schema 'odoo_shadow'")
    make_base(shadow)
    assert standing(shadow, LONG_AGO).said == f"{PARTNER}: not mirrored, or not yet"


def test_proven_takes_a_comparison_of_each_row_since_then(mirrored: ShadowDatabase, source: ApiSource) -> None:
    assert standing(mirrored, mark_of(mirrored), Claim.PROVEN).is_met
    in_shadow(mirrored, "UPDATE {odoo_shadow_meta} SET proven_up_to = now() - interval '2 hours'")
    assert is_fresh(mirrored, mark_of(mirrored))
    assert not standing(mirrored, mark_of(mirrored), Claim.PROVEN).is_met
    in_shadow(mirrored, "UPDATE {odoo_shadow_meta} SET proven_up_to = NULL")
    assert "have not all been compared" in standing(mirrored, LONG_AGO, Claim.PROVEN).said


def test_a_table_that_is_not_fresh_is_not_proven(mirrored: ShadowDatabase) -> None:
    """A comparison passes over rows that change while it runs: only the next run brings what was written before."""
    reached = mark_of(mirrored)
    ((proven,),) = in_shadow(mirrored, "SELECT proven_up_to FROM {odoo_shadow_meta}")
    assert proven > reached + SECOND
    found = standing(mirrored, reached + SECOND, Claim.PROVEN)
    assert not found.is_met
    assert found.said.startswith(f"{PARTNER}: proven as of {reached:%F %T} UTC, waiting for")


def test_rows_that_are_known_to_differ_are_no_proof(mirrored: ShadowDatabase, source: ApiSource, database: str) -> None:
    in_shadow(mirrored, "UPDATE {odoo_shadow_res_partner} SET name = 'wrong' WHERE id = 5")
    verify(source, mirrored, model=PARTNER)
    assert not standing(mirrored, LONG_AGO, Claim.PROVEN).is_met
    mirror(source, mirrored)  # does not see the row, and ends well
    assert is_fresh(mirrored, LONG_AGO)
    assert "known to differ" in standing(mirrored, LONG_AGO, Claim.PROVEN).said
    with reader_of(database) as shadow:
        assert "known to differ" in standing(shadow, LONG_AGO, Claim.PROVEN).said
    verify(source, mirrored, model=PARTNER, repair=True)
    verify(source, mirrored, model=PARTNER)
    in_shadow(mirrored, "UPDATE odoo_shadow_internal.proof SET unproven = '{{}}'")
    with reader_of(database) as shadow:
        assert standing(shadow, LONG_AGO, Claim.PROVEN).is_met
