"""What the page shows is what Airflow and the shadow know, problems first, each with what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from odoo_stand_in import Fault, StandIn
from tests.support.airflow_connections import shadow_connection
from tests.support.airflow_home import DAGS_FOLDER
from tests.support.airflow_pages import PAGE, Visits, links, seen, tags
from tests.support.dag_runs import run
from tests.support.many_tables import fill_with_tables
from tests.support.roles import as_role, new_role, run_as_owner

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour

NO_RIGHTS = json.dumps({"name": "odoo.exceptions.AccessError", "message": "No group allows this.", "debug": ""})
MODELS = ["res.partner", "res.country"]
PARTNERS = "/mirrors/own/tables/odoo_shadow_res_partner"


@pytest.fixture
def dags(visits: Visits, connections: None, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, DAG]:
    """The DAGs of a mirror of two models."""
    from airflow.dag_processing.dagbag import DagBag

    visits.publish(own={"schema": "own", "models": MODELS, "retries": 0})
    monkeypatch.setenv("AIRFLOW__ODOO_SHADOW__MIRRORS_FILE", str(visits.folder / "mirrors.yaml"))
    found: Mapping[str, DAG] = DagBag(str(DAGS_FOLDER)).dags
    return found


@pytest.fixture
def wide(visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A mirror of 250 invented tables, of which some fail and some differ; the database's URL."""
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "wide", tables=250, days=3)
    visits.publish(wide={"schema": "wide", "models": ["wide.*"]})
    visits.change("wide_sync", is_paused=False)
    return database


def test_a_mirror_after_its_runs(visits: Visits, dags: Mapping[str, DAG], odoo: StandIn) -> None:
    before = seen(visits.get("/mirrors/own"))
    assert "Schema own holds no mirror yet: start a run of own_sync, which makes it." in before
    dag_run = run(dags["own_sync"])
    assert run(dags["own_verify"]).state == "success"
    page = visits.get("/mirrors/own")
    partners = len(odoo.execute("res.partner", "search", [], context={"active_test": False}))
    countries = len(odoo.execute("res.country", "search", []))
    assert f"database {odoo.database} at {odoo.url} → schema own in odoo_shadow_db" in seen(page)
    assert f"Rows {partners + countries:,} in 2 tables" in seen(page)
    assert "Proven proven every row compared with Odoo within" in seen(page)
    assert f"{partners + countries:,} inserted, 0 updated, 0 deleted" in seen(page)
    assert f"/dags/own_sync/runs/{dag_run.run_id}".replace(":", "%3A").replace("+", "%2B") in links(page)
    table = visits.get(PARTNERS)
    assert f"equal, {partners} rows" in seen(table)
    assert "commercial_partner_id Commercial Entity many2one bigint res.partner" in seen(table)
    assert "/variables?name_pattern=odoo_shadow_watermark__own__odoo_shadow_res_partner" in links(table)
    assert f"{PAGE}{PARTNERS}/start/sync" in links(table) and f"{PAGE}{PARTNERS}/start/verify" in links(table)
    assert any(item.get("id") == "verification" for item in tags(table, "h2"))


@pytest.mark.nightly
def test_rows_that_were_wrong_and_have_been_repaired_are_told(
    visits: Visits, dags: Mapping[str, DAG], database: str
) -> None:
    run(dags["own_sync"])
    assert run(dags["own_verify"]).state == "success"
    for dag_id in ("own_sync", "own_verify"):
        visits.change(dag_id, is_paused=False, next_dagrun_create_after=None)
    assert "own no problem found" in seen(visits.get("/"))  # without a goal nobody can say that all is well
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE own.odoo_shadow_res_country SET name = 'By hand'")
    run(dags["own_verify"])
    run(dags["own_sync"])
    page = seen(visits.get("/mirrors/own"))
    assert "res.country: rows were wrong until just now and have been repaired" in page
    assert "Proven 1 table repaired" in page


