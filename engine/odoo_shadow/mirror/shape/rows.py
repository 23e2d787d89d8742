"""Converts records of a page to rows: tuples of cells that PostgreSQL can store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from odoo_shadow.mirror.shape.conversions import MisfitError, jsonb, timestamp
from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD, Layout
from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.tables.staging import Cell, Refused, Row, are_too_many
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.types import Json, Record
from odoo_shadow.source.values import NUL_SHOWN_AS, SURROGATE_SHOWN_AS
from odoo_shadow.text.errors import class_of
from odoo_shadow.text.log import logger

log = logger(__name__)

_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG = 65_536


@dataclass(frozen=True)
class Built:
    """The rows of a page.

    :param refused: records without a row, because a value is not of its field's type.
    """

    rows: list[Row]
    refused: list[Refused]


class RowBuilder:
    """Builds the rows of one model.

    Characters that PostgreSQL cannot store are written as visible stand-ins, and the first is reported.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.columns = [names.ID, names.WRITE_DATE, *(item.column.name for item in layout.columns)]
        self.unstorable_cells = 0
        self._cells = [(item.key, item.convert) for item in layout.columns]

    def build(self, records: Sequence[Record]) -> Built:
        """Convert records one by one; those that do not fit are refused.

        :raises OdooServerError: a record lacks a field, or so many do not fit that the fields must have changed.
        """
        rows: list[Row] = []
        refused: list[Refused] = []
        for record in records:
            try:
                rows.append(self._row(record))
            except (KeyError, ValueError, TypeError, OverflowError):
                refused.append(self._refused(record))
        if are_too_many(len(refused), len(records)):
            raise self._misfit(refused[0].id, f"'{refused[0].fields[0]}': {refused[0].reason}")
        return Built(rows, refused)

    def _refused(self, record: Record) -> Refused:
        """Find the first field whose value cannot be converted; a missing field makes the whole answer wrong."""
        cursor = [(WRITE_DATE_FIELD, WRITE_DATE_FIELD, timestamp)] if self.layout.has_write_date else []
        cells = [*cursor, *((item.key, item.column.field, item.convert) for item in self.layout.columns)]
        lacking = [key for key, _, _ in cells if key not in record]
        if lacking or type(record.get("id")) is not int:
            raise self._misfit(record.get("id"), f"'{lacking[0] if lacking else 'id'}'")
        for key, name, convert in cells:
            try:
                convert(record[key])
            except MisfitError as misfit:
                return Refused(_id_of(record), (name,), str(misfit))
            except (KeyError, ValueError, TypeError, OverflowError) as error:
                return Refused(_id_of(record), (name,), class_of(error))
        raise self._misfit(record["id"], "the record")

    def _misfit(self, record_id: Json, what: str) -> OdooServerError:
        return OdooServerError(
            f"{self.layout.model} {record_id}: the answer does not fit the model's fields ({what}); was a module "
            "upgraded meanwhile?"
        )

    def _row(self, record: Record) -> Row:
        cells = [convert(record[key]) for key, convert in self._cells]
        write_date = timestamp(record[WRITE_DATE_FIELD]) if self.layout.has_write_date else None
        if _may_be_unstorable(cells):
            cells = self._storable(record, cells)
        return (_id_of(record), write_date, *cells)

    def _storable(self, record: Record, cells: list[Cell]) -> list[Cell]:
        """Replace what PostgreSQL cannot store."""
        return [
            self._stand_in(record, index, cell) if isinstance(cell, str) else cell for index, cell in enumerate(cells)
        ]

    def _stand_in(self, record: Record, index: int, cell: str) -> Cell:
        item = self.layout.columns[index]
        is_json = item.column.type is ColumnType.JSONB
        stored = jsonb(_clean(json.loads(cell))) if is_json else _clean_text(cell)
        if stored == cell:
            return cell
        self.unstorable_cells += 1
        if self.unstorable_cells == 1:
            log.warning(
                "%s %s: '%s' holds characters that PostgreSQL cannot store: "
                "NUL is written as %s, half a surrogate as %s.",
                self.layout.model,
                record["id"],
                item.key,
                NUL_SHOWN_AS,
                SURROGATE_SHOWN_AS,
            )
        return stored


def _id_of(record: Record) -> int:
    record_id = record["id"]
    if not isinstance(record_id, int):
        raise TypeError("id is not an integer")
    return record_id


def _may_be_unstorable(cells: Iterable[Cell]) -> bool:
    """Say whether a cell may hold what PostgreSQL cannot store: one check of the whole row instead of one per cell."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    if sum(map(len, texts)) > _LONG:  # which are not held twice
        return any(map(_has_unstorable, texts))
    return _has_unstorable("".join(texts))


def _has_unstorable(text: str) -> bool:
    if "\x00" in text or "\\u0000" in text:  # as it is, and as JSON spells it
        return True
    return not text.isascii() and _SURROGATE.search(text) is not None


def _clean_text(text: str) -> str:
    text = text.replace("\x00", NUL_SHOWN_AS)
    return text if text.isascii() else _SURROGATE.sub(SURROGATE_SHOWN_AS, text)


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean_text(key): _clean(item) for key, item in value.items()}
    return value
