"""When a task that mirrors Odoo is tried again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Context
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError, VerificationError
from odoo_shadow.shadow.errors import ShadowFatalError
from odoo_shadow.source.errors import OdooFatalError, OdooRetriableError


class MirrorRetryPolicy(RetryPolicy):
    """Fails at once where trying again cannot help, and waits as long as the server asks.

    Everything else follows the task's own `retries` and `retry_delay`.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide by the class of the error."""
        if isinstance(
            exception,
            OdooFatalError | ShadowFatalError | MirrorConfigurationError | MassDeletionError | VerificationError,
        ):
            return RetryDecision.fail(reason=str(exception))
        if isinstance(exception, OdooRetriableError) and exception.retry_after is not None:
            return RetryDecision.retry(timedelta(seconds=exception.retry_after), reason=str(exception))
        return RetryDecision.default()
