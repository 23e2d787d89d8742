"""A DAG run in a process of its own, for what Airflow sets up only once in each: listeners, metrics."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.airflow_home import DAGS_FOLDER

_CHILD = """
import sys
folder, dag_id, *without = sys.argv[1:]
sys.modules.update(dict.fromkeys(without))
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
# As Airflow's worker does; `dag.test()` alone does not.
stats.initialize(factory=get_stats_factory(), export_legacy_names=conf.getboolean("metrics", "legacy_names_on"))
print("\\nended:", DagBag(folder).dags[dag_id].test().state)
"""


def run_in_a_child(dag_id: str, settings: Mapping[str, str], *, without: Sequence[str] = ()) -> str:
    """Run one of the tests' DAGs and return the run's state.

    :param settings: variables of the environment, besides those of this process.
    :param without: modules that cannot be imported there.
    """
    root = Path(__file__).parents[2]
    paths = os.pathsep.join(map(str, (root / "engine", root)))
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(DAGS_FOLDER), dag_id, *without],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={**os.environ, "PYTHONPATH": paths, **settings},
        cwd=root,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    (state,) = [line.removeprefix("ended: ") for line in done.stdout.splitlines() if line.startswith("ended: ")]
    return state
