"""The ids that many2many fields hold: asked for record by record, or joined for a whole range of them.

Asked for record by record, three of them take half the time of reading journal items (17.0): eight times as long as
their joins where there are few links, twice as long with three a record. A join reads all links of the range, so it is
nothing for single records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from odoo_shadow.source.reading import BEFORE_ALL, Where

ROW = sql.Identifier("r")
"""How statements call the model's table."""

FOR_RANGES: LiteralString = "SET LOCAL enable_nestloop TO off; SET LOCAL max_parallel_workers_per_gather TO 0"
"""Settings for a statement with joined links. What was added since tables were last analyzed, PostgreSQL takes for
nothing, and would read all links anew for each record; and so would each of its parallel workers once."""


@dataclass(frozen=True)
class Links:
    """A many2many's table.

    :param own: the column with the ids of the model's records.
    :param other: the column with those that they are linked to.
    """

    table: sql.Identifier
    own: sql.Identifier
    other: sql.Identifier

    def of_record(self) -> sql.Composed:
        """Return the ids that the record at hand is linked to, archived ones included, in ascending order."""
        return self._formatted(
            "ARRAY(SELECT DISTINCT l.{other}::bigint FROM {table} l WHERE l.{own} = {row}.id AND l.{other} IS NOT NULL"
            " ORDER BY 1)"
        )

    def joined(self, alias: str, where: Where) -> tuple[sql.Composed, sql.Composed]:
        """Return the same ids, and the join that they come from.

        :param where: only its bounds of ids count.
        """
        bounds: list[sql.Composable] = [sql.SQL("l.{} IS NOT NULL").format(self.other)]
        if where.after_id > BEFORE_ALL:
            bounds.append(sql.SQL("l.{} > {}").format(self.own, where.after_id))
        if where.up_to_id is not None:
            bounds.append(sql.SQL("l.{} <= {}").format(self.own, where.up_to_id))
        name = sql.Identifier(alias)
        join = self._formatted(
            " LEFT JOIN (SELECT l.{own} AS record,"
            " array_agg(DISTINCT l.{other}::bigint ORDER BY l.{other}::bigint) AS ids"
            " FROM {table} l WHERE {bounds} GROUP BY l.{own}) {name} ON {name}.record = {row}.id",
            bounds=sql.SQL(" AND ").join(bounds),
            name=name,
        )
        return sql.SQL("coalesce({}.ids, '{{}}')").format(name), join

    def _formatted(self, template: LiteralString, **parts: sql.Composable) -> sql.Composed:
        return sql.SQL(template).format(own=self.own, other=self.other, table=self.table, row=ROW, **parts)
