"""Mirrors are found in Airflow's metadata, whatever else stands there."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.pool import Pool
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from sqlalchemy import delete, select

from airflow_provider_odoo_shadow.page.mirrors import FoundMirror, find_mirrors
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust
from tests.support.airflow_connections import shadow_connection
from tests.support.airflow_pages import PAGE, Visits, links, seen
from tests.support.many_tables import fill_with_tables


def found(visits: Visits) -> dict[str, FoundMirror]:
    """Return the mirrors of this test by name."""
    with create_session() as session:
        return {mirror.name: mirror for mirror in find_mirrors(session) if mirror.sync.dag_id in visits.made}


@contextmanager
def serialized(dag_id: str) -> Iterator[dict[str, Any]]:
    """Change what a DAG was serialized to."""
    with create_session() as session:
        row = session.scalars(select(SerializedDagModel).where(SerializedDagModel.dag_id == dag_id)).one()
        data = copy.deepcopy(row.data)
        assert isinstance(data, dict)
        (arguments,) = (
            task["__var"]["partial_kwargs"] for task in data["dag"]["tasks"] if task["__var"].get("_is_mapped")
        )
        yield arguments
        row._data = data


def test_a_mirror_is_what_its_settings_say(visits: Visits) -> None:
    visits.publish(
        own={"schema": "own", "odoo_conn_id": "my_odoo", "postgres_conn_id": "my_shadow", "trusted_roles": ["admin"]},
        by_hand={"schema": "by_hand", "schedule": None, "agreed_objects": ["trigger audit on odoo_shadow_x 1f3c5a9b"]},
    )
    own, by_hand = found(visits)["own"], found(visits)["by_hand"]
    assert (own.schema, own.odoo_conn_id, own.postgres_conn_id) == ("own", "my_odoo", "my_shadow")
    assert own.trust == Trust.of(["admin"], [])
    assert by_hand.trust == Trust.of([], ["trigger audit on odoo_shadow_x 1f3c5a9b"])
    assert own.sync.dag_id == "own_sync" and own.verify is not None and own.verify.dag_id == "own_verify"
    assert by_hand.verify is not None and by_hand.verify.dag_id == "by_hand_verify"
    assert (own.sync.schedule, by_hand.sync.schedule) == ("0 */4 * * *", None)
    assert own.sync.next_run is not None and own.sync.next_run > datetime.now(UTC) - timedelta(hours=4)
    assert own.sync.is_paused and not own.sync.is_stale


def test_a_goal_is_read_from_the_arguments(visits: Visits) -> None:
    visits.publish(own={"schema": "own", "fresh_within_minutes": 300}, other={"schema": "other"})
    assert found(visits)["own"].fresh_within == timedelta(hours=5)
    assert found(visits)["other"].fresh_within is None
    for given, goal in ((90, timedelta(minutes=90)), ("90", None), (-1, None), (True, None), (None, None)):
        with serialized("own_sync") as arguments:
            arguments["fresh_within_minutes"] = given
        assert found(visits)["own"].fresh_within == goal


@pytest.mark.sampled
@pytest.mark.parametrize(
    "change",
    [
        lambda arguments: arguments.pop("schema"),
        lambda arguments: arguments.update(mirror=None),
        lambda arguments: arguments.update(mirror={"a": 1}),
        lambda arguments: arguments.update(mirror=""),
        lambda arguments: arguments.update(mirror="m" * 1000),
        lambda arguments: arguments.update(postgres_conn_id=[1]),
    ],
)
def test_arguments_that_are_no_mirrors_are_passed_over(
    visits: Visits, change: Callable[[dict[str, object]], object]
) -> None:
    visits.publish(own={"schema": "own"}, other={"schema": "other"})
    with serialized("own_sync") as arguments:
        change(arguments)
    assert {*found(visits)} == {"other"}
    assert visits.client().get(f"{PAGE}/").status_code == 200


def test_trust_that_makes_no_sense_is_no_trust(visits: Visits) -> None:
    visits.publish(own={"schema": "own"})
    for wrong in ("postgres", {"__var": "postgres", "__type": "tuple"}, [1, None], None):
        with serialized("own_sync") as arguments:
            arguments["trusted_roles"] = arguments["agreed_objects"] = wrong
        assert found(visits)["own"].trust == NOBODY_ELSE


def test_a_removed_mirror_is_shown_as_such(visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "own", tables=2, days=1)
    visits.publish(own={"schema": "own"}, other={"schema": "other"})
    for dag_id in ("own_sync", "own_verify"):
        visits.change(dag_id, is_stale=True)
    page = visits.get("/mirrors/own", role="ADMIN")
    assert "No DAG file makes this mirror any more: its tables in schema own stay as they are." in seen(page)
    assert "If Airflow's home page shows an import error, mend that first: nothing is lost." in seen(page)
    assert f"{PAGE}/mirrors/own/tables/odoo_shadow_wide_1" in links(page)
    table = visits.get("/mirrors/own/tables/odoo_shadow_wide_1", role="ADMIN")
    assert "Sync this table" not in table and "Verify this table" not in table


def test_of_two_mirrors_of_one_name_the_living_one_is_shown(visits: Visits) -> None:
    visits.publish(own={"schema": "own"}, zeta={"schema": "zeta"})
    with serialized("own_sync") as arguments:
        arguments.update(mirror="zeta", schema="before")
    visits.change("own_sync", is_stale=True)
    assert "schema zeta in odoo_shadow_db" in seen(visits.get("/mirrors/zeta"))
    assert len([link for link in links(visits.get("/")) if link == f"{PAGE}/mirrors/zeta"]) == 1


def test_no_dag_is_made_again(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from its file nor from what it was serialized to."""
    visits.publish(own={"schema": "own"})

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a DAG was made")

    monkeypatch.setattr("airflow.serialization.serialized_objects.DagSerialization.from_dict", refuse)
    monkeypatch.setattr("airflow.dag_processing.dagbag.DagBag.__init__", refuse)
    assert "own" in visits.get("/mirrors/own")


