"""`make demo`: the real DAG mirrors Odoo into PostgreSQL, first whole, then only what changed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from rich import box
from rich.table import Table
from rich.text import Text

from odoo_shadow.marts.building import MartsSettings, build_marts
from odoo_shadow.marts.environment import find_dbt
from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.mirror.origin import bind
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.text.shown import shown_block
from tools import processes
from tools.airflow_home import DAG_ID, AirflowHome
from tools.compare_with_odoo import PINNED
from tools.demo_edits import edit
from tools.demo_knowledge import local_model, make_documents, show_searches
from tools.demo_queries import MARTS_SCHEMA, show_queries
from tools.parts import Parts, add_flavour, running_parts
from tools.stages import Stage, Stages, run
from tools.trouble import ToolError

_LOG = """
SELECT m.odoo_model, l.status, l.rows_inserted, l.rows_updated, (l.metadata->>'rows_unchanged')::bigint, l.duration_ms,
    coalesce(d.message, l.error_message), m.row_count, coalesce((l.metadata->>'unchanged')::boolean, false)
FROM odoo_shadow.odoo_shadow_sync_log AS l JOIN odoo_shadow.odoo_shadow_meta AS m USING (table_name)
LEFT JOIN odoo_shadow_internal.sync_detail AS d ON d.log_id = l.id
WHERE l.sync_run_id = %s ORDER BY l.id
"""
_NEWEST = """
SELECT m.odoo_model, l.status FROM odoo_shadow.odoo_shadow_sync_log AS l
JOIN odoo_shadow.odoo_shadow_meta AS m USING (table_name) WHERE l.started_at >= %s ORDER BY l.id DESC
"""

Shadow = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class ModelRun:
    """What one run did to one model.

    :param passed_over: it had no work, and so no task.
    """

    model: str
    status: str
    inserted: int
    updated: int
    unchanged: int | None
    milliseconds: int | None
    message: str | None
    rows: int
    passed_over: bool

    @property
    def time(self) -> str:
        """How long it took."""
        if self.passed_over:
            return "no task"
        return "" if self.milliseconds is None else f"{self.milliseconds / 1000:.2f} s"


@dataclass(frozen=True)
class DagRun:
    """What one run of the DAG did, by model, and the watermark Variables after it."""

    models: dict[str, ModelRun]
    watermarks: dict[str, str]

    def __str__(self) -> str:
        """Say it in a line."""
        done = [each for each in self.models.values() if each.status == "success"]
        inserted, updated = sum(each.inserted for each in done), sum(each.updated for each in done)
        skipped, idle = len(self.models) - len(done), sum(each.passed_over for each in done)
        rest = f", {skipped} not installed" if skipped else ""
        rest += f"; {idle} models were unchanged and had no task" if idle else ""
        return f"{len(done) - idle} models, {inserted} rows inserted, {updated} updated{rest}"


def demo(stages: Stages, flavour: str) -> None:
    """Run the whole demo. Raises `ToolError`, an `OdooError` or a `ShadowError`."""
    with (
        running_parts(stages, flavour) as parts,
        psycopg.connect(parts.shadow_url, autocommit=True, options=PINNED) as shadow,
        local_model() as embedder,
    ):
        home = AirflowHome(parts.folder / "airflow", odoo=parts.odoo, shadow_url=parts.shadow_url)
        _bind(parts)
        # Another demo's rows in a database of one's own may be of another invented past.
        again = {"full": True} if parts.own_shadow and parts.stand_in else {}
        first = _run_dag(stages, home, shadow, "first run", again)
        if parts.stand_in:
            with stages.stage("Working in Odoo") as stage, OdooClient(parts.odoo) as odoo:
                edits = edit(odoo)
                stage.done("Odoo has been worked in, through its API")
            for line in edits:
                stages.say(f"      {line}")
        second = _run_dag(stages, home, shadow, "second run", {})
        if not parts.own_shadow:
            _build_marts(stages, parts)
            make_documents(stages, parts, embedder)
        _show_runs(stages, first, second)
        show_queries(stages.console, shadow)
        if not parts.own_shadow:
            show_searches(stages, parts, embedder, shadow)
        _show_watermarks(stages, second)
        _show_next(stages, parts)


def _bind(parts: Parts) -> None:
    """Do first what the DAG begins with: what is wrong with the database shows here in one sentence, not in a log."""
    with ApiSource(OdooClient(parts.odoo)) as odoo, ShadowDatabase.from_url(parts.shadow_url) as shadow:
        bind(odoo, shadow)


def _run_dag(stages: Stages, home: AirflowHome, shadow: Shadow, what: str, conf: Mapping[str, object]) -> DagRun:
    result = home.folder / "run.json"
    command = [sys.executable, "-m", "tools.dag_run", DAG_ID, json.dumps(conf), str(result)]
    with stages.stage(f"Airflow: {what}") as stage:
        process = processes.start(command, home.env_with_connections(), home.log)
        try:
            (began,) = shadow.execute("SELECT now()").fetchone() or (None,)
            while process.poll() is None:
                _watch(stage, shadow, what, began)
                time.sleep(0.2)
        finally:
            processes.end(process)
        if process.returncode:
            raise ToolError(f"Airflow could not run the DAG {DAG_ID}.", log=home.log)
        outcome = json.loads(result.read_text(encoding="utf-8"))
        done = DagRun(_models(shadow, UUID(outcome["sync_run_id"])), outcome["watermarks"])
        if outcome["state"] != "success":
            raise ToolError(_failure(what, done), log=home.log)
        stage.done(f"DAG {DAG_ID}, {what}: {done}")
    return done


def _watch(stage: Stage, shadow: Shadow, what: str, began: object) -> None:
    if not stage.is_watched:
        return
    try:
        states = shadow.execute(_NEWEST, [began]).fetchall()
    except psycopg.errors.UndefinedTable:
        return
    if states:
        ended = sum(status != "running" for _, status in states)
        stage.show(f"Airflow: {what}: {ended} models done, {states[0][0]}")


def _models(shadow: Shadow, run_id: UUID) -> dict[str, ModelRun]:
    try:
        found = [ModelRun(*row) for row in shadow.execute(_LOG, [run_id])]
    except psycopg.errors.UndefinedTable:
        return {}
    return {each.model: each for each in sorted(found, key=lambda each: PRIORITY_MODELS.index(each.model))}


def _failure(what: str, done: DagRun) -> str:
    failed = [each for each in done.models.values() if each.status == "error"]
    if not failed:
        return f"The DAG failed in its {what}."
    others = f" ({len(failed) - 1} more models failed)" if len(failed) > 1 else ""
    return f"The DAG failed in its {what}: {failed[0].message}{others}"


def _build_marts(stages: Stages, parts: Parts) -> None:
    """Make tables for analysts of what the DAG has mirrored; nobody asked for them in a database of one's own."""
    with stages.stage("Building marts with dbt") as stage, ShadowDatabase.from_url(parts.shadow_url) as shadow:
        build = build_marts(find_dbt(), shadow, parts.shadow_url, MartsSettings(MARTS_SCHEMA))
        if build.failed:
            raise ToolError(f"The marts are not what they should be: {build.failed[0]}.")
        built = [mart.name for mart in build.marts if mart.left_out_because is None]
        stage.done(f"Marts for analysts, of the models that are mirrored: {', '.join(built)}")


