"""Plans as tests ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from airflow_provider_odoo_shadow.job.choosing import Chosen
from airflow_provider_odoo_shadow.job.mirror import no_replay
from airflow_provider_odoo_shadow.job.plan import Plan, plan_run
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.job.settings import ModelSettings
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from tests.engine.counting import VISIT, mirror_with


def plan(
    odoo: OdooClient,
    shadow: ShadowDatabase,
    models: Sequence[str] = (VISIT,),
    options: MirrorOptions | None = None,
    *,
    run: Run | None = None,
    settings: ModelSettings | None = None,
    replay_from: Callable[[str], datetime | None] = no_replay,
) -> Plan:
    """Plan a run of some models, by default a run of its own."""
    return plan_run(
        odoo,
        shadow,
        Chosen(tuple(models)),
        run=run or Run(),
        options=options or MirrorOptions(),
        settings=lambda _: settings,
        replay_from=replay_from,
    )


def work_of(planned: Plan) -> dict[str, str]:
    """Why models have work, by model."""
    return {item.model: item.reason for item in planned.work}


def passed_over(planned: Plan) -> list[str]:
    """The models that have nothing to do."""
    return [item.model for item in planned.unchanged]


def plan_and_mirror(
    odoo: OdooClient,
    shadow: ShadowDatabase,
    models: Sequence[str] = (VISIT,),
    options: MirrorOptions | None = None,
    *,
    settings: ModelSettings | None = None,
) -> Plan:
    """Plan a run and carry it out."""
    run = Run()
    planned = plan(odoo, shadow, models, options, run=run, settings=settings)
    for item in planned.work:
        mirror_with(odoo, shadow, options, model=item.model, run=run, settings=settings)
    return planned
