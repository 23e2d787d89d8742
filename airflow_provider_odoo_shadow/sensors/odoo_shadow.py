"""Sensors that wait until tables of the shadow are fresh, or proven, as of a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator, conf
from airflow.sdk.exceptions import AirflowSensorTimeout

from airflow_provider_odoo_shadow.transfers.last_words import with_last_words
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy
from airflow_provider_odoo_shadow.triggers.changes import ChangeLog
from airflow_provider_odoo_shadow.triggers.odoo_shadow import FAILED, TIMED_OUT, Ended, OdooShadowTrigger
from airflow_provider_odoo_shadow.triggers.question import Question
from odoo_shadow.mirror.config.patterns import checked_name
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.freshness import Claim
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA
from odoo_shadow.shadow.errors import ShadowFatalError
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.given import given

if TYPE_CHECKING:
    from airflow.sdk import Context

_SLACK = timedelta(minutes=2)
"""How long after the trigger's own end Airflow ends the wait itself: the triggerer may be down."""


class ShadowTimeoutError(ShownError, AirflowSensorTimeout):
    """What was waited for did not come in time; the message says what is missing."""


class OdooShadowFreshSensor(BaseSensorOperator):
    """Wait until everything that was committed in Odoo before a moment is in the shadow.

    A table whose last run failed, whose first load has not ended, or that is just being written is waited for, and so
    is a model that is not mirrored yet; the log says why. A shadow that cannot be reached is asked again until the
    timeout; a connection that is wrong fails at once.

    :param models: the Odoo model or models to wait for, such as `sale.order`.
    :param as_of: the moment, as a datetime or in ISO format, in UTC if it names no zone; templated. None for the run's
        logical date, or the end of its data interval if that is later; for a run that has neither, when it was due.
    :param postgres_conn_id: the Airflow connection to the shadow database; a reader of the shadow is enough.
    :param schema: the schema that holds the shadow.
    :param trusted_roles: for a reader: the sync's role, which owns the tables.
    :param deferrable: wait on the triggerer, without a worker slot; as `[operators] default_deferrable` by default.
    :param poke_interval: seconds between two questions, or a timedelta.
    :param timeout: seconds after which the task fails, or a timedelta; seven days by default.
    """

    template_fields: Sequence[str] = ("as_of", "postgres_conn_id", "schema")
    ui_color = "#e6dbe9"
    claim: ClassVar[Claim] = Claim.FRESH

    def __init__(
        self,
        *,
        models: str | Sequence[str],
        as_of: datetime | str | None = None,
        postgres_conn_id: str = "odoo_shadow_db",
        schema: str = DEFAULT_SCHEMA,
        trusted_roles: Sequence[str] = (),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", MirrorRetryPolicy())
        super().__init__(**{**kwargs, **with_last_words(kwargs)})
        self.models = models
        self.as_of = as_of
        self.postgres_conn_id = postgres_conn_id
        self.schema = schema
        self.trusted_roles = trusted_roles
        self.deferrable = deferrable
        self._changes = ChangeLog()
        self._missing = ""

    def execute(self, context: Context) -> None:
        """Ask once; then wait here or on the triggerer.

        :raises ShadowTimeoutError: what was waited for did not come.
        """
        if not self.deferrable:
            try:
                super().execute(context)
            except AirflowSensorTimeout:
                raise self._timeout(self._missing) from None
        elif not self.poke(context):
            self.defer(
                trigger=OdooShadowTrigger(
                    question=self._question(context).write(),
                    ends_at=(datetime.now(UTC) + timedelta(seconds=self.timeout)).isoformat(),
                    poke_interval=self.poke_interval,
                ),
                method_name="execute_complete",
                timeout=timedelta(seconds=self.timeout) + _SLACK,
            )

    def poke(self, context: Context) -> bool:
        """Say whether the wait is over.

        :raises MirrorConfigurationError: an argument makes no sense.
        :raises ShadowFatalError: the connection is wrong, or lacks a right.
        """
        reply = self._question(context).ask()
        self._changes.tell(reply)
        self._missing = str(reply)
        return reply.met

    def execute_complete(self, context: Context, event: Ended) -> None:  # noqa: ARG002 - Airflow's signature
        """End as the trigger's event says.

        :raises ShadowTimeoutError: what was waited for did not come.
        :raises ShadowFatalError: asking again cannot help.
        """
        if event["status"] == FAILED:
            raise ShadowFatalError(event["message"])
        if event["status"] == TIMED_OUT:
            raise self._timeout(event["message"])

    def _timeout(self, missing: str) -> ShadowTimeoutError:
        return ShadowTimeoutError(f"Timed out after {self.timeout:.0f} s: {missing}")

    def _question(self, context: Context) -> Question:
        Trust.of(self.trusted_roles, ())  # a single role's name, without a list, would count as its letters
        models = [self.models] if isinstance(self.models, str) else list(self.models)
        if not models:
            raise MirrorConfigurationError("models is empty: name at least one, such as sale.order.")
        return Question(
            models=tuple(dict.fromkeys(checked_name(model) for model in models)),
            claim=self.claim,
            as_of=_due(context) if self.as_of is None else _moment(self.as_of),
            postgres_conn_id=self.postgres_conn_id,
            schema=self.schema,
            trusted_roles=tuple(self.trusted_roles),
        )


class OdooShadowProvenSensor(OdooShadowFreshSensor):
    """Wait until the shadow is fresh as of a moment, and each row has been compared with Odoo since, and none differs.

    Runs compare each row within a day in tables of up to a million rows, so a run that asks for its own date waits that
    long; to ask for an earlier moment, set `as_of`.
    The arguments are those of `OdooShadowFreshSensor`.
    """

    claim = Claim.PROVEN


def _due(context: Context) -> datetime:
    """Return the moment that a run stands for; one that was triggered by hand or by an asset has no logical date."""
    run = context["dag_run"]
    return max((item for item in (run.logical_date, run.data_interval_end) if item), default=run.run_after)


def _moment(value: object) -> datetime:
    """Read the moment that a DAG's author or a template gave.

    :raises MirrorConfigurationError: it is none.
    """
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MirrorConfigurationError(
            f"as_of is {given(value)}, but must be a moment such as 2026-01-31T12:00:00+00:00. A run that was "
            "triggered by hand has no logical date: without as_of, the sensor takes when it was due."
        ) from None
