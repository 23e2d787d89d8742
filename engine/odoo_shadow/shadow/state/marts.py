"""Reads what there is of a mirror's marts: how old they are, and what comparisons with Odoo found.

Marts are in other schemas than the mirror's own, and are built by whoever may. A schema counts if its table of
freshness belongs to a role that is trusted and names this mirror; reading others' could run their code (policies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import MART_FRESHNESS, MART_VERIFICATION, WATERMARK
from odoo_shadow.shadow.state.visible import Visible

MOST_MARTS = 100
"""Marts of one schema that are read; the project makes eight."""


@dataclass(frozen=True)
class MartGlance:
    """A mart, or one that was left out, with the last comparison of it.

    :param as_of: what was committed in Odoo before is in it; None while a first load of its tables has not ended.
    :param behind: how much newer the tables are that it is made of; None if that is not known.
    :param left_out_because: why there is no such mart; empty if there is one.
    :param verdict: of the last comparison with Odoo, as `odoo_shadow_mart_verification` has it; empty before the first.
    :param reason: why it is not proven.
    """

    marts_schema: str
    mart: str
    built_at: datetime | None
    as_of: datetime | None
    behind: timedelta | None
    rows: int | None
    left_out_because: str
    verdict: str = ""
    reason: str = ""
    verified_at: datetime | None = None
    compared: int = 0
    equal: int = 0


# As JSON, since a table of that name may have other columns. Of a mart's tables the earliest watermark counts.
_OF_SCHEMA: LiteralString = (
    "SELECT {marts_schema} AS marts_schema, to_jsonb(f) AS about FROM (SELECT * FROM {freshness} LIMIT {most}) f"
)
_MARTS: LiteralString = (
    "SELECT json_agg(json_build_array(m.marts_schema, about ->> 'mart', about ->> 'built_at', about ->> 'as_of',"
    " (SELECT min(w.last_write_date) FROM {watermark} w WHERE w.last_write_date > '1970-01-02' AND w.table_name = ANY("
    "ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(about -> 'made_of') WHEN 'array' THEN about -> 'made_of'"
    " ELSE '[]' END)))), about ->> 'row_count', about ->> 'left_out_because', {compared})"
    " ORDER BY m.marts_schema, about ->> 'mart') FROM ({schemas}) m"
    " WHERE about ->> 'shadow_schema' = {schema} AND about ->> 'mart' <> ''"
)
_COMPARED: LiteralString = (
    "(SELECT json_build_array(v.verdict, v.reason, v.started_at, v.figures_compared, v.figures_equal) FROM {log} v"
    " WHERE v.mart = about ->> 'mart' AND coalesce(to_jsonb(v) ->> 'marts_schema', m.marts_schema) = m.marts_schema"
    " ORDER BY v.id DESC LIMIT 1)"
)


def glances_of_marts(tx: Transaction, visible: Visible) -> sql.Composable:
    """Return the expression for all marts of the mirror, for `as_marts`."""
    if not visible.marts_schemas or WATERMARK not in visible.own:
        return sql.NULL
    schemas = sql.SQL(" UNION ALL ").join(
        sql.SQL(_OF_SCHEMA).format(marts_schema=name, freshness=sql.Identifier(name, MART_FRESHNESS), most=MOST_MARTS)
        for name in visible.marts_schemas
    )
    has_log = MART_VERIFICATION in visible.own
    return sql.SQL(_MARTS).format(
        watermark=tx.own(WATERMARK),
        compared=sql.SQL(_COMPARED).format(log=tx.own(MART_VERIFICATION)) if has_log else sql.NULL,
        schemas=schemas,
        schema=tx.schema,
    )


def as_marts(found: Sequence[Any] | None) -> tuple[MartGlance, ...]:
    """Return the marts, by schema and name."""
    return tuple(map(_as_mart, found or ()))


def _as_mart(found: Sequence[Any]) -> MartGlance:
    marts_schema, mart, built_at, as_of, newest, rows, left_out, compared = found
    as_of, newest = _moment(as_of), _moment(newest)
    verdict, reason, verified_at, figures, equal = compared or ("", "", None, 0, 0)
    return MartGlance(
        marts_schema=marts_schema,
        mart=mart,
        built_at=_moment(built_at),
        as_of=as_of,
        behind=None if as_of is None or newest is None else max(timedelta(0), newest - as_of),
        rows=None if rows is None else int(rows),
        left_out_because=left_out or "",
        verdict=verdict,
        reason=reason,
        verified_at=_moment(verified_at),
        compared=figures,
        equal=equal,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def shadows_of_marts(tx: Transaction, marts_schema: str) -> set[str]:
    """Return the schemas of the shadows whose marts a schema holds; none if it holds no marts, or does not say.

    The table of freshness there must belong to a trusted role.
    """
    table = sql.Identifier(marts_schema, MART_FRESHNESS)
    if tx.run("SELECT to_regclass({name})", name=table.as_string(tx.cursor))[0][0] is None:
        return set()
    rows = tx.run("SELECT DISTINCT to_jsonb(f) ->> 'shadow_schema' FROM {table} f", table=table)
    return {str(name) for (name,) in rows if name is not None}
