"""What a sensor asks, in a worker or in the triggerer: whether tables are fresh, or proven, as of a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from odoo_shadow.mirror.health.freshness import Claim, ask_freshness
from odoo_shadow.postgres.transport import KEEPALIVES
from odoo_shadow.shadow.errors import ShadowRetriableError
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.text.amounts import first_of

_PARAMETERS = {**KEEPALIVES, "connect_timeout": "10", "tcp_user_timeout": "15000"}
"""Asking again costs nothing, so an answer is not waited for as long as a run waits."""

MOST_SAID = 10
"""Tables that a message names; the log has a line for each."""


class Written(TypedDict):
    """A question as a trigger's arguments hold it: plain values, and only the id of the connection."""

    models: list[str]
    claim: str
    as_of: str
    postgres_conn_id: str
    schema: str
    trusted_roles: list[str]


@dataclass(frozen=True)
class Reply:
    """What the shadow answered.

    :param met: whether all tables are what they were asked to be.
    :param said: a sentence per model; or why the shadow could not be asked.
    :param waiting: those of the sentences that are about what is waited for.
    :param is_trouble: whether the shadow could not be asked; it will be asked again.
    """

    met: bool
    said: Mapping[str, str]
    waiting: tuple[str, ...] = ()
    is_trouble: bool = False

    def __str__(self) -> str:
        """Return what is waited for."""
        return first_of(self.waiting, MOST_SAID, "; ")


@dataclass(frozen=True)
class Question:
    """Which tables have to be what, and as of when."""

    models: tuple[str, ...]
    claim: Claim
    as_of: datetime
    postgres_conn_id: str
    schema: str
    trusted_roles: tuple[str, ...]

    @classmethod
    def read(cls, written: Written) -> Question:
        """Read a question from a trigger's arguments."""
        return cls(
            tuple(written["models"]),
            Claim(written["claim"]),
            datetime.fromisoformat(written["as_of"]),
            written["postgres_conn_id"],
            written["schema"],
            tuple(written["trusted_roles"]),
        )

    def write(self) -> Written:
        """Return it as a trigger's arguments."""
        return Written(
            models=list(self.models),
            claim=str(self.claim),
            as_of=self.as_of.isoformat(),
            postgres_conn_id=self.postgres_conn_id,
            schema=self.schema,
            trusted_roles=list(self.trusted_roles),
        )

    def ask(self) -> Reply:
        """Ask over a connection of its own, which is closed at once. Blocks for a minute at most.

        :raises ShadowFatalError: asking again cannot help.
        """
        trust = Trust.of(self.trusted_roles, ())
        try:
            with shadow_database(self.postgres_conn_id, self.schema, trust, parameters=_PARAMETERS) as shadow:
                found = ask_freshness(shadow, self.models, self.claim, self.as_of)
        except ShadowRetriableError as error:
            return Reply(met=False, said={"": str(error)}, waiting=(str(error),), is_trouble=True)
        waiting = tuple(item.said for item in found if not item.is_met)
        return Reply(met=not waiting, said={item.model: item.said for item in found}, waiting=waiting)
