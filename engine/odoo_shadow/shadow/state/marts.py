"""Reads what there is of a mirror's marts: how old they are, and what comparisons with Odoo found.

Marts are in other schemas than the mirror's own, and are built by whoever may. A schema counts if its table of
freshness belongs to a role that is trusted and names this mirror; reading others' could run their code (policies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

    What cannot be read of one, as somebody else may have written it, is not known: None.

    :param as_of: what was committed in Odoo before is in it; None while a first load of its tables has not ended.
    :param behind: by how much that one of its tables has advanced since the build that did so most.
    :param left_out_because: why there is no such mart; empty if there is one.
    :param verdict: of the last comparison with Odoo, as `odoo_shadow_mart_verification` has it; empty before the first.
    :param reason: why it is not proven.
    :param is_built_alike: whether the mart is built by the same query and with the same time zone as the one that was
        compared; None if one of both does not say.
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
    is_built_alike: bool | None = None


# As JSON, since a table of that name may have other columns. No value is cast: one that does not fit would be an error
# of the whole query.
_OF_SCHEMA: LiteralString = (
    "SELECT {marts_schema} AS marts_schema, to_jsonb(f) AS about FROM (SELECT * FROM {freshness} LIMIT {most}) f"
)
_MARTS: LiteralString = (
    "SELECT json_agg(json_build_array(m.marts_schema, about ->> 'mart', about ->> 'built_at', about ->> 'as_of',"
    " (SELECT json_agg(json_build_array(about -> 'made_of' ->> w.table_name, w.last_write_date)) FROM {watermark} w"
    " WHERE w.last_write_date > '1970-01-02' AND jsonb_typeof(about -> 'made_of') = 'object'"
    " AND about -> 'made_of' ? w.table_name), about ->> 'row_count', about ->> 'left_out_because',"
    " json_build_array(about ->> 'time_zone', about ->> 'definition'), {compared})"
    " ORDER BY m.marts_schema, about ->> 'mart') FROM ({schemas}) m"
    " WHERE about ->> 'shadow_schema' = {schema} AND about ->> 'mart' <> ''"
)
_COMPARED: LiteralString = (
    "(SELECT json_build_array(v.verdict, v.reason, v.started_at, v.figures_compared, v.figures_equal,"
    " json_build_array(to_jsonb(v) ->> 'time_zone', to_jsonb(v) ->> 'definition')) FROM {log} v"
    # An earlier version did not say of which schema; such an outcome counts for none.
    " WHERE v.mart = about ->> 'mart' AND to_jsonb(v) ->> 'marts_schema' = m.marts_schema"
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
    marts_schema, mart, built_at, as_of, watermarks, rows, left_out, how, compared = found
    verdict, reason, verified_at, figures, equal, how_compared = compared or ("", "", None, 0, 0, (None, None))
    return MartGlance(
        marts_schema=marts_schema,
        mart=mart,
        built_at=_moment(built_at),
        as_of=_moment(as_of),
        behind=_advance(watermarks or ()),
        rows=_number(rows),
        left_out_because=left_out or "",
        verdict=verdict,
        reason=reason,
        verified_at=_moment(verified_at),
        compared=figures,
        equal=equal,
        is_built_alike=None if None in (*how, *how_compared) else how == how_compared,
    )


def _advance(watermarks: Sequence[Sequence[str | None]]) -> timedelta | None:
    """Return by how much the watermark has moved that moved most; None if no two moments are known."""
    moments = [(_moment(then), _moment(now)) for then, now in watermarks]
    advances = [now - then for then, now in moments if then is not None and now is not None]
    return max(timedelta(0), *advances) if advances else None


def _moment(text: str | None) -> datetime | None:
    """Return a moment in UTC; None if it is none that can be counted with."""
    try:
        found = None if text is None else datetime.fromisoformat(text)
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # 'infinity', a year after 9999, or no time at all
        return None


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def shadows_of_marts(tx: Transaction, marts_schema: str) -> set[str]:
    """Return the schemas of the shadows whose marts a schema holds; none if it holds no marts, or does not say.

    The table of freshness there must belong to a trusted role.
    """
    table = sql.Identifier(marts_schema, MART_FRESHNESS)
    if tx.run("SELECT to_regclass({name})", name=table.as_string(tx.cursor))[0][0] is None:
        return set()
    rows = tx.run("SELECT DISTINCT to_jsonb(f) ->> 'shadow_schema' FROM {table} f", table=table)
    return {str(name) for (name,) in rows if name is not None}
