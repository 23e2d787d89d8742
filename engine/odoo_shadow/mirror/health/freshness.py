"""Whether tables are fresh, or proven, as of a moment: what waits for a mirror, and decides on it, asks here.

A table is fresh as of T if everything that was committed in Odoo before T is in it. The watermark says so, but it moves
when a run's window has been read, and rows that are gone or no longer true are found only after that. So a watermark
counts only once the run that moved it has ended well; while a scan is open, the watermark is the one from before. All
that makes it doubtful counts against it: a failed run, a column without values yet, rows due, a clock that lies ahead.

A table is proven as of T if it is fresh as of T, each row has been compared with Odoo since T, and none is known to
differ. A comparison alone is not enough: it passes over rows that change while it runs, which the next run brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.health.health import no_mirror
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.freshness import (
    TableFreshness,
    check_rights,
    check_version,
    limit_time,
    read_freshness,
    registered_models,
)
from odoo_shadow.shadow.state.proofs import time_in_database
from odoo_shadow.shadow.state.schema import may_see_internal, schema_version
from odoo_shadow.text.nearest import nearest

LONGEST_STATEMENT = timedelta(seconds=10)
"""The question reads control tables only; whoever asks it does so again and again."""


class Claim(StrEnum):
    """What a table can be as of a moment."""

    FRESH = "fresh"
    PROVEN = "proven"


@dataclass(frozen=True)
class Standing:
    """How one table stands to the question.

    :param is_met: whether the table is what it was asked to be.
    :param said: a sentence about it, without a full stop.
    """

    model: str
    is_met: bool
    said: str


def ask_freshness(
    shadow: ShadowDatabase, models: Sequence[str], claim: Claim, moment: datetime
) -> tuple[Standing, ...]:
    """Say of each model whether its table is fresh, or proven, as of a moment. Writes nothing.

    A model or a mirror that is not there is not met, since the next run may make it.

    :raises ShadowOwnershipError: what would be read belongs to a role that is not trusted.
    :raises ShadowPermissionError: the role may not read the control tables.
    :raises ShadowConflictError: an earlier version made the schema.
    :raises ShadowError: the shadow could not be asked.
    """
    with shadow.transaction() as tx:
        limit_time(tx, LONGEST_STATEMENT)
        check_rights(tx)
        if not schema_version(tx):
            missing = no_mirror(tx)
            return tuple(Standing(model, is_met=False, said=f"{model}: {missing}") for model in models)
        check_version(tx)
        now = time_in_database(tx)
        found = read_freshness(tx, models, sees_internal=may_see_internal(tx))
        known = registered_models(tx) if any(item.table is None for item in found) else []
    return tuple(_standing(item, claim, moment, now, known) for item in found)


def _standing(item: TableFreshness, claim: Claim, moment: datetime, now: datetime, known: Sequence[str]) -> Standing:
    if item.table is None:
        meant = nearest(item.model, known)
        hint = f" (did you mean {meant}?)" if meant else ""
        return Standing(item.model, is_met=False, said=f"{item.model}: not mirrored, or not yet{hint}")
    obstacle = _obstacle(item, claim, now)
    if obstacle:
        return Standing(item.model, is_met=False, said=f"{item.model}: not {claim}: {obstacle}")
    reached = min(_moments(item, claim))
    # Nothing can be known about a moment that has not come, however far ahead the clocks were that made a watermark.
    is_met = moment <= min(reached, now)
    waits = "" if is_met else f", waiting for {_text(moment)}"
    return Standing(item.model, is_met=is_met, said=f"{item.model}: {claim} as of {_text(reached)}{waits}")


def _moments(item: TableFreshness, claim: Claim) -> list[datetime]:
    moments = [item.watermark, item.proven_up_to] if claim is Claim.PROVEN else [item.watermark]
    return [moment for moment in moments if moment is not None]


def _obstacle(item: TableFreshness, claim: Claim, now: datetime) -> str:
    """Return why a table cannot be relied on whatever the moment is; empty if it can."""
    if not item.exists:
        return "its table is not there"
    if item.failed_runs:
        return "its last run failed, or a verification found rows that differ"
    if item.watermark is None:
        return "its first load has not ended"
    if lies_ahead(item.watermark, now):
        return f"its watermark, {_text(item.watermark)}, lies in the future"
    if item.ended != "success":
        return "no run of it has ended well"
    if item.newest == "running" and not item.is_scanning:
        return "a run of it is under way, or was killed"
    for is_so, reason in (
        (item.is_filling, "a new column is not filled yet"),
        (item.has_due_rows, "rows of it have to be read again"),
        (item.is_doubted, "its rows may be from another Odoo database"),
    ):
        if is_so:
            return reason
    if claim is Claim.PROVEN and item.proven_up_to is None:
        return "its rows have not all been compared with Odoo yet"
    return "rows of it are known to differ from Odoo" if claim is Claim.PROVEN and item.differs else ""


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
