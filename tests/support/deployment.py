"""A whole deployment: `airflow standalone` with the DAGs that ship, a stand-in Odoo, a shadow database, a chat."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml

from odoo_stand_in import StandIn
from tests.support.webhooks import PATH, Chat, chat
from tools.airflow_home import DAG_ID, REPOSITORY, AirflowHome, to_stand_in
from tools.embedded_postgres import new_database
from tools.standalone import RunningAirflow, standalone

SECONDS_TO_RUN = 240
ENDED = ("success", "failed")


@dataclass(frozen=True)
class Deployment:
    """A running Airflow, the Odoo that it reads and the database that it writes."""

    airflow: RunningAirflow
    odoo: StandIn
    shadow_url: str
    folder: Path
    mattermost: Chat

    def trigger(self, *, dag: str = DAG_ID, **conf: object) -> str:
        """Start a run by hand; return its id."""
        answer = self.airflow.call("POST", f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
        return str(answer["dag_run_id"])

    def wait(self, run_id: str, *, dag: str = DAG_ID) -> str:
        """Wait for a run's end; return its state."""
        deadline = time.monotonic() + SECONDS_TO_RUN
        while time.monotonic() < deadline:
            state = str(self.airflow.call("GET", f"/dags/{dag}/dagRuns/{run_id}")["state"])
            if state in ENDED:
                return state
            time.sleep(0.5)
        raise AssertionError(f"run {run_id} has not ended")

    def tasks(self, run_id: str, *, dag: str = DAG_ID) -> list[dict[str, Any]]:
        """Return a run's task instances."""
        answer = self.airflow.call("GET", f"/dags/{dag}/dagRuns/{run_id}/taskInstances?limit=100")
        return list(answer["task_instances"])

    def states(self, run_id: str, *, dag: str = DAG_ID) -> dict[str, str]:
        """Return the state of each model's task by the model, and of the other tasks by their ids."""
        return {
            name: task["state"]
            for task in self.tasks(run_id, dag=dag)
            for name in (task["rendered_map_index"] or task["task_id"]).split(", ")
        }

    def log(self, run_id: str, task: Mapping[str, Any], *, dag: str = DAG_ID) -> list[str]:
        """Return the messages of a task's last try."""
        place = f"/dags/{dag}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        answer = self.airflow.call("GET", f"{place}?map_index={task['map_index']}")
        return [str(item["event"]) for item in answer["content"]]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the shadow database."""
        with psycopg.connect(self.shadow_url) as connection:
            return connection.execute(statement.encode()).fetchall()


def hostile_model(folder: Path) -> str:
    """Return a name that runs a command where it is rendered: Airflow's macros lead to a shell."""
    return f"x_pwn.{{{{ macros.uuid.os.system('echo rendered >> {folder}/PROOF') }}}}"


def _mirrors_with_a_pattern(copy: Path) -> Path:
    mirrors = yaml.safe_load((REPOSITORY / "dags" / "odoo_shadow.yaml").read_text(encoding="utf-8"))
    never = {"schedule": None, "verify_schedule": None}
    mirrors["mirrors"]["odoo_shadow"]["notify_conn_id"] = "chat"
    mirrors["mirrors"]["pattern"] = {"schema": "pattern", "models": ["x_pwn*", "*country*"], **never}
    copy.write_text(yaml.safe_dump(mirrors), encoding="utf-8")
    return copy


def _wait_for_first_scheduled_run(deployment: Deployment) -> None:
    """Un-pausing starts the last scheduled run at once; it is the first load of all models."""
    deadline = time.monotonic() + SECONDS_TO_RUN
    while time.monotonic() < deadline:
        runs = deployment.airflow.call("GET", f"/dags/{DAG_ID}/dagRuns")["dag_runs"]
        if runs:
            assert deployment.wait(runs[0]["dag_run_id"]) == "success"
            return
        time.sleep(0.5)
    raise AssertionError("no scheduled run has begun")


@contextmanager
def running_deployment(postgres: str, folder: Path) -> Iterator[Deployment]:
    """Run one, from when its first scheduled run has loaded all models; end all its processes."""
    shadow_url = new_database(postgres)
    with StandIn(postgres, flavour="19", database="e2e") as odoo, chat() as mattermost:
        odoo.add_model(hostile_model(folder))
        settings = {"AIRFLOW__ODOO_SHADOW__MIRRORS_FILE": str(_mirrors_with_a_pattern(folder / "mirrors.yaml"))}
        home = AirflowHome(folder, odoo=to_stand_in(odoo), shadow_url=shadow_url, settings=settings)
        home.connections["chat"] = {"conn_type": "http", "host": mattermost.server.url, "password": PATH}
        home.make_database()
        home.store_connections()
        with standalone(home) as airflow:
            airflow.call("PATCH", f"/dags/{DAG_ID}", {"is_paused": False})
            deployment = Deployment(airflow, odoo, shadow_url, folder, mattermost)
            _wait_for_first_scheduled_run(deployment)
            yield deployment
