"""Records that a run could not mirror: those that Odoo cannot give, and those that the shadow cannot take.

Both are reported with their ids and read again by every run, and the watermark does not pass them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD, Layout
from odoo_shadow.shadow.errors import RefusedRecordsError
from odoo_shadow.shadow.tables.staging import MOST_REFUSED, Refused
from odoo_shadow.source.errors import OdooUnreadableRecordsError
from odoo_shadow.source.pages import Unreadable
from odoo_shadow.source.types import Record
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

MOST_NAMED = 10
_MOST_IDS = 20
"""Ids in one message, each with its fields."""

MOST_LOGGED = 20
"""Log lines about one page."""


@dataclass(frozen=True)
class Unstorable(Unreadable):
    """A record that Odoo gives and the shadow cannot take.

    :param fields: the fields that cause it, as far as they are known.
    """

    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return its id, and in brackets its fields."""
        fields = ", ".join(f"'{name}'" for name in self.fields)
        return f"{self.id} ({fields})" if fields else str(self.id)


def unstorable(layout: Layout, records: Iterable[Record], refused: Sequence[Refused]) -> list[Unstorable]:
    """Return refused records with the names of their fields instead of columns, and log them."""
    if not refused:
        return []
    field_of = {item.column.name: item.column.field for item in layout.all_columns}
    written = {record["id"]: record.get(WRITE_DATE_FIELD) for record in records}
    found: list[Unstorable] = []
    for item in refused:
        moment = written.get(item.id)
        fields = tuple(field_of.get(name, name) for name in item.fields)
        found.append(Unstorable(item.id, moment if isinstance(moment, str) else None, item.reason, fields))
    for each in found[:MOST_LOGGED]:
        log.error("%s %s cannot be stored: %s", layout.model, each, each.reason)
    if len(found) > MOST_LOGGED:
        log.error("%s: %d more records of this page cannot be stored", layout.model, len(found) - MOST_LOGGED)
    return found


def check_number(model: str, unreadable: Iterable[Unreadable]) -> None:
    """Stop if so many records are refused that single values cannot be the cause.

    :raises RefusedRecordsError: there are too many.
    """
    refused = [item for item in unreadable if isinstance(item, Unstorable)]
    if len({item.id for item in refused}) > MOST_REFUSED:
        raise RefusedRecordsError(f"{model}: {_cannot_take(refused)}; these are so many that the run has stopped.")


def unreadable_error(model: str, unreadable: Sequence[Unreadable]) -> OdooUnreadableRecordsError | RefusedRecordsError:
    """Build the error for records that Odoo could not give, or that the shadow cannot take."""
    refused = [item for item in unreadable if isinstance(item, Unstorable)]
    others = [item for item in unreadable if not isinstance(item, Unstorable)]
    rest = "all others are mirrored, and the watermark waits for these"
    if not others:
        return RefusedRecordsError(f"{model}: {_cannot_take(refused)}; {rest}.")
    found = sorted({item.id for item in others})
    more = f" and {len(found) - _MOST_IDS} more" if len(found) > _MOST_IDS else ""
    ids = ", ".join(map(str, found[:_MOST_IDS])) + more
    also = f", and {_cannot_take(refused)}" if refused else ""
    return OdooUnreadableRecordsError(
        f"{model}: Odoo cannot give the records {ids}{also}; {rest}. The first: {others[0].reason}"
    )


def _cannot_take(refused: Sequence[Unstorable]) -> str:
    each = {item.id: item for item in reversed(refused)}
    by_id = [each[number] for number in sorted(each)]
    more = f" and {counted(len(by_id) - MOST_NAMED, 'other')}" if len(by_id) > MOST_NAMED else ""
    ids = ", ".join(map(str, by_id[:MOST_NAMED]))
    return f"the shadow cannot take the records {ids}{more} (the first: {by_id[0].reason})"
