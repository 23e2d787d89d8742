"""Pages → rows: records become tuples of cells that PostgreSQL can store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from airflow_provider_odoo_shadow.job.columns import jsonb, timestamp
from airflow_provider_odoo_shadow.job.layout import WRITE_DATE_FIELD, Layout
from airflow_provider_odoo_shadow.source.errors import OdooServerError
from airflow_provider_odoo_shadow.source.types import Json, Record
from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.merge import Cell, Row
from airflow_provider_odoo_shadow.target.tables import ColumnType
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

NUL_SHOWN_AS = "\u2400"  # SYMBOL FOR NULL
SURROGATE_SHOWN_AS = "\ufffd"  # REPLACEMENT CHARACTER


class RowBuilder:
    """Builds the rows of one model.

    Characters that PostgreSQL cannot store are written as visible stand-ins, and the first is reported.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.columns = [names.ID, names.WRITE_DATE, *(item.column.name for item in layout.columns)]
        self.unstorable_cells = 0
        self._cells = [(item.key, item.convert) for item in layout.columns]

    def rows(self, records: Iterable[Record]) -> Iterator[Row]:
        """Convert records.

        :raises OdooServerError: a record lacks a field, or a value cannot be of its field's type.
        """
        for record in records:
            try:
                yield self._row(record)
            except (KeyError, ValueError, TypeError, OverflowError) as error:
                raise OdooServerError(
                    f"{self.layout.model} {record.get('id')}: the answer does not fit the model's fields "
                    f"({self._misfit(record)}, {type(error).__name__}); was a module upgraded meanwhile?"
                ) from None

    def _misfit(self, record: Record) -> str:
        """Name the first field whose value is missing or cannot be converted, without the value."""
        for key, convert in self._cells:
            try:
                convert(record[key])
            except (KeyError, ValueError, TypeError, OverflowError):
                return f"'{key}'"
        return "the record"

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
        raise TypeError("id is no integer")
    return record_id


def _may_be_unstorable(cells: Iterable[Cell]) -> bool:
    """Say whether some cell may hold what PostgreSQL cannot store: one look at the whole row instead of one at each."""
    texts = "".join([cell for cell in cells if isinstance(cell, str)])
    if "\x00" in texts or "\\u0000" in texts:  # as it is, and as JSON spells it
        return True
    try:
        texts.encode()
    except UnicodeEncodeError:  # half a surrogate
        return True
    return False


def _clean_text(text: str) -> str:
    text = text.replace("\x00", NUL_SHOWN_AS)
    return "".join(SURROGATE_SHOWN_AS if "\ud800" <= char <= "\udfff" else char for char in text)


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean_text(key): _clean(item) for key, item in value.items()}
    return value
