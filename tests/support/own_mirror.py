"""The mirror `own` of a mirrors file, and what its runs wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg

from tests.support.dag_runs import states

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG


MirrorDag = Callable[..., "DAG"]
Variables = Callable[[], dict[str, Any]]
PlanLog = Callable[[], list[str]]
FEW = ["res.c*"]
FEW_MODELS = {"res.company", "res.country", "res.country.state", "res.currency"}
WORKLESS = {"plan", "doctor", "settle", "complete", "report"}


def variable_of(model: str) -> str:
    return f"odoo_shadow_watermark__own__odoo_shadow_{model.replace('.', '_')}"


def mapped(dag_run: DagRun) -> dict[str, str]:
    """Return the state of each mapped task, by the model that labels it."""
    return {label: state for label, state in states(dag_run).items() if label not in {*WORKLESS, "mirror"}}


def ask(database: str, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(database, options="-c search_path=own -c TimeZone=UTC") as connection:
        return connection.execute(query, values).fetchall()
