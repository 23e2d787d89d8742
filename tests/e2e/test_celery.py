"""A first load in parts on CeleryExecutor: one of two workers is killed, and its part alone goes on where it was."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import pytest
import yaml
from psycopg import sql

from odoo_stand_in import StandIn
from tests.support.celery_workers import Workers, celery_airflow, celery_settings, redis_server, what_is_missing
from tests.support.deployment import SECONDS_TO_RUN, Deployment
from tests.support.held_range import HeldRange, held_range
from tests.support.odoo_database import reading_role
from tests.support.source_of_truth import assert_equal
from tests.support.webhooks import PATH, chat
from tools.airflow_home import AirflowHome, to_postgres, to_stand_in
from tools.embedded_postgres import new_database

MISSING = what_is_missing()

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(900),
    pytest.mark.skipif(MISSING is not None, reason=f"CeleryExecutor: {MISSING}"),
]

FIELDS: dict[str, str | dict[str, str]] = {
    "x_name": "char",
    "x_text": "text",
    "x_number": "integer",
    "x_price": "float",
    "x_done": "boolean",
    "x_on": "date",
    "x_at": "datetime",
    "x_partner_id": {"type": "many2one", "relation": "res.partner"},
}
ROWS = {"x_note": 200_001, "x_line": 500_001}
"""The fewest that are three parts: of 100,000 records by API, of 250,000 out of Odoo's own database."""
PARTS = 3
KILLED = 2
PAGE = 2000
AT_ONCE = 2
"""Tasks of a worker at the same time: three parts need both workers."""


@dataclass(frozen=True)
class Answer:
    """Which records the API has given, and when."""

    moment: float
    model: str
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Site:
    """What runs, and what Odoo's API has given."""

    deployment: Deployment
    workers: Workers
    answers: list[Answer]


def mirrors() -> dict[str, Any]:
    common = {
        "schedule": None,
        "verify_schedule": None,
        "batch_size": PAGE,
        "parallel_models": PARTS,
        "retry_delay_seconds": 1,
        "notify_conn_id": "chat",
    }
    database = {"source": "database", "odoo_database_conn_id": "odoo_database"}
    return {
        "by_api": {**common, "schema": "by_api", "models": ["x_note"]},
        "by_database": {**common, "schema": "by_database", "models": ["x_line"], **database},
    }


