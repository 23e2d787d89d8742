"""A restored backup is noticed, whatever stands in front of the row that betrays it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from odoo_shadow.mirror import identity
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.sync.model import no_report
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, CountingProxy, in_odoo, in_shadow, mirror_with, visits
from tests.support.planning import passed_over, plan, plan_and_mirror
from tests.support.restoring import Backup
from tests.support.running import StoppedError, column

pytestmark = pytest.mark.one_flavour

BUSY = ("x_busy_a", "x_busy_b", "x_busy_c", "x_busy_d")
PAGES = MirrorOptions(wait=timedelta(0), batch_size=50)


def is_noticed(odoo: StandIn, shadow: ShadowDatabase, models: tuple[str, ...]) -> None:
    with source_of(odoo) as fresh, pytest.raises(ShadowOwnershipError, match=r"x_visit \d+ was written at"):
        plan_run(fresh, shadow, Chosen(models), run=Run(), options=PAGES)


@pytest.mark.sampled
@pytest.mark.parametrize("on_delete", [OnDelete.DELETE, OnDelete.MARK])
def test_many_newer_rows_that_are_gone(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, on_delete: OnDelete
) -> None:
    """Some of them are marked already: they are looked past."""
    options = MirrorOptions(wait=timedelta(0), batch_size=50, on_delete=on_delete)
    with visits(odoo, 30):
        age(odoo, VISIT)
        backup = Backup(odoo, [VISIT])
        odoo.execute(VISIT, "write", [1], {"x_name": "taken back"})
        in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 hour' WHERE id = 1")
        odoo.execute(VISIT, "create", [{"x_name": "new"} for _ in range(125)])
        mirror_with(source, shadow, options)
        odoo.execute(VISIT, "unlink", [151, 152, 153, 154, 155])
        mirror_with(source, shadow, options)
        backup.restore()
        is_noticed(odoo, shadow, (VISIT,))


@pytest.mark.nightly
def test_busy_tables_that_were_written_before_and_after(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    """None of their rows is equal: that says nothing, and the look goes on."""
    for model in BUSY:
        odoo.add_model(model)
        odoo.execute(model, "create", {"x_name": "busy"})
    try:
        with visits(odoo, 5):
            age(odoo, VISIT, *BUSY)
            backup = Backup(odoo, [VISIT, *BUSY])
            odoo.execute(VISIT, "write", [1], {"x_name": "taken back"})
            in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 hour' WHERE id = 1")
            for model in BUSY:
                odoo.execute(model, "write", [1], {"x_name": "busier"})
            for model in (VISIT, *BUSY):
                mirror_with(source, shadow, PAGES, model=model)
            backup.restore()
            for model in BUSY:
                odoo.execute(model, "write", [1], {"x_name": "busy after the restore"})
                in_odoo(odoo, f"UPDATE {model} SET write_date = write_date + interval '5 s'")  # noqa: S608
            is_noticed(odoo, shadow, (VISIT, *BUSY))
    finally:
        for model in BUSY:
            odoo.uninstall(model)


def test_rows_of_a_doubted_table_are_not_read_again(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    """What they are now would pass for proof that the table is of the same database."""
    with visits(odoo, 5):
        mirror_with(source, shadow, PAGES)
        in_odoo(odoo, "UPDATE x_visit SET x_name = 'by SQL' WHERE id = 2")
        in_shadow(
            shadow, "INSERT INTO odoo_shadow_internal.due_row (table_name, ids) VALUES ('odoo_shadow_x_visit', '{{2}}')"
        )
        in_shadow(shadow, "UPDATE odoo_shadow_internal.table_state SET is_doubted = true")
        assert list(close_run(source, shadow, run=Run(), options=PAGES)) == []
        in_shadow(shadow, "UPDATE odoo_shadow_internal.table_state SET is_doubted = false")
        assert [item.counts.updated for item in close_run(source, shadow, run=Run(), options=PAGES)] == [1]


@pytest.fixture
def later(odoo: StandIn) -> Iterator[list[str]]:
    """Models with a row each, that a run reads after the visits."""
    models = ["x_later_a", "x_later_b", "x_later_c"]
    for model in models:
        odoo.add_model(model)
        odoo.execute(model, "create", {"x_name": "here"})
    age(odoo, *models)
    yield models
    for model in models:
        odoo.uninstall(model)


class Restoring:
    """A run in which a backup is restored; afterwards somebody edits another model, and the run reads it."""

    def __init__(self, odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, later: str) -> None:
        self.run = Run()
        self._odoo, self._source, self._shadow, self._later = odoo, source, shadow, later
        self._backup = Backup(odoo, [VISIT, later])
        self._is_restored = False

    def edit(self, *ids: int) -> None:
        """Write visits, an hour ago: whatever is edited later is newer."""
        self._odoo.execute(VISIT, "write", list(ids), {"x_name": "taken back"})
        among = ", ".join(map(str, ids))
        in_odoo(
            self._odoo,
            f"UPDATE x_visit SET write_date = write_date - interval '1 hour' WHERE id IN ({among})",  # noqa: S608
        )

    def restore(self) -> None:
        self._backup.restore()
        self._is_restored = True

    def restore_and_go_on(self, *_: object) -> None:
        """Do that once."""
        if not self._is_restored:
            self.restore()
            self._odoo.execute(self._later, "write", [1], {"x_name": "after the restore"})
            mirror_with(self._source, self._shadow, PAGES, model=self._later, run=self.run)

    def at_the_end(self, model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Do that when the end of the run asks for fields."""
        if model == "ir.model.fields":
            self.restore_and_go_on()
        return rows

    def end(self) -> None:
        """The end of the run."""
        list(close_run(self._source, self._shadow, run=self.run, options=PAGES))

    def fails(self) -> None:
        """The run fails, and so do later ones, until a person decides."""
        with pytest.raises(ShadowOwnershipError, match=r"x_visit \d+ was written at .* has rows from before it"):
            self.end()
        for _ in range(2):
            is_noticed(self._odoo, self._shadow, (VISIT, self._later))
        plan_run(self._source, self._shadow, Chosen((VISIT,)), run=Run(), options=replace(PAGES, full=True))


