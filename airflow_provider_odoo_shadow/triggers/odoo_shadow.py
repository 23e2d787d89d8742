"""The trigger that waits for the shadow on the triggerer, so that no worker slot is taken meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.triggers.base import BaseTrigger, TriggerEvent

from odoo_shadow.text.errors import ShownError

if TYPE_CHECKING:
    from airflow_provider_odoo_shadow.triggers.changes import ChangeLog
    from airflow_provider_odoo_shadow.triggers.question import Question, Written

MET = "met"
TIMED_OUT = "timed out"
FAILED = "failed"


class Ended(TypedDict):
    """How the wait ended: `met`, `timed out` or `failed`, and why."""

    status: str
    message: str


class OdooShadowTrigger(BaseTrigger):
    """Asks the shadow until its tables are fresh, or proven, as of a moment.

    All that it has to know is in its arguments, so that another triggerer can take it over at any time.

    :param question: what is waited for.
    :param ends_at: until when, in ISO format.
    :param poke_interval: seconds between two questions.
    """

    def __init__(self, *, question: Written, ends_at: str, poke_interval: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.question = question
        self.ends_at = ends_at
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {"question": dict(self.question), "ends_at": self.ends_at, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: how the wait ended."""
        yield TriggerEvent(await self._wait())  # type: ignore[no-untyped-call]

    async def _wait(self) -> Ended:
        question, changes = await asyncio.to_thread(_begin, self.question)
        ends_at = datetime.fromisoformat(self.ends_at)
        while True:
            try:
                # In a thread: psycopg and Airflow's hook would hold up all other triggers.
                reply = await asyncio.to_thread(question.ask)
            except ShownError as error:  # anything else fails the task with its traceback, and is tried again
                return Ended(status=FAILED, message=str(error))
            changes.tell(reply)
            if reply.met:
                return Ended(status=MET, message="")
            left = (ends_at - datetime.now(UTC)).total_seconds()
            if left <= 0:
                return Ended(status=TIMED_OUT, message=str(reply))
            await asyncio.sleep(min(self.poke_interval, left))


def _begin(written: Written) -> tuple[Question, ChangeLog]:
    """Read the question, in a thread: the first time, what it needs takes half a second to import."""
    from airflow_provider_odoo_shadow.triggers.changes import ChangeLog
    from airflow_provider_odoo_shadow.triggers.question import Question

    return Question.read(written), ChangeLog()