def test_a_first_load_that_has_not_ended_is_not_well(visits: Visits, dags: Mapping[str, DAG], database: str) -> None:
    run(dags["own_sync"])
    visits.change("own_sync", is_paused=False)
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM own.odoo_shadow_watermark WHERE table_name LIKE '%country'")
    page = seen(visits.get("/"))
    assert "res.country: its first load has not ended" in page and "all well" not in page


def test_a_run_that_fails_is_the_first_thing_to_see(visits: Visits, dags: Mapping[str, DAG], odoo: StandIn) -> None:
    run(dags["own_sync"])
    odoo.faults.add(Fault(body=NO_RIGHTS, status=403, model="res.partner", method="search_read", times=60))
    failed = run(dags["own_sync"], full=True)
    odoo.faults.clear()
    assert failed.state == "failed"
    page = visits.get("/mirrors/own")
    first = seen(page).index("Problem: ")
    assert first < seen(page).index("Fresh")
    assert "The last run of own_sync that has ended failed." in seen(page)


def test_problems_come_first_in_every_list(visits: Visits, wide: str) -> None:
    page = visits.get("/mirrors/wide")
    assert "wide.model.97: 2 failed runs since its last good run" in seen(page)
    assert "wide.model.101: it differed from Odoo when it was last verified (3 differing): verify it" in seen(page)
    _, _, listed = page.partition('id="tables"')
    tables = [link.rpartition("_")[2] for link in links(listed.partition("</table>")[0]) if "/tables/" in link]
    assert tables[:5] == ["101", "194", "97", "1", "10"]


def test_the_filter_needs_no_script(visits: Visits, wide: str) -> None:
    (form,) = tags(visits.get("/mirrors/wide"), "form")
    assert form["method"] == "get" and form["action"] == f"{PAGE}/mirrors/wide"
    page = visits.get("/mirrors/wide?q=MODEL.24")
    shown = {str(item["href"]).rpartition("/")[2] for item in tags(page, "a") if "/tables/" in str(item.get("href"))}
    assert {f"odoo_shadow_wide_24{end}" for end in ("", *range(10))} <= shown
    assert "odoo_shadow_wide_1" not in shown
    assert "No table has a name like that." in seen(visits.get("/mirrors/wide?q=nothing"))
    attack = '"><script>alert(1)</script>'
    (field,) = tags(visits.get(f"/mirrors/wide?q={attack}"), "input")
    assert field["value"] == attack
    assert len(visits.get(f"/mirrors/wide?q={'x' * 5000}")) < len(visits.get("/mirrors/wide"))


def test_the_chart_is_told_in_words(visits: Visits, wide: str) -> None:
    page = visits.get("/mirrors/wide")
    (chart,) = tags(page, "svg")
    assert chart["role"] == "img" and chart["aria-labelledby"] == "chart-said"
    assert "Rows changed per day, at most" in seen(page)
    assert len(tags(page, "rect")) >= 9


@pytest.mark.sampled
@pytest.mark.parametrize("path", ["/mirrors/never", "/mirrors/wide/tables/never", "/mirrors/wide/tables/pg_class",
    "/mirrors/wide/tables/odoo_shadow_wide_1/start/drop", "/mirrors/..%2f..%2fetc", "/mirrors/wide/tables/..%2f..",
    "/mirrors/wide/tables/%00", "/mirrors/wide/tables/x';SELECT 1--", "/static/..%2fapp.py", "/static/app.py",
    "/static/page.css%00", "/mirrors/wide/", "/mirrors/", "/mirrors/wide/tables/" + "x" * 4000, "/docs",
    "/openapi.json"])  # fmt: skip
