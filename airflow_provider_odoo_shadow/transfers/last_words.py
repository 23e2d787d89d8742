"""The last line of a failed task's log: one sentence, below the traceback that Airflow logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logger(__name__)

_END_OF_GROUP = "::endgroup::"
"""Airflow 3.3 folds away what is logged after a task has ended, under "Post Execute"."""

Callback: TypeAlias = "Callable[[Context], None]"


def say_last(context: Context) -> None:
    """Log why a task failed, if it is an error of this project."""
    error = context.get("exception")
    if isinstance(error, ShownError):
        log.info(_END_OF_GROUP)
        log.error("%s", error)


def with_last_words(arguments: Mapping[str, Any]) -> dict[str, list[Callback]]:
    """Return the callbacks of a task that fails or is retried: what its arguments name, and `say_last`."""
    return {name: [*_listed(arguments.get(name)), say_last] for name in ("on_failure_callback", "on_retry_callback")}


def _listed(given: Callback | Sequence[Callback] | None) -> list[Callback]:
    if given is None:
        return []
    return [item for item in given if item is not say_last] if isinstance(given, Sequence) else [given]
