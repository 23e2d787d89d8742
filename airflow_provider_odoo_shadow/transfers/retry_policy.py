"""When a task that mirrors Odoo is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from airflow.sdk import Context
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from odoo_shadow.knowledge.embedding.errors import EmbeddingRetriableError
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError, VerificationError
from odoo_shadow.shadow.errors import ShadowFatalError
from odoo_shadow.source.errors import OdooFatalError, OdooRetriableError
from odoo_shadow.text.errors import ShownError

_FINAL = (OdooFatalError, ShadowFatalError, MirrorConfigurationError, MassDeletionError, VerificationError)
"""Errors that trying again cannot help."""
_SAYS_WHEN = (OdooRetriableError, EmbeddingRetriableError)
"""Errors of servers that may ask to be left alone for a while."""


class ModelsFailedError(ShownError):
    """Several models of one task failed.

    :param errors: one of each.
    """

    def __init__(self, message: str, errors: Sequence[ShownError]) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


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
        errors = exception.errors if isinstance(exception, ModelsFailedError) else (exception,)
        if all(isinstance(error, _FINAL) for error in errors):
            return RetryDecision.fail(reason=str(exception))
        waits = [error.retry_after for error in errors if isinstance(error, _SAYS_WHEN) and error.retry_after]
        return (
            RetryDecision.retry(timedelta(seconds=max(waits)), reason=str(exception))
            if waits
            else (RetryDecision.default())
        )
