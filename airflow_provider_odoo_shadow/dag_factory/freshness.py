"""Says that a mirror is not as fresh as it must be.

Airflow calls it on the triggerer when a scheduled run has missed its deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.links.addresses import page
from airflow_provider_odoo_shadow.notifications.odoo_shadow import post_to
from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.log import logger
from odoo_shadow.webhook.message import name

log = logger(__name__)

_MOST_NAMED = 5


async def freshness_missed(
    *,
    context: Mapping[str, Mapping[str, object]],
    mirror: str,
    notify_conn_id: str | None,
    minutes: int,
    postgres_conn_id: str,
    schema: str,
    models: str | Sequence[str],
    trusted_roles: Sequence[str],
    agreed_objects: Sequence[str],
) -> None:
    """Log and post that a mirror is not as fresh as it must be, unless another run has done the work.

    A table that is as of before the run was due will be, or is, too far behind: nothing else is on its way.

    :param context: what Airflow says of the run that missed its deadline.
    :param minutes: how far behind the shadow may be.
    """
    due = datetime.fromisoformat(str(context["dag_run"]["logical_date"])).astimezone(UTC)
    shadow = shadow_database(postgres_conn_id, schema, Trust.of(trusted_roles, agreed_objects))
    # On the triggerer, others wait for the event loop.
    found = await asyncio.to_thread(_look, shadow, ModelChoice.parse(models), due)
    if found is not None and found.of and not found.tables:
        log.info("%s: the run that was due at %s is late, but another one has done its work.", mirror, due)
        return
    text = (
        f"Odoo shadow, mirror {name(mirror)}: the shadow must not be more than {minutes} minutes behind Odoo, but the "
        f"run that was due at {due:%Y-%m-%d %H:%M} UTC has not ended well in time. {_behind(found)}"
    )
    log.warning("%s", text)
    if notify_conn_id is not None:
        address = page(mirror)
        await asyncio.to_thread(post_to, notify_conn_id, text, address if address.startswith("http") else "")


@dataclass(frozen=True)
class _Behind:
    """Tables that are as of an earlier moment, of so many."""

    tables: tuple[str, ...]
    of: int


def _look(shadow: ShadowDatabase, choice: ModelChoice, due: datetime) -> _Behind | None:
    """Return which of the mirror's tables no run has brought up to date since a moment; None if they cannot be asked.

    A table whose first load has not ended is among them.
    """
    try:
        with shadow, shadow.transaction() as tx:
            tables = [item for item in list_tables(tx) if choice.matches(item.model)] if schema_version(tx) else []
    except Exception as error:  # noqa: BLE001 - a shadow that cannot be asked is a reason to tell, not to be silent
        log.warning("The shadow cannot be asked how far behind it is: %s", error)
        return None
    late = [item.table for item in tables if item.watermark is None or item.watermark < due]
    return _Behind(tuple(late), len(tables))


def _behind(found: _Behind | None) -> str:
    if found is None:
        return "Its database cannot be asked how far behind it is."
    if not found.of:
        return "There is no table yet."
    named = first_of([name(table) for table in found.tables], _MOST_NAMED)
    return f"Not up to date since: {len(found.tables)} of {counted(found.of, 'table')} ({named})."
