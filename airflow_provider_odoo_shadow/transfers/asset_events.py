"""Updates the assets of models whose rows were written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow.sdk import AssetAlias
from pydantic import JsonValue

from airflow_provider_odoo_shadow.assets.odoo_shadow import asset_of
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.announced import WrittenRows, note_announced, written_rows
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logger(__name__)


def update_assets(
    context: Context,
    shadow: ShadowDatabase,
    alias: AssetAlias,
    mirror: str,
    *,
    run_id: UUID,
    models: Sequence[str] | None = None,
    failed: Sequence[str] = (),
) -> None:
    """Update the assets of models that have new rows, as the last thing that a task does.

    Airflow drops the events of a task that fails.

    :param run_id: the mirror's run.
    :param models: those that the task mirrored; None for all that wait for it, whoever wrote their rows.
    :param failed: models of tasks that failed: what they announced has not reached Airflow.
    """
    events = context.get("outlet_events")
    if events is None:  # outside of a task, as in an author's test
        return
    is_retry = context["ti"].try_number > 1  # the first try may have announced them, and then have failed
    with shadow.transaction() as tx:
        written = written_rows(tx, models, run_id=run_id, again=None if is_retry else failed)
        note_announced(tx, written)
    for item in written:
        events[alias].add(asset_of(mirror, item.model), extra=_extra(item))
    if written:
        log.info("Assets with new rows: %s", ", ".join(item.model for item in written))


def _extra(item: WrittenRows) -> dict[str, JsonValue]:
    return {
        "table": item.table,
        "rows_inserted": item.counts.inserted,
        "rows_updated": item.counts.updated,
        "rows_deleted": item.counts.deleted,
        "last_write_date": None if item.last_write_date is None else item.last_write_date.isoformat(),
    }


def with_outlet(outlets: Any, alias: AssetAlias) -> list[Any]:
    """Return what a DAG's author gave as `outlets`, and the alias."""
    given = outlets if isinstance(outlets, list | tuple) else [outlets] if outlets else []
    return [*given, *([] if alias in given else [alias])]