def test_what_is_not_there_is_not_found(visits: Visits, wide: str, path: str) -> None:
    answer = visits.client(role="ADMIN").get(PAGE + path)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_hostile_names_are_text(visits: Visits, wide: str) -> None:
    attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202ejavascript:alert(3)\n\r::group::x"
    table = "odoo_shadow_'><script>x"
    with psycopg.connect(wide, autocommit=True) as connection:
        connection.execute("UPDATE wide.odoo_shadow_meta SET odoo_model = %s, table_name = %s"
            " WHERE odoo_model = 'wide.model.1'", [attack, table])  # fmt: skip
        for name in ("watermark", "field", "sync_log", "schema_log", "verification"):
            update = sql.SQL("UPDATE wide.{} SET table_name = %s WHERE table_name = 'odoo_shadow_wide_1'")
            connection.execute(update.format(sql.Identifier(f"odoo_shadow_{name}")), [table])
        connection.execute("UPDATE wide.odoo_shadow_field SET label = %s, relation = 'javascript:x'", [attack * 50])
        connection.execute("UPDATE wide.odoo_shadow_sync_log SET error_message = %s", [attack])
        connection.execute("UPDATE wide.odoo_shadow_schema_log SET change = %s", [attack])
        connection.execute("INSERT INTO wide.odoo_shadow_left_out VALUES (%s, '', %s)", [attack, attack])
    (href,) = {link for link in links(visits.get("/mirrors/wide")) if "script" in link}
    assert href == f"{PAGE}/mirrors/wide/tables/odoo_shadow_%27%3E%3Cscript%3Ex"
    for path in ("/", "/mirrors/wide", href.removeprefix(PAGE), f"{href.removeprefix(PAGE)}/start/sync"):
        html = visits.get(path, role="ADMIN")
        assert [item.get("src") for item in tags(html, "script")] == [f"{PAGE}/static/page.js"]
        assert not tags(html, "img")
        assert not any(name.startswith("on") or name == "style" for item in tags(html) for name in item)
        assert "\u202e" not in html
        assert not any(link.casefold().startswith(("javascript", "data")) for link in links(html))
        assert max(map(len, html.split("\n"))) < 4000


def test_a_reader_of_the_shadow_is_enough(visits: Visits, wide: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_role(wide) as role:
        run_as_owner(
            wide,
            "GRANT USAGE ON SCHEMA wide TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA wide TO {role}",
            role=role,
        )
        monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(as_role(wide, role)))
        visits.publish(wide={"schema": "wide", "models": ["wide.*"], "trusted_roles": ["postgres"]})
        page = seen(visits.get("/mirrors/wide"))
        assert "in 250 tables" in page
        assert "only the sync's role can see the error's message" in page


