"""References to what is gone: Odoo changes them by SQL, and no `write_date` tells."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import mirror_with
from tests.support.leads import LEADS, NOW, POINTING
from tests.support.running import column, mirror, statuses_of
from tests.support.source_of_truth import assert_equal

pytestmark = pytest.mark.one_flavour


@pytest.fixture
def leads(own_odoo: StandIn) -> StandIn:
    """Leads of two teams; lead 5 points to nothing."""
    own_odoo.add_model("x_team")
    own_odoo.add_model("x_lead", POINTING)
    first, second = own_odoo.execute("x_team", "create", [{"x_name": "North"}, {"x_name": "South"}])
    both = [[6, 0, [first, second]]]
    own_odoo.execute(
        "x_lead",
        "create",
        [
            {"x_name": "many2one", "x_team_id": second},
            {"x_name": "many2many", "x_team_ids": both},
            {"x_name": "reference", "x_about": f"x_team,{second}"},
            {"x_name": "many2one_reference", "x_res_id": second},
            {"x_name": "nothing", "x_team_id": first},
        ],
    )
    age(own_odoo, "x_team", "x_lead")
    return own_odoo


@pytest.fixture
def source(leads: StandIn) -> Iterator[ApiSource]:
    with source_of(leads) as opened:
        yield opened


def merge_teams(odoo: StandIn) -> None:
    """Merge the second team into the first by SQL, as Odoo merges contacts: no `write_date` moves."""
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute("UPDATE x_lead SET x_team_id = 1 WHERE x_team_id = 2")
        connection.execute("UPDATE x_lead SET x_about = 'x_team,1' WHERE x_about = 'x_team,2'")
        connection.execute("UPDATE x_lead SET x_res_id = 1 WHERE x_res_id = 2")
        connection.execute("DELETE FROM x_team WHERE id = 2")


@pytest.mark.sampled
@pytest.mark.parametrize("order", [("x_team", "x_lead"), ("x_lead", "x_team")])
def test_no_row_points_to_what_the_same_run_removed(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, order: tuple[str, str]
) -> None:
    for model in order:
        mirror(source, shadow, model)
    merge_teams(leads)
    run = Run()
    for model in order:
        mirror(source, shadow, model, run=run)
    closed = list(close_run(source, shadow, run=run, options=NOW))
    assert [item.error for item in closed] == ([None] if order[0] == "x_lead" else [])
    assert column(shadow, "x_team_id", [1, 5], LEADS) == {1: 1, 5: 1}
    assert column(shadow, "x_team_ids", [2], LEADS) == {2: [1]}
    assert column(shadow, "x_about", [3], LEADS) == {3: "x_team,1"}
    assert column(shadow, "x_res_id", [4], LEADS) == {4: 1}
    assert_equal(leads, database, ["x_lead", "x_team"])
    assert list(close_run(source, shadow, run=run, options=NOW)) == []


def test_rows_of_the_same_table_are_read_again_as_well(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    leads.execute("x_lead", "write", [2, 3], {"x_parent_id": 1})
    age(leads, "x_lead")
    mirror(source, shadow, "x_lead", full=True)
    leads.execute("x_lead", "unlink", [1])
    mirror(source, shadow, "x_lead")
    assert column(shadow, "x_parent_id", [1, 2, 3], LEADS) == {2: None, 3: None}


def test_a_row_that_is_only_marked_counts_as_gone(leads: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    for model in ("x_team", "x_lead"):
        mirror_with(source, shadow, MirrorOptions(on_delete=OnDelete.MARK), model=model)
    leads.execute("x_team", "unlink", [2])
    mirror(source, shadow, "x_team")
    list(close_run(source, shadow, run=Run(), options=NOW))
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}


def test_rows_that_could_not_be_read_again_stay_due(leads: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    for model in ("x_team", "x_lead"):
        mirror(source, shadow, model)
    leads.execute("x_team", "unlink", [2])
    mirror(source, shadow, "x_team")
    with source_of(leads, extras={"lang": "fr_FR"}) as other:
        assert list(close_run(other, shadow, run=Run(), options=NOW)) == []
    assert column(shadow, "x_team_id", [1], LEADS) == {1: 2}
    (closed,) = close_run(source, shadow, run=Run(), options=NOW)
    assert closed.error is None and closed.counts.updated >= 1
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}
    assert set(statuses_of(shadow)) == {"success"}