@pytest.fixture(scope="module")
def site(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("celery")
    file = folder / "mirrors.yaml"
    file.write_text(yaml.safe_dump({"mirrors": mirrors()}), encoding="utf-8")
    shadow_url = new_database(postgres)
    answers: list[Answer] = []

    def remember(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if rows and "x_name" in rows[0]:  # not the dates by which a task knows that it is still the same Odoo
            answers.append(Answer(time.time(), model, tuple(row["id"] for row in rows)))
        return rows

    with (
        StandIn(postgres, flavour="19", database="celery", copied=True) as odoo,
        chat() as mattermost,
        redis_server(folder) as redis,
    ):
        for model, rows in ROWS.items():
            odoo.add_model(model, FIELDS)
            odoo.fill(model, rows)
        odoo.rewrite = remember
        settings = {
            **celery_settings(new_database(postgres), redis),
            "AIRFLOW__ODOO_SHADOW__MIRRORS_FILE": str(file),
        }
        with reading_role(odoo.dsn) as reader:
            home = AirflowHome(folder, odoo=to_stand_in(odoo), shadow_url=shadow_url, settings=settings)
            home.connections["odoo_database"] = to_postgres(reader, "Odoo's own database.")
            home.connections["chat"] = {"conn_type": "http", "host": mattermost.server.url, "password": PATH}
            home.make_database()
            home.store_connections()
            with celery_airflow(home, dag_id="by_api_sync") as (airflow, workers):
                airflow.wait_until(lambda: airflow.has_dag("by_database_sync"))
                yield Site(Deployment(airflow, odoo, shadow_url, folder, mattermost), workers, answers)


@pytest.mark.parametrize(("mirror", "model"), [("by_api", "x_note"), ("by_database", "x_line")])
def test_a_worker_dies_in_the_middle_of_a_part(site: Site, mirror: str, model: str) -> None:
    deployment, dag = site.deployment, f"{mirror}_sync"
    for name in ("one", "two"):
        site.workers.start(name, AT_ONCE)
    deployment.airflow.call("PATCH", f"/dags/{dag}", {"is_paused": False})
    run_id = deployment.trigger(dag=dag)
    with held_range(deployment.shadow_url, mirror, KILLED, share=0.3) as held:
        parts = wait_until_all_have_begun(deployment, dag, run_id)
        at_work = {number: part["pid"] for number, part in parts.items() if part["state"] == "running"}
        worker_of = {number: site.workers.of(pid) for number, pid in at_work.items()}
        killed = worker_of[KILLED]
        assert events_of(deployment, dag) == [] and watermark_of(deployment, mirror, model) is None
        site.workers.kill(killed)
    assert deployment.wait(run_id, dag=dag) == "success"

    parts = parts_of(deployment, dag, run_id)
    labels = {number: part["rendered_map_index"] for number, part in parts.items()}
    assert labels == {number: f"{model} (part {number} of {PARTS})" for number in range(1, PARTS + 1)}
    tries = {number: part["try_number"] for number, part in parts.items()}
    assert tries == {number: 2 if worker_of.get(number) == killed else 1 for number in parts}
    said = deployment.log(run_id, parts[KILLED], dag=dag)
    assert f"{model}: first load, 100%, {held.left} inserted, 0 updated, 0 unchanged" in said
    if mirror == "by_api":
        check_what_was_read(site.answers, parts, held)
    check_table(deployment, mirror, model)
    check_what_is_told(deployment, dag, run_id, mirror, model)


def parts_of(deployment: Deployment, dag: str, run_id: str) -> dict[int, dict[str, Any]]:
    """Return the mapped tasks by the number of their part."""
    mirrored = [task for task in deployment.tasks(run_id, dag=dag) if task["task_id"] == "mirror"]
    return {task["map_index"] + 1: task for task in mirrored}


def wait_until_all_have_begun(deployment: Deployment, dag: str, run_id: str) -> dict[int, dict[str, Any]]:
    """Return the parts; one that a worker has fetched, but not begun, would stay with the dead for ten minutes."""
    deadline = time.monotonic() + SECONDS_TO_RUN
    while time.monotonic() < deadline:
        parts = parts_of(deployment, dag, run_id)
        if all(part["state"] in ("running", "success") and part["pid"] for part in parts.values()):
            return parts
        time.sleep(0.2)
    raise AssertionError("not all parts have begun")


def check_what_was_read(answers: list[Answer], parts: dict[int, dict[str, Any]], held: HeldRange) -> None:
    """The part's second try read what it lacked; of a task that died, a page and the next one were read for nothing."""
    again = moment(parts[KILLED]["start_date"])
    end = max(moment(part["end_date"]) for part in parts.values())
    pages = [item for item in answers if item.model == "x_note" and item.moment <= end]
    of_part = range(held.after_id + 1, held.up_to_id + 1)
    read_again = [number for page in pages if page.moment >= again for number in page.ids if number in of_part]
    assert read_again == list(range(held.last_id + 1, held.up_to_id + 1))
    times = Counter(number for page in pages for number in page.ids)
    assert len(times) == ROWS["x_note"] and max(times.values()) <= 2
    killed = sum(part["try_number"] > 1 for part in parts.values())
    assert sum(number > 1 for number in times.values()) <= 2 * PAGE * killed


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def check_table(deployment: Deployment, mirror: str, model: str) -> None:
    """It is what Odoo has, and no row was written twice."""
    assert_equal(deployment.odoo, deployment.shadow_url, [model], schema=mirror)
    logged = asked(
        deployment,
        "SELECT status, rows_inserted, rows_updated, metadata ->> 'rows_unchanged' FROM {}",
        mirror,
        "odoo_shadow_sync_log",
    )
    assert logged == [("success", ROWS[model], 0, "0")]
    assert asked(deployment, "SELECT * FROM {}", f"{mirror}_internal", "scan_range") == []


def check_what_is_told(deployment: Deployment, dag: str, run_id: str, mirror: str, model: str) -> None:
    """The run's note, the task `report`, the asset and the Variable tell of the table once, with all its rows."""
    table, rows = f"odoo_shadow_{model}", ROWS[model]
    note = deployment.airflow.call("GET", f"/dags/{dag}/dagRuns/{run_id}")["note"]
    assert note == f"Odoo shadow: models: 1 mirrored, 0 unchanged; rows: {rows} inserted, 0 updated, 0 deleted."
    (report,) = [task for task in deployment.tasks(run_id, dag=dag) if task["task_id"] == "report"]
    lines = [line for text in deployment.log(run_id, report, dag=dag) for line in text.splitlines() if table in line]
    assert len(lines) == 1 and lines[0].replace("│", " ").split()[:5] == [table, "success", str(rows), "0", "0"]
    (event,) = events_of(deployment, dag)
    assert (event["name"], event["extra"]["rows_inserted"]) == (f"odoo-shadow://{mirror}/{model}", rows)
    ((watermark,),) = asked(deployment, "SELECT last_write_date FROM {}", mirror, "odoo_shadow_watermark")
    assert event["extra"]["last_write_date"] == watermark.isoformat()
    assert watermark_of(deployment, mirror, model) == watermark
    assert deployment.mattermost.texts == []


def asked(deployment: Deployment, statement: LiteralString, *table: str) -> list[tuple[Any, ...]]:
    """Ask the shadow database about a table, which is a schema and a name."""
    return deployment.query(sql.SQL(statement).format(sql.Identifier(*table)).as_string())


def events_of(deployment: Deployment, dag: str) -> list[dict[str, Any]]:
    return list(deployment.airflow.call("GET", f"/assets/events?source_dag_id={dag}")["asset_events"])


def watermark_of(deployment: Deployment, mirror: str, model: str) -> datetime | None:
    """Return what the table's Variable says; None if there is none."""
    key = f"odoo_shadow_watermark__{mirror}__odoo_shadow_{model}"
    variables = deployment.airflow.call("GET", "/variables?limit=100")["variables"]
    found = [json.loads(item["value"]) for item in variables if item["key"] == key]
    return datetime.fromisoformat(found[0]["last_write_date"]) if found else None
