"""The operators that the DAGs map over models.

Airflow renders the template fields of each mapped task after their values have arrived, and so would render what a
server calls its models, or what another role wrote into the shadow's registry. These operators have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.sdk import BaseOperator

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.transfers.last_words import with_last_words
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator, log_closed, mirror_run
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy
from odoo_shadow.mirror.config.patterns import checked_name
from odoo_shadow.mirror.errors import VerificationError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.proof.verify import Depth, VerifyOptions, verify_model
from odoo_shadow.mirror.run.closing import reread_due
from odoo_shadow.mirror.shape.refused_fields import REFUSED
from odoo_shadow.mirror.sync.deletions import CANNOT_KNOW
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logger(__name__)


class MirrorModelOperator(OdooToPostgresOperator):
    """Mirrors one of the models that the task `plan` found."""

    template_fields: Sequence[str] = ()
    closes_run = False
    custom_operator_name = OdooToPostgresOperator.__name__


class VerifySummary(TypedDict):
    """What one model's task returns."""

    model: str
    rows: int
    missing: int
    extra: int
    stale: int
    differing: int
    newer: int
    repaired: int
    seconds: float


class VerifyModelOperator(BaseOperator):
    """Compares one mirrored model with Odoo, as the run's parameters `quick` and `repair` say.

    :param model: the Odoo model.
    :param odoo_conn_id: the Airflow connection to Odoo.
    :param postgres_conn_id: the Airflow connection to the shadow database.
    :param schema: the schema that holds the shadow.
    :param batch_size: records per page.
    :param trusted_roles: roles of the shadow's database, besides the sync's own, that may own the mirror's tables.
    :param agreed_objects: triggers and rules of others on the mirror's tables that may run.
    """

    template_fields: Sequence[str] = ()
    ui_color = OdooToPostgresOperator.ui_color

    def __init__(
        self,
        *,
        model: str,
        odoo_conn_id: str,
        postgres_conn_id: str,
        schema: str,
        batch_size: int,
        trusted_roles: Sequence[str] = (),
        agreed_objects: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", MirrorRetryPolicy())
        super().__init__(**{**kwargs, **with_last_words(kwargs)})
        self.model = model
        self.odoo_conn_id = odoo_conn_id
        self.postgres_conn_id = postgres_conn_id
        self.schema = schema
        self.batch_size = batch_size
        self.trusted_roles = trusted_roles
        self.agreed_objects = agreed_objects

    def execute(self, context: Context) -> VerifySummary:
        """Compare, and repair if asked. Raises `VerificationError` when rows differ and were not repaired."""
        model = checked_name(self.model)
        params, dag_run = context["params"], context["dag_run"]
        wanted = VerifyOptions(Depth.QUICK if params["quick"] else Depth.FULL, repair=params["repair"])
        options = MirrorOptions(batch_size=self.batch_size)
        run = mirror_run(str(dag_run.dag_id), str(dag_run.run_id))
        trust = Trust.of(self.trusted_roles, self.agreed_objects)
        odoo = OdooHook(self.odoo_conn_id).source
        shadow = shadow_database(self.postgres_conn_id, self.schema, trust)
        with odoo, shadow:
            found = verify_model(odoo, shadow, model, run=run, options=options, verify=wanted)
            if found.repaired:
                log_closed(reread_due(odoo, shadow, run=run, options=options))
        if found.cannot_know:
            log.info("%s: %s", model, CANNOT_KNOW)
        if found.not_compared:
            log.info("%s: %s: %s", model, REFUSED, ", ".join(found.not_compared))
        for item in found.cells:
            log.warning("%s %s", model, item)
        summary = VerifySummary(
            model=model,
            rows=found.rows,
            missing=len(found.ids[Difference.MISSING]),
            extra=len(found.ids[Difference.EXTRA]),
            stale=len(found.ids[Difference.STALE]),
            differing=len(found.ids[Difference.DIFFERING]),
            newer=found.newer,
            repaired=found.repaired,
            seconds=round(found.seconds, 3),
        )
        if not found.is_settled:
            raise VerificationError(f"{model} differs from Odoo: {summary}")
        return summary
