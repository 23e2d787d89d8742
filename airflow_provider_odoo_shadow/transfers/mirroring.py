"""How a task mirrors models: with the run's options, and with watermarks from Airflow Variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypedDict, TypeVar

from airflow_provider_odoo_shadow.metrics import send_failure, send_mirrored
from airflow_provider_odoo_shadow.transfers.watermark_variable import WatermarkVariable
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.dry_run import DryRun, dry_run_model
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.mirror.sync.parts import Part, PartResult, load_part
from odoo_shadow.mirror.sync.progress import Progress, not_more_often_than
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.errors import OdooUnknownModelError
from odoo_shadow.source.port import Source
from odoo_shadow.text.log import logger

log = logger(__name__)

SECONDS_BETWEEN_REPORTS = 10.0

_Done = TypeVar("_Done", bound=MirrorResult | PartResult)


class MirrorSummary(TypedDict):
    """What a task returns of one model: counts and the watermark, never rows."""

    model: str
    table: str
    kind: str
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int
    rows_deleted: int
    last_write_date: str
    seconds: float


class PartSummary(TypedDict):
    """What a task returns that read a part of a first load."""

    model: str
    table: str
    part: str
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int
    seconds: float


class DryRunSummary(TypedDict):
    """What a task returns of one model in a dry run."""

    model: str
    table: str
    kind: str
    rows_read: int
    rows_removed: int
    changes: str


@dataclass(frozen=True)
class Mirroring:
    """Both sides, and what one task does with them.

    :param mirror: names the watermark Variables.
    """

    odoo: Source
    shadow: ShadowDatabase
    mirror: str
    run: Run
    options: MirrorOptions

    def mirror_model(self, model: str, settings: ModelSettings | None) -> MirrorResult:
        """Mirror a model; its Variable follows. Raises what `mirror_model` of the engine raises."""
        return self._mirror(mirror_model, model, settings)

    def load_part(self, part: Part, model: str, settings: ModelSettings | None) -> MirrorResult | PartResult:
        """Read a part of a model's first load.

        :return: a `MirrorResult` if the table is up to date now; then its Variable has followed.
        """
        return self._mirror(partial(load_part, part=part), model, settings)

    def _mirror(self, work: Callable[..., _Done], model: str, settings: ModelSettings | None) -> _Done:
        asked: dict[str, datetime | None] = {}

        def replay_from(table: str) -> datetime | None:
            asked[table] = WatermarkVariable(self.mirror, table).read()
            return asked[table]

        try:
            result = work(
                self.odoo,
                self.shadow,
                model,
                run=self.run,
                options=self.options,
                settings=settings,
                replay_from=replay_from,
                on_progress=not_more_often_than(SECONDS_BETWEEN_REPORTS, _report),
            )
        except OdooUnknownModelError:
            raise
        except Exception:
            send_failure(self.mirror, model)
            raise
        if isinstance(result, MirrorResult):
            send_mirrored(self.mirror, result)
            variable = WatermarkVariable(self.mirror, result.table)
            variable.write(result.watermark, model, unless_changed_from=asked[result.table])
        log.info("%s", result)
        return result

    def dry_run(self, model: str, settings: ModelSettings | None) -> DryRun:
        """Log what would be done to a model. Raises what `dry_run_model` raises."""
        found = dry_run_model(
            self.odoo,
            self.shadow,
            model,
            options=self.options,
            settings=settings,
            replay_from=lambda table: WatermarkVariable(self.mirror, table).read(),
        )
        log.info("Dry run: %s", found)
        return found


def summary_of(result: MirrorResult) -> MirrorSummary:
    """Return what a task returns of a model."""
    return MirrorSummary(
        model=result.model,
        table=result.table,
        kind=str(result.kind),
        rows_inserted=result.counts.inserted,
        rows_updated=result.counts.updated,
        rows_unchanged=result.counts.unchanged,
        rows_deleted=result.counts.deleted,
        last_write_date=result.watermark.last_write_date.isoformat(),
        seconds=round(result.seconds, 3),
    )


def summary_of_part(result: PartResult) -> PartSummary:
    """Return what a task returns of its part of a first load."""
    return PartSummary(
        model=result.model,
        table=result.table,
        part=str(result.part),
        rows_inserted=result.counts.inserted,
        rows_updated=result.counts.updated,
        rows_unchanged=result.counts.unchanged,
        seconds=round(result.seconds, 3),
    )


def summary_of_dry_run(found: DryRun) -> DryRunSummary:
    """Return what a task returns of a model in a dry run."""
    return DryRunSummary(
        model=found.model,
        table=found.change.table,
        kind=str(found.kind),
        rows_read=found.rows,
        rows_removed=len(found.gone),
        changes=found.structure,
    )


def _report(progress: Progress) -> None:
    log.info("%s", progress)
