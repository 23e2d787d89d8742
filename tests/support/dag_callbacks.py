"""What Airflow calls when a run has ended, where it calls it: in the DAG processor's own processes.

`dag.test()` calls it, too, but without a way to ask Airflow for anything.
"""

from __future__ import annotations

import io
import os
import selectors
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.airflow_home import DAGS_FOLDER

if TYPE_CHECKING:
    from airflow.callbacks.callback_requests import DagCallbackRequest
    from airflow.models.dagrun import DagRun

SECONDS = 120
_FILES = {"sync": "odoo_shadow_sync.py", "verify": "odoo_shadow_verify.py"}


def end_of(dag_run: DagRun, *, reason: str | None = None) -> str:
    """Have a run's end called back by Airflow's DAG processor; return what that logs.

    :param reason: why it ended, as the scheduler says it; by default as its state has it.
    """
    import structlog
    from airflow.dag_processing.processor import DagFileProcessorProcess, in_process_api_server
    from airflow.sdk.api.client import Client
    from uuid6 import uuid7

    path = DAGS_FOLDER / _FILES[dag_run.dag_id.rpartition("_")[2]]
    client = Client(base_url=None, token="", dry_run=True, transport=in_process_api_server().transport)
    client.base_url = "http://in-process.invalid./"
    log, selector = io.BytesIO(), selectors.DefaultSelector()
    process = DagFileProcessorProcess.start(
        id=uuid7(),
        path=path,
        bundle_path=DAGS_FOLDER,
        bundle_name="dags-folder",
        dag_file_rel_path=path.name,
        callbacks=[_request(dag_run, path, reason)],
        selector=selector,
        logger=structlog.wrap_logger(
            structlog.BytesLogger(log), processors=[structlog.processors.JSONRenderer(serializer=_as_bytes)]
        ),
        logger_filehandle=Path(os.devnull).open("ab"),  # noqa: SIM115 - the process closes it
        client=client,
    )
    until = time.monotonic() + SECONDS
    while not process.is_ready:
        assert time.monotonic() < until, "the DAG processor has not ended"
        for key, _ in selector.select(timeout=0.1):
            handle, on_close = key.data
            if not handle(key.fileobj):
                on_close(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
    process.close()  # type: ignore[no-untyped-call]
    return log.getvalue().decode()


def _as_bytes(value: object, **options: object) -> bytes:
    return repr((value, options)).encode()


def _request(dag_run: DagRun, path: Path, reason: str | None) -> DagCallbackRequest:
    """Make what the scheduler sends to the DAG processor."""
    from airflow.callbacks.callback_requests import DagCallbackRequest, DagRunContext
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.get(DagRun, dag_run.id)
        assert found is not None
        is_good = found.state == "success"
        ended = [
            ti for ti in found.get_task_instances(session=session) if ti.state == ("success" if is_good else "failed")
        ]
        last = max(ended, key=lambda ti: ti.end_date.timestamp() if ti.end_date else 0.0, default=None)
        return DagCallbackRequest(
            filepath=path.name,
            dag_id=found.dag_id,
            run_id=found.run_id,
            bundle_name="dags-folder",
            bundle_version=None,
            context_from_server=DagRunContext(dag_run=found, last_ti=last),
            is_failure_callback=not is_good,
            msg=reason or ("success" if is_good else "task_failure"),
        )
