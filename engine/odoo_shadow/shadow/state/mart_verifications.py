"""`odoo_shadow_mart_verification`: what comparisons of the marts with Odoo found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from psycopg.types.json import Jsonb

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import MART_VERIFICATION
from odoo_shadow.text.shown import shown

MOST_EXAMPLES = 20
"""Differences that are kept of each mart."""
KEPT_PER_MART = 200
"""Outcomes that are kept of each mart of a schema; the oldest go."""

_LONGEST_REASON = 500

Example: TypeAlias = Mapping[str, "str | int | Sequence[int] | Sequence[str] | Mapping[str, str | int | None] | None"]
"""A difference without its figures: by what it was found, the key, and the ids behind it."""


@dataclass(frozen=True)
class MartVerification:
    """The outcome of comparing one mart with Odoo.

    :param marts_schema: the schema that the mart is in.
    :param verdict: `equal`, `newer`, `differs`, `not proven` or `left out`.
    :param reason: why it is not proven or left out; empty otherwise.
    :param as_of: up to when the mart had what Odoo has.
    :param time_zone: the one that the mart was built with; None if it did not say so.
    :param definition: the digest of the query that it was made by; None likewise.
    """

    marts_schema: str
    mart: str
    verdict: str
    reason: str
    started_at: datetime
    seconds: float
    as_of: datetime | None
    compared: int
    equal: int
    time_zone: str | None
    definition: str | None


def save_mart_verification(tx: Transaction, run_id: UUID, found: MartVerification, examples: Sequence[Example]) -> None:
    """Save the outcome of one mart, and forget the oldest."""
    tx.run(
        "INSERT INTO {table} (run_id, marts_schema, mart, verdict, reason, started_at, duration_ms, as_of,"
        " figures_compared, figures_equal, time_zone, definition, examples) VALUES ({run_id}, {marts_schema}, {mart},"
        " {verdict}, {reason}, {started}, {duration}, {as_of}, {compared}, {equal}, {time_zone}, {definition},"
        " {examples})",
        table=tx.own(MART_VERIFICATION),
        run_id=run_id,
        marts_schema=found.marts_schema,
        mart=found.mart,
        verdict=found.verdict,
        reason=shown(found.reason, longest=_LONGEST_REASON),
        started=found.started_at,
        duration=round(found.seconds * 1000),
        as_of=found.as_of,
        compared=found.compared,
        equal=found.equal,
        time_zone=found.time_zone,
        definition=found.definition,
        examples=Jsonb(list(examples[:MOST_EXAMPLES])),
    )
    tx.run(
        "DELETE FROM {table} WHERE mart = {mart} AND marts_schema = {marts_schema} AND id <= (SELECT id FROM {table}"
        " WHERE mart = {mart} AND marts_schema = {marts_schema} ORDER BY id DESC OFFSET {kept} LIMIT 1)",
        table=tx.own(MART_VERIFICATION),
        marts_schema=found.marts_schema,
        mart=found.mart,
        kept=KEPT_PER_MART,
    )
