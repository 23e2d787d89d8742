"""A field that was mirrored and that Odoo refuses from now on is told, once, whatever stops the run in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.counting import VISIT, VISITS, CountingProxy, in_shadow, mirror_with
from tests.support.refusing_fields import PAGES, refuse, refused, source_of_fields
from tests.support.running import StoppedError, column, statuses_of, stop_after
from tests.support.verifying import let_pass

LOST = r"records with x_c any more: .* exclude_fields"


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    with source_of_fields(odoo, proxy) as opened:
        yield opened


def one_run(source: ApiSource, shadow: ShadowDatabase) -> list[str]:
    """Run, and return what went wrong at the end."""
    run = Run()
    if plan_run(source, shadow, Chosen((VISIT,)), run=run, options=PAGES).work:
        mirror_with(source, shadow, PAGES, run=run)
    return [str(item.error) for item in close_run(source, shadow, run=run, options=PAGES) if item.error]


@pytest.mark.sampled
@pytest.mark.parametrize("ids", [(), (7,)])
def test_it_is_told_once_and_taken_up_again_by_itself(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, ids: tuple[int, ...]
) -> None:
    mirror_with(source, shadow, PAGES)
    refuse(odoo, "x_c", ids=ids)
    odoo.execute(VISIT, "write", [7], {"x_c": "unseen", "x_a": "seen"})
    with pytest.raises(MirrorConfigurationError, match=LOST):
        one_run(source, shadow)
    assert column(shadow, "x_a", [7], VISITS) == {7: "seen"}
    assert one_run(source, shadow) == one_run(source, shadow) == []
    assert (set(statuses_of(shadow)[-2:]), refused(shadow)) == ({"success"}, ["x_c"])
    odoo.rewrite = None
    assert one_run(source, shadow) == one_run(source, shadow) == []
    assert refused(shadow) == []
    assert column(shadow, "x_c", [6, 7], VISITS) == {6: "c", 7: "unseen"}


def test_it_is_told_by_the_next_try_when_one_was_cut_off_before(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow, PAGES)
    refuse(odoo, "x_c")
    odoo.execute(VISIT, "write", list(range(1, 41)), {"x_a": "news"})
    run = Run()
    for _ in range(2):
        with pytest.raises(StoppedError):
            mirror_with(source, shadow, PAGES, run=run, on_progress=stop_after(1))
    with pytest.raises(MirrorConfigurationError, match=LOST):
        mirror_with(source, shadow, PAGES, run=run)
    mirror_with(source, shadow, PAGES, run=run)
    assert refused(shadow) == ["x_c"]


def test_it_is_told_and_left_out_when_only_the_end_of_a_run_meets_it(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    """By the slices, since no record of the window is concerned."""
    assert one_run(source, shadow) == []
    refuse(odoo, "x_c", ids=(7,))
    let_pass(shadow, timedelta(days=2))
    (told,) = one_run(source, shadow)
    assert "records with x_c any more" in told
    assert refused(shadow) == ["x_c"]
    assert one_run(source, shadow) == one_run(source, shadow) == []
    changes = in_shadow(shadow, "SELECT change FROM {odoo_shadow_schema_log} WHERE column_name = 'x_c'")
    assert [change for (change,) in changes][-1] == "column no longer written"
    let_pass(shadow, timedelta(days=2))
    assert one_run(source, shadow) == []