def test_both_dags_carry_the_tag(visits: Visits) -> None:
    visits.publish(own={"schema": "own"})
    with create_session() as session:
        for dag_id in ("own_sync", "own_verify"):
            dag = session.get(DagModel, dag_id)
            assert dag is not None and "odoo-shadow" in {tag.name for tag in dag.tags}


def test_a_pool_that_airflow_does_not_have_is_a_problem(visits: Visits) -> None:
    visits.publish(own={"schema": "own", "pool": "odoo"})
    said = "There is no pool odoo, so tasks of own_sync never start: add it, or correct the mirrors file."
    assert said in seen(visits.get("/mirrors/own"))
    assert "/pools" in links(visits.get("/mirrors/own"))
    with create_session() as session:
        session.add(Pool(pool="odoo", slots=2, include_deferred=False))
    try:
        assert said not in seen(visits.get("/mirrors/own"))
    finally:
        with create_session() as session:
            session.execute(delete(Pool).where(Pool.pool == "odoo"))


def test_a_run_that_does_not_begin_is_a_problem(visits: Visits) -> None:
    visits.publish(own={"schema": "own"})
    late = "The run of own_sync that was due 2 h ago has not begun: see whether Airflow's scheduler is at work."
    visits.change("own_sync", is_paused=False, next_dagrun_create_after=datetime.now(UTC) - timedelta(hours=2))
    assert late in seen(visits.get("/mirrors/own"))
    visits.change("own_sync", next_dagrun_create_after=datetime.now(UTC) - timedelta(minutes=5))
    assert "has not begun" not in seen(visits.get("/mirrors/own"))


def test_a_run_that_does_not_end_is_to_be_looked_at(visits: Visits) -> None:
    visits.publish(own={"schema": "own"})
    due = datetime.now(UTC) - timedelta(hours=13)
    with create_session() as session:
        run = DagRun("own_sync", run_id="by_hand", run_type="manual", run_after=due, state=DagRunState.RUNNING)
        session.add(run)
    assert "A run of own_sync has not ended for 13 h" in seen(visits.get("/mirrors/own"))


def test_a_table_that_the_mirror_does_not_ask_for_any_more_is_neither_late_nor_failing(
    visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "wide", tables=3, days=1)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE wide.odoo_shadow_watermark SET last_write_date = now()")
        connection.execute(
            "UPDATE wide.odoo_shadow_watermark SET last_write_date = now() - interval '9 days'"
            " WHERE table_name = 'odoo_shadow_wide_2'"
        )
    monkeypatch.setenv("AIRFLOW_CONN_THE_SAME", shadow_connection(database))
    asked = {"schema": "wide", "fresh_within_minutes": 300}
    visits.publish(
        wide={**asked, "models": ["wide.*"]},
        fewer={**asked, "models": ["wide.*", "!wide.model.2"], "postgres_conn_id": "the_same"},
    )
    wide, fewer = seen(visits.get("/mirrors/wide")), seen(visits.get("/mirrors/fewer"))
    assert "Fresh late 1 of 3 tables older than 5 h" in wide and "not mirrored any more" not in wide
    assert "Fresh fresh" in fewer and "not mirrored any more" in fewer
