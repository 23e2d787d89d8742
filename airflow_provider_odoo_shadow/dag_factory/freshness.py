"""Says that a mirror is too far behind Odoo. Airflow calls it on the triggerer when a run has missed its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.notifications.facts import link_to
from airflow_provider_odoo_shadow.notifications.odoo_shadow import post_to
from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.log import logger
from odoo_shadow.webhook.message import name, plain

log = logger(__name__)

_MOST_NAMED = 5


async def freshness_missed(
    *,
    context: Mapping[str, Mapping[str, object]],
    mirror: str,
    notify_conn_id: str,
    minutes: int,
    postgres_conn_id: str,
    schema: str,
    models: str | Sequence[str],
    trusted_roles: Sequence[str],
    agreed_objects: Sequence[str],
) -> None:
    """Post that a mirror is too far behind, if it is: another run may have done the work.

    :param context: what Airflow says of the run that missed its deadline.
    :param minutes: how far behind the shadow may be.
    """
    shadow = shadow_database(postgres_conn_id, schema, Trust.of(trusted_roles, agreed_objects))
    # On the triggerer, others wait for the event loop.
    found = await asyncio.to_thread(_look, shadow, ModelChoice.parse(models), timedelta(minutes=minutes))
    if found is not None and not found.tables:
        log.info("%s: a run missed its deadline, but no table is more than %s minutes behind.", mirror, minutes)
        return
    due = plain(context["dag_run"].get("logical_date"))
    text = (
        f"Odoo shadow, mirror {name(mirror)}: {_how_far(found, minutes)} The run that was due at {due} has not "
        "succeeded in time."
    )
    await asyncio.to_thread(post_to, notify_conn_id, text, link_to(f"plugin/odoo-shadow/mirrors/{mirror}"))


@dataclass(frozen=True)
class _Behind:
    """Tables that are too far behind, of so many."""

    tables: tuple[str, ...]
    of: int


def _look(shadow: ShadowDatabase, choice: ModelChoice, limit: timedelta) -> _Behind | None:
    """Return which of the mirror's tables are too far behind; None if the shadow cannot be asked.

    A table whose first load is under way is not behind: it is not there yet.
    """
    try:
        with shadow, shadow.transaction() as tx:
            tables = [item for item in list_tables(tx) if choice.matches(item.model)] if schema_version(tx) else []
    except Exception as error:  # noqa: BLE001 - a shadow that cannot be asked is a reason to tell, not to be silent
        log.warning("The shadow cannot be asked how far behind it is: %s", error)
        return None
    now = datetime.now(UTC)
    late = [item.table for item in tables if item.watermark is not None and now - item.watermark > limit]
    return _Behind(tuple(late), len(tables))


def _how_far(found: _Behind | None, minutes: int) -> str:
    if found is None:
        return f"the shadow may be more than {minutes} minutes behind Odoo: its database cannot be asked."
    named = first_of([name(table) for table in found.tables], _MOST_NAMED)
    of_all = f"{len(found.tables)} of {counted(found.of, 'table')}"
    return f"the shadow is more than {minutes} minutes behind Odoo in {of_all} ({named})."