@pytest.fixture
def restoring(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, later: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Restoring]:
    monkeypatch.setattr(identity, "_PAUSES_AT_END", (0.0,))
    with visits(odoo, 70):
        for model in (VISIT, *later):
            mirror_with(source, shadow, PAGES, model=model)
        yield Restoring(odoo, source, shadow, later[0])


@pytest.mark.parametrize("when", ["between two models", "while another worker reads", "at the end"])
def test_a_backup_that_is_restored_during_a_run_fails_it(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, restoring: Restoring, when: str
) -> None:
    """A model that is read afterwards has newer rows, which are equal: that says nothing of what was read before.

    Neither does one that another worker reads within that time.
    """
    restoring.edit(1)
    on_progress = restoring.restore_and_go_on if when == "while another worker reads" else no_report
    mirror_with(source, shadow, PAGES, run=restoring.run, on_progress=on_progress)
    if when == "at the end":
        odoo.rewrite = restoring.at_the_end
    else:
        restoring.restore_and_go_on()
    restoring.fails()


@pytest.mark.parametrize("full", [False, True])
def test_a_row_of_the_same_table_that_was_read_afterwards_hides_nothing(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, restoring: Restoring, full: bool
) -> None:
    restored: list[str] = []

    def restore(_: Progress) -> None:
        if not restored:
            restored.append(VISIT)
            restoring.restore()
            odoo.execute(VISIT, "write", [70], {"x_name": "after the restore"})
            in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '30 min' WHERE id = 70")

    restoring.edit(*range(1, 71))
    options = replace(PAGES, batch_size=5, full=full)
    if full:
        with pytest.raises(ShadowOwnershipError, match=r"x_visit \d+ was written at .* has rows from before it"):
            mirror_with(source, shadow, options, run=restoring.run, on_progress=restore)
        is_noticed(odoo, shadow, (VISIT,))
        mirror_with(source, shadow, options)
        assert in_shadow(shadow, "SELECT 1 FROM odoo_shadow_internal.table_state WHERE is_doubted") == []
    else:
        mirror_with(source, shadow, options, run=restoring.run, on_progress=restore)
        assert column(shadow, "x_name", [1, 70], VISITS) == {1: "taken back", 70: "after the restore"}
        restoring.fails()


