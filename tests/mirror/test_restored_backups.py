"""A restored backup is noticed, whatever stands in front of the row that betrays it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.sync.model import no_report
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import VISIT, CountingProxy, in_odoo, in_shadow, mirror_with, visits
from tests.support.restoring import Backup

pytestmark = pytest.mark.one_flavour

BUSY = ("x_busy_a", "x_busy_b", "x_busy_c", "x_busy_d")
PAGES = MirrorOptions(wait=timedelta(0), batch_size=50)


def is_noticed(odoo: StandIn, shadow: ShadowDatabase, models: tuple[str, ...]) -> None:
    with source_of(odoo) as fresh, pytest.raises(ShadowOwnershipError, match="x_visit 1 was written at"):
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


@pytest.mark.parametrize("when", ["between two models", "while another worker reads", "at the end"])
def test_a_backup_that_is_restored_during_a_run_fails_it(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, later: list[str], when: str
) -> None:
    """A model that is read afterwards has newer rows, which are equal: that says nothing of what was read before.

    Neither does one that another worker reads within that time.
    """
    with visits(odoo, 5):
        for model in (VISIT, *later):
            mirror_with(source, shadow, PAGES, model=model)
        backup = Backup(odoo, [VISIT, *later])
        run, restored = Run(), list[str]()
        odoo.execute(VISIT, "write", [1], {"x_name": "taken back"})
        in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 hour' WHERE id = 1")

        def restore_and_go_on(*_: object) -> None:
            if not restored:
                restored.append(VISIT)
                backup.restore()
                odoo.execute(later[0], "write", [1], {"x_name": "after the restore"})
                mirror_with(source, shadow, PAGES, model=later[0], run=run)

        def restore_at_the_end(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            if model == "ir.model.fields":
                restore_and_go_on()
            return rows

        on_progress = restore_and_go_on if when == "while another worker reads" else no_report
        mirror_with(source, shadow, PAGES, run=run, on_progress=on_progress)
        if when == "at the end":
            odoo.rewrite = restore_at_the_end
        else:
            restore_and_go_on()
        with pytest.raises(ShadowOwnershipError, match=r"x_visit 1 was written at .* has written rows of both"):
            list(close_run(source, shadow, run=run, options=PAGES))


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
