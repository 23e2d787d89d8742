"""Runs a DAG once, in this process and without a scheduler, and writes down what came of it.

A process of its own, since Airflow reads its settings when it is imported, and logs as it likes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag
from airflow.models.variable import Variable
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import select

from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import mirror_run
from airflow_provider_odoo_shadow.transfers.watermark_variable import KEY_PREFIX


def main(dag_id: str, run_conf: str, result: Path) -> None:
    """Run the DAG and write the run's state, its id in the sync log, and the watermark Variables."""
    initdb()
    bag = DagBag(conf.get("core", "dags_folder"))
    if dag_id not in bag.dags:
        raise SystemExit(f"There is no DAG {dag_id}: {bag.import_errors}")
    run = bag.dags[dag_id].test(run_conf=json.loads(run_conf))
    outcome = {
        "state": str(run.state),
        "sync_run_id": str(mirror_run(dag_id, run.run_id).id),
        "watermarks": _watermarks(),
    }
    result.write_text(json.dumps(outcome), encoding="utf-8")


def _watermarks() -> dict[str, str]:
    with create_session() as session:
        keys = session.scalars(select(Variable.key).where(Variable.key.startswith(KEY_PREFIX)).order_by(Variable.key))
        return {key: str(Variable.get(key)) for key in keys}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