def _show_runs(stages: Stages, first: DagRun, second: DagRun) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    stages.say("")
    stages.say("What the two runs did", style="bold")
    table.add_column("model", no_wrap=True)
    for heading in ("rows", "first run", "second run:", "inserted", "updated", "unchanged"):
        table.add_column(heading, justify="right")
    for model, then in first.models.items():
        now = second.models.get(model)
        if then.status != "success" or now is None:
            add_row(table, model, "not installed")
            continue
        counts = () if now.passed_over else (now.inserted, now.updated, now.unchanged or 0)
        add_row(table, model, now.rows, then.time, now.time, *counts)
    stages.console.print(table)


def _show_watermarks(stages: Stages, last: DagRun) -> None:
    if not last.watermarks:
        return
    key, value = next(iter(last.watermarks.items()))
    stages.say("")
    stages.say(f"{len(last.watermarks)} Airflow Variables hold the watermarks, such as {key}:", style="bold")
    stages.console.print(Text(shown_block(value), "dim"))


def _show_next(stages: Stages, parts: Parts) -> None:
    lines = ["make ui   opens Airflow's web interface on the same parts: press Trigger there"]
    if parts.stand_in:
        lines.append("ODOO_URL, ODOO_DB, ODOO_USER, ODOO_PASSWORD   in the environment: make demo reads your own Odoo")
    if not parts.own_shadow:
        lines.append("SUPABASE_DB_URL   in the environment: the shadow goes into your own PostgreSQL or Supabase")
    elif parts.stand_in:
        lines.append(
            "DROP SCHEMA odoo_shadow, odoo_shadow_internal CASCADE   takes the invented data out of your database again"
        )
    lines.append(".venv/bin/odoo-shadow sync --help   does the same without Airflow")
    stages.say("")
    stages.say("What next", style="bold")
    for line in lines:
        stages.say(f"  {line}")


def main() -> int:
    """Read the options and run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    add_flavour(parser)
    flavour = parser.parse_args().flavour
    return run(lambda stages: demo(stages, flavour))


if __name__ == "__main__":
    sys.exit(main())
