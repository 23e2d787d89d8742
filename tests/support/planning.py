"""Plans as tests ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.plan import Plan, plan_run
from odoo_shadow.mirror.sync.model import no_replay
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.port import Source
from tests.support.counting import VISIT, mirror_with


def plan(
    odoo: Source,
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
    odoo: Source,
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
