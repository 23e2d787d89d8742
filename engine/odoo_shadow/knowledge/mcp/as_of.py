"""As of when the rows are that a statement reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg import sql

from odoo_shadow.knowledge.mcp.answer import Json, moment
from odoo_shadow.shadow.names import NAMED_ENDING
from odoo_shadow.shadow.relations import (
    CONTROL_TABLES,
    DOCUMENT,
    DOCUMENT_MODEL,
    MART_FRESHNESS,
    SEARCH,
    STORED_DOCUMENT,
    WATERMARK,
)
from odoo_shadow.shadow.state.watermarks import NEVER

if TYPE_CHECKING:
    from odoo_shadow.knowledge.mcp.gate import Passed, Relations
    from odoo_shadow.shadow.connection.database import Transaction

_DOCUMENTS = frozenset({DOCUMENT, STORED_DOCUMENT, SEARCH})


@dataclass(frozen=True)
class AsOf:
    """As of when what a statement reads is.

    :param oldest: nothing of it is older; None if that is not known, or if it reads nothing that came from Odoo.
    :param unknown: of what it is not known.
    """

    oldest: datetime | None
    unknown: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Return it as an answer has it: why it is not known is said only then."""
        said: dict[str, Json] = {"as_of": moment(self.oldest)}
        if self.unknown:
            said["as_of_is_null_because"] = f"It is not known as of when {' and '.join(self.unknown)} is."
        return said


def read_as_of(tx: Transaction, passed: Passed, readable: Relations) -> AsOf:
    """Return as of when the oldest of the tables, documents and marts is that a statement reads."""
    found = {
        f"{schema}.{name}": _of(tx, schema, name, readable)
        for schema, name in sorted(set(passed.relations))
        if name != MART_FRESHNESS and not (schema == tx.schema and name in CONTROL_TABLES)  # these are always of now
    }
    known = [value for value in found.values() if value is not None]
    unknown = tuple(name for name, value in found.items() if value is None)
    return AsOf(min(known) if known and not unknown else None, unknown)


def _of(tx: Transaction, schema: str, name: str, readable: Relations) -> datetime | None:
    of_mirror = DOCUMENT_MODEL if name in _DOCUMENTS else WATERMARK
    told_by = of_mirror if schema == tx.schema else MART_FRESHNESS
    if told_by not in readable.by_schema[schema]:
        return None
    table = sql.Identifier(schema, told_by)
    if told_by == DOCUMENT_MODEL:
        rows = tx.run("SELECT as_of FROM {table} WHERE is_shown", table=table)
    elif told_by == MART_FRESHNESS:
        rows = tx.run("SELECT as_of FROM {table} WHERE mart = {name}", table=table, name=name)
    else:
        rows = tx.run(
            "SELECT nullif(last_write_date, {never}) FROM {table} WHERE table_name IN ({name}, {of_view})",
            never=NEVER,
            table=table,
            name=name,
            of_view=name.removesuffix(NAMED_ENDING),
        )
    moments = [row[0] for row in rows]
    return None if not moments or None in moments else min(moments)
