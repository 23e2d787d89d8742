"""Asks the tables of models for what is not in pages: how many records there are, their ids and dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from psycopg import sql

from odoo_shadow.source.database.links import ROW
from odoo_shadow.source.database.plan import Plan, as_id
from odoo_shadow.source.database.session import Sessions
from odoo_shadow.source.errors import shared_id
from odoo_shadow.source.port import RecordDates
from odoo_shadow.source.reading import EVERYWHERE, Where

WRITE_DATE = "write_date"
CREATE_DATE = "create_date"


class TableRecords:
    """The records of one reading, in one table."""

    def __init__(self, sessions: Sessions, plan: Plan) -> None:
        self._sessions = sessions
        self._plan = plan

    def _one(self, what: sql.Composable, where: sql.Composable) -> object:
        with self._plan.opened(self._sessions, values=False) as tx:
            rows = tx.run("SELECT {what} FROM {table} WHERE {where}", what=what, table=self._plan.source, where=where)
        return rows[0][0] if rows else None

    def count(self, where: Where = EVERYWHERE) -> int:
        return _whole(self._one(sql.SQL("count(*)"), self._plan.where(where)))

    def count_all(self) -> int:
        return _whole(self._one(sql.SQL("count(*)"), self._plan.domain()))

    def count_without_id(self) -> int:
        without = sql.SQL("{}.id IS NULL AND {}").format(ROW, self._plan.domain())
        return _whole(self._one(sql.SQL("count(*)"), without))

    def ids(self, where: Where = EVERYWHERE) -> set[int]:
        with self._plan.opened(self._sessions, values=False) as tx:
            rows = tx.run(
                "SELECT {id} FROM {table} WHERE {where}",
                id=self._plan.id,
                table=self._plan.source,
                where=self._plan.where(where),
            )
        found = {as_id(self._plan.asked, row[0]) for row in rows}
        if len(found) < len(rows):
            ((twice, _),) = Counter(row[0] for row in rows).most_common(1)
            raise shared_id(self._plan.asked, twice)
        return found

    def highest_id(self, where: Where = EVERYWHERE) -> int | None:
        return self._outermost(sql.SQL("max({})"), where)

    def lowest_id(self) -> int | None:
        return self._outermost(sql.SQL("min({})"), EVERYWHERE)

    def _outermost(self, aggregate: sql.SQL, where: Where) -> int | None:
        found = self._one(aggregate.format(self._plan.id), self._plan.where(where))
        return None if found is None else as_id(self._plan.asked, found)

    def nth_id(self, where: Where, number: int) -> int | None:
        place = sql.SQL("{} ORDER BY {} OFFSET {} LIMIT 1").format(self._plan.where(where), self._plan.id, number - 1)
        found = self._one(self._plan.id, place)
        return None if found is None else as_id(self._plan.asked, found)

    def newest_write_date(self, where: Where, up_to: datetime) -> datetime | None:
        limit = up_to.astimezone(UTC).replace(tzinfo=None)
        until = sql.SQL("{} AND {}.write_date <= {}::timestamp").format(
            self._plan.where(where), ROW, limit.isoformat(" ")
        )
        newest = self._one(sql.SQL("date_trunc('second', max({}.write_date))").format(ROW), until)
        return newest.replace(tzinfo=UTC) if isinstance(newest, datetime) else None

    def dates(self, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        columns = self._plan.table.columns
        with self._plan.opened(self._sessions, values=False) as tx:
            rows = tx.run(
                "SELECT {id}, {written}, {created} FROM {table} WHERE {where}",
                id=self._plan.id,
                written=_moment_column(WRITE_DATE, columns),
                created=_moment_column(CREATE_DATE, columns if made else {}),
                table=self._plan.source,
                where=self._plan.where(Where(ids=tuple(ids))),
            )
        return {as_id(self._plan.asked, row[0]): RecordDates(_utc(row[1]), _utc(row[2])) for row in rows}


def _moment_column(name: str, columns: Collection[str]) -> sql.Composable:
    if name not in columns:
        return sql.SQL("NULL::timestamp")
    return sql.SQL("date_trunc('second', {}.{})").format(ROW, sql.Identifier(name))


def _utc(moment: object) -> datetime | None:
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
