"""What a run does when its models are done: it reads the rows of other tables again that point to what has gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_provider_odoo_shadow.job.due import reread_due_rows
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.rewriting import rewriting
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.target.due_rows import models_with_due_rows
from airflow_provider_odoo_shadow.target.errors import ShadowError
from airflow_provider_odoo_shadow.target.merge import RowCounts
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)


@dataclass(frozen=True)
class Closed:
    """What became of one model's due rows.

    :param error: why they could not be read; they stay due then.
    """

    model: str
    what: str
    counts: RowCounts = field(default_factory=RowCounts)
    error: Exception | None = None

    def __str__(self) -> str:
        """Return one line for a log."""
        return f"{self.model}, {self.what}: {self.error or self.counts}"


def close_run(odoo: OdooClient, shadow: ShadowDatabase, *, run: Run, options: MirrorOptions) -> Iterator[Closed]:
    """Bring in order what the models' own runs have left to do; yield what was done, model by model.

    It may be called at any time and by several runs: each table is held while its rows are written.
    """
    with shadow.transaction() as tx:
        due = models_with_due_rows(tx)
    for model in due:
        try:
            with rewriting(odoo, shadow, model, run=run, options=options, metadata={"due": True}) as writer:
                reread_due_rows(odoo, writer, options.batch_size)
            yield Closed(model, "due rows", writer.hold.counts)
        except OdooUnknownModelError:
            log.info("%s: its due rows stay as they are, since Odoo has no such model any more", model)
        except (OdooError, ShadowError, MirrorConfigurationError) as error:
            yield Closed(model, "due rows", error=error)