def test_what_a_killed_try_has_written_is_looked_at(
    source: ApiSource, shadow: ShadowDatabase, restoring: Restoring
) -> None:
    """Nobody has counted its rows."""
    restoring.edit(1)
    mirror_with(source, shadow, PAGES, run=restoring.run)
    in_shadow(
        shadow,
        "UPDATE {odoo_shadow_sync_log} SET status = 'error', rows_updated = 0, duration_ms = NULL"
        " WHERE sync_run_id = {run}",
        run=restoring.run.id,
    )
    restoring.restore()
    restoring.fails()


def test_a_table_that_the_plan_has_passed_over_is_looked_at(
    source: ApiSource, shadow: ShadowDatabase, restoring: Restoring
) -> None:
    """Its rows were undone after the plan had found nothing new in it."""
    restoring.edit(1)
    no_look_back = replace(PAGES, look_back=timedelta(0))
    plan_and_mirror(source, shadow, options=no_look_back)
    assert passed_over(plan(source, shadow, options=no_look_back, run=restoring.run)) == [VISIT]
    restoring.restore_and_go_on()
    restoring.fails()


def test_a_table_of_another_run_says_nothing(source: ApiSource, shadow: ShadowDatabase, restoring: Restoring) -> None:
    """After an accepted restore, tasks of one model each read one after the other whole."""
    restoring.edit(1)
    mirror_with(source, shadow, PAGES)
    restoring.restore_and_go_on()
    restoring.end()


def test_what_a_failed_read_of_everything_has_not_reached_says_nothing(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, restoring: Restoring
) -> None:
    """Who has accepted a restored backup is not asked again because a model fails."""
    restoring.edit(60)
    mirror_with(source, shadow, PAGES)
    restoring.restore()
    odoo.execute(VISIT, "write", [1], {"x_name": "after the restore"})
    in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '2 hours' WHERE id = 1")

    def fail(_: Progress) -> None:
        raise StoppedError("in the middle")

    with pytest.raises(StoppedError):
        mirror_with(source, shadow, replace(PAGES, full=True), run=restoring.run, on_progress=fail)
    assert column(shadow, "x_name", [60], VISITS) == {60: "taken back"}
    restoring.end()


@pytest.mark.parametrize(("newest", "asked"), [("first", 2), ("last", 8), ("nowhere", 0)])
def test_the_end_of_a_run_asks_for_few_of_its_tables(
    odoo: StandIn, proxy: CountingProxy, shadow: ShadowDatabase, later: list[str], newest: str, asked: int
) -> None:
    """An equal row speaks for all tables that were read after its own and have no newer rows; it is asked for twice."""
    with visits(odoo, 5), source_of(odoo, host=proxy.url) as source:
        models = (VISIT, *later)
        if newest == "nowhere":
            for model in models:
                mirror_with(source, shadow, PAGES, model=model)
        for hours, model in enumerate(() if newest == "nowhere" else models):
            back = hours if newest == "first" else 10 - hours
            in_odoo(odoo, f"UPDATE {model} SET write_date = write_date - interval '{back} hours'")  # noqa: S608
        run = Run()
        for model in models:
            mirror_with(source, shadow, PAGES, model=model, run=run)
        proxy.clear()
        list(close_run(source, shadow, run=run, options=PAGES))
        assert sum(call.is_look for call in proxy.calls) == asked