@pytest.mark.parametrize("version", [4, 5, 6])
def test_a_schema_of_an_earlier_version(
    visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    former = Path(__file__).parents[1] / "shadow" / "former"
    with psycopg.connect(database, autocommit=True) as connection:
        for part in ("base", "tables", "rows"):
            connection.execute((former / f"version_{version}_{part}.sql").read_bytes())
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    visits.publish(former={"schema": "odoo_shadow"})
    page = visits.get("/mirrors/former")
    (table, *_) = [link for link in links(page) if "/tables/" in link]
    assert visits.client().get(table).status_code == 200


def test_a_goal_that_is_missed(visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "wide", tables=250, days=1)  # the oldest watermark is half an hour old
    visits.publish(
        wide={"schema": "wide", "models": ["wide.*"], "schedule": "*/5 * * * *", "fresh_within_minutes": 20},
        kept={
            "schema": "wide",
            "models": ["wide.*"],
            "postgres_conn_id": "odoo_shadow_2",
            "fresh_within_minutes": 300,
        },
    )
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_2", shadow_connection(database))
    missed, kept = seen(visits.get("/mirrors/wide")), seen(visits.get("/mirrors/kept"))
    assert "Data are older than the goal of 20 min (wide.model." in missed
    assert "Fresh late 79 of 250 tables older than 20 min; the oldest: 29 min" in missed
    assert "Fresh fresh all within 5 h; the oldest: 29 min" in kept


MARTS = """
CREATE SCHEMA odoo_marts_wide;
CREATE TABLE odoo_marts_wide.mart_freshness AS
SELECT mart, now() AS built_at, now() - old AS as_of, 5 AS row_count, why AS left_out_because, 'wide' AS shadow_schema,
    jsonb_build_object('odoo_shadow_wide_1', now() - old, 'odoo_shadow_gone', now()) AS made_of, 'UTC' AS time_zone,
    'digest' AS definition
FROM (VALUES ('mart_good', '1 minute'::interval, NULL), ('mart_<b>bad</b>', '1 minute', NULL),
    ('mart_old', '9 hours', NULL), ('mart_gone', NULL, 'crm.lead is not mirrored')) m (mart, old, why);
INSERT INTO wide.odoo_shadow_mart_verification
    (run_id, marts_schema, mart, verdict, reason, started_at, duration_ms, figures_compared, figures_equal, time_zone,
    definition)
SELECT gen_random_uuid(), 'odoo_marts_wide', mart, verdict, reason, now() - interval '2 hours', 5, 12, equal, 'UTC',
    'digest'
FROM (VALUES ('mart_good', 'differs', '', 3), ('mart_good', 'equal', '', 12), ('mart_<b>bad</b>', 'differs', '', 11),
    ('mart_old', 'equal', '', 12)) v (mart, verdict, reason, equal);
"""


COMPARED = "UPDATE wide.odoo_shadow_mart_verification SET"
BUILT = "UPDATE odoo_marts_wide.mart_freshness SET"
NOT_ALL_WELL = {
    f"{COMPARED} started_at = now() - interval '12 days 1 hour'": "mart_good was last compared 12 days ago: run",
    f"{COMPARED} started_at = now() - interval '7 days'; {BUILT} time_zone = 'Europe/Vienna'": (
        "mart_good is built in another way since it was compared on "
    ),
    f"{BUILT} time_zone = 'UTC', definition = 'other'": "mart_good is built in another way since it was compared on ",
    f"{BUILT} definition = NULL": "mart_good does not say whether it is built as when it was compared: ",
    f"{BUILT} definition = 'digest', as_of = NULL": "mart_good does not say as of when it is, as while the first load ",
    f"{BUILT} as_of = 'infinity', built_at = '-infinity'": "mart_good does not say as of when it is, as while ",
    f"{BUILT} as_of = now(); {COMPARED} marts_schema = NULL": "Marts 1 not compared yet of 1 mart",
}
"""What is done to a mart that is as in Odoo, one after the other, and what the page says then."""


def test_marts_that_differ_or_are_older_than_their_tables(
    visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "wide", tables=20, days=7)  # so few that all are well
    visits.publish(wide={"schema": "wide", "models": ["wide.*"], "fresh_within_minutes": 300})
    with psycopg.connect(database) as connection:
        connection.execute(MARTS.encode())
    visits.change("wide_sync", is_paused=False, next_dagrun_create_after=None)
    visits.change("wide_verify", is_paused=False, next_dagrun_create_after=None)
    page = visits.get("/mirrors/wide")
    assert "mart_<b>bad</b> differs from Odoo (1 of 12 figures, compared on " in seen(page) and "<b>bad" not in page
    assert "UTC), and was built anew since: run odoo-shadow marts verify" in seen(page)
    assert "mart_old is as of " in seen(page) and "Marts 1 differs mart_<b>bad</b>" in seen(page)
    _, _, listed = page.partition('id="marts"')
    states = [word for word in ("differs", "late", "as in Odoo", "left out") if word in listed]
    assert sorted(states, key=listed.index) == ["differs", "late", "as in Odoo", "left out"]
    assert " its tables are newer by more than the goal" in seen(listed), "the list says why it is late"
    overview = seen(visits.get("/"))
    assert "2 problems" in overview and "all well" not in overview
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM odoo_marts_wide.mart_freshness WHERE mart LIKE '%bad%' OR mart = 'mart_old'")
    assert "wide all well" in seen(visits.get("/"))
    for change, said in NOT_ALL_WELL.items():
        with psycopg.connect(database) as connection:
            connection.execute(change.encode())
        assert said in seen(visits.get("/mirrors/wide")), change
        assert "wide all well" not in seen(visits.get("/")), change
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_marts_wide.mart_freshness SET shadow_schema = 'other'")
    assert "Marts" not in seen(visits.get("/mirrors/wide"))
