"""Reads records from Odoo's tables: implements that part of the port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from odoo_shadow.source.database.beside import add_computed, split
from odoo_shadow.source.database.catalogue import (
    CATALOGUE,
    StoredField,
    StoredModel,
    list_models,
    major_version,
    read_model,
    read_models,
)
from odoo_shadow.source.database.cells import Cells, is_there
from odoo_shadow.source.database.defaults import DEFAULTS, read_defaults
from odoo_shadow.source.database.locks import NOTHING
from odoo_shadow.source.database.plan import WHOLE_NUMBERS, Plan
from odoo_shadow.source.database.properties import FIRST_TO_OMIT, find_definition
from odoo_shadow.source.database.records import TableRecords
from odoo_shadow.source.database.relations import Table, check_rights, read_tables
from odoo_shadow.source.database.session import Sessions
from odoo_shadow.source.database.table_pages import TablePages
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.source.port import RecordDates, Source
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Reading, Where

_PROPERTIES = "properties"
_ANY_COMPANY = 0
"""In place of a company's id, where no value differs by company."""


class Tables:
    """The records of all models that have a table.

    :param company: returns the company whose values count where they differ.
    :param beside: gives the fields that Odoo computes; None leaves readings with such fields unanswered.
    """

    def __init__(self, sessions: Sessions, lang: str, company: Callable[[], int], beside: Source | None) -> None:
        self._sessions = sessions
        self._lang = lang
        self._company = company
        self._beside = beside
        self._models: dict[str, StoredModel] = {}
        self._tables: dict[str, str] = {}
        self._lock = threading.Lock()

    def read(self, model: str) -> StoredModel:
        """Read what a model is now, and remember it. Raises an `OdooError`."""
        with self._sessions.transaction(model, CATALOGUE) as tx:
            found = read_model(tx, str(self._sessions.database), model, self._lang)
        with self._lock:
            self._models[model] = found
        return found

    def read_all(self, models: Sequence[str]) -> dict[str, StoredModel]:
        """Read what some models are now, and remember them: far quicker than one by one. Raises an `OdooError`."""
        with self._sessions.transaction(reads=CATALOGUE) as tx:
            found = read_models(tx, self._lang, set(models))
        with self._lock:
            self._models |= found
        return found

    def model(self, model: str) -> StoredModel:
        """Return what a model was when it was last read."""
        with self._lock:
            known = self._models.get(model)
        return known or self.read(model)

    def has_table(self, model: str) -> bool:
        """Say whether a model's records are in a table or a view."""
        return self.model(model).table is not None

    def _of(self, reading: Reading) -> TableRecords:
        return TableRecords(self._sessions, self._plan(reading))

    def _plan(self, reading: Reading) -> Plan:
        model = self.model(reading.model)
        variants = (name for variant in reading.variants for name in variant.fields)
        named = {name for name in (*reading.fields, *variants) if is_there(model, name)}
        dependent = [name for name in sorted(named) if model.fields[name].company_dependent]
        # The role need not be able to read the users where no value depends on them.
        company = self._company() if dependent else _ANY_COMPANY
        in_columns = [name for name in dependent if not model.fields[name].by_property]
        tables, asked = self.names(), f"{self._sessions.database}: {reading.model}"
        with self._sessions.transaction(reading.model, DEFAULTS if in_columns else NOTHING) as tx:
            defaults = read_defaults(tx, model.name, in_columns)
            cells = Cells(model, tx.schema, self._lang, company, defaults, tables)
            definitions = {
                name: find_definition(tx, model, model.fields[name], tables)
                for name in sorted(named)
                if model.fields[name].type == _PROPERTIES
            }
            omits = bool(definitions) and major_version(tx) >= FIRST_TO_OMIT
            needed = {*cells.tables_of(named), *(found.table for found in definitions.values())}
            read = read_tables(tx, needed)
            reads = check_rights(tx, asked, read.values())
        of_rows = {name: found.of_row for name, found in definitions.items()}
        # A view has joins of its own; a domain may leave few records, of which all links would be read.
        is_plain = not (reads.has_views or reading.domain)
        joined = frozenset(name for name in named if is_plain and _may_be_joined(model.fields[name], read))
        return Plan(asked, reading, cells, of_rows, omits, reads, joined)

    def names(self) -> dict[str, str]:
        """Return the tables of all models, by model."""
        with self._lock:
            if self._tables:
                return self._tables
        self.list_all()
        with self._lock:
            return self._tables

    def list_all(self) -> list[StoredModel]:
        """Read which models there are now, without their fields, and remember their tables. Raises an `OdooError`."""
        with self._sessions.transaction(reads=CATALOGUE) as tx:
            found = list_models(tx, self._lang)
        with self._lock:
            self._tables = {item.name: item.table.name for item in found if item.table is not None}
        return found

    def count(self, reading: Reading, where: Where = EVERYWHERE) -> int:
        return self._of(reading).count(where)

    def count_all(self, reading: Reading) -> int:
        return self._of(reading).count_all()

    def count_without_id(self, reading: Reading) -> int:
        return self._of(reading).count_without_id()

    def ids(self, reading: Reading, where: Where = EVERYWHERE, *, expected: int | None = None) -> set[int]:
        return self._of(reading).ids(where)

    def outermost_id(self, reading: Reading, *, lowest: bool) -> int:
        records = self._of(reading)
        found = records.lowest_id() if lowest else records.highest_id()
        if found is None:
            raise OdooServerError(f"{self._sessions.database}: {reading.model}: its last record was deleted just now.")
        return found

    def highest_id(self, reading: Reading, where: Where = EVERYWHERE) -> int | None:
        return self._of(reading).highest_id(where)

    def nth_id(self, reading: Reading, where: Where, number: int) -> int | None:
        return self._of(reading).nth_id(where, number)

    def newest_write_date(self, reading: Reading, where: Where, up_to: datetime) -> datetime | None:
        return self._of(reading).newest_write_date(where, up_to)

    def dates(self, model: str, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        return self._of(Reading(model, ())).dates(ids, made=made)

    def pages(
        self,
        reading: Reading,
        where: Where = EVERYWHERE,
        *,
        after_id: int = BEFORE_ALL,
        up_to_id: int | None,
        page_size: int,
    ) -> Iterator[Page]:
        parts = split(reading, self._computed(reading))
        stored = TablePages(self._sessions, self._plan(parts.stored))
        pages = stored.pages(where, after_id=after_id, up_to_id=up_to_id, page_size=page_size)
        if parts.computed is None or self._beside is None:
            return pages
        return add_computed(pages, self._beside, parts.computed, page_size)

    def copy_pages(
        self, reading: Reading, where: Where, *, after_id: int, up_to_id: int | None, page_size: int
    ) -> Iterator[CopyPage | Page] | None:
        plan = self._plan(reading)
        # A view may have an id twice, or one that is no integer: each is looked at.
        if self._computed(reading) or reading.variants or plan.table.is_view:
            return None
        pages = TablePages(self._sessions, plan)
        return pages.copy_pages(where, after_id=after_id, up_to_id=up_to_id, page_size=page_size)

    def _computed(self, reading: Reading) -> list[str]:
        """Return the fields of a reading that the API beside has to give."""
        if self._beside is None:
            return []
        model = self.model(reading.model)
        named = {*reading.fields, *(name for variant in reading.variants for name in variant.fields)} - {"id"}
        return sorted(name for name in named if not is_there(model, name))


def _may_be_joined(field: StoredField, tables: Mapping[str, Table]) -> bool:
    """Say whether a field's links are between whole numbers: others are compared, and refused, in ways of their own."""
    if field.link is None:
        return False
    table, *columns = field.link
    return table in tables and all(tables[table].columns.get(name) in WHOLE_NUMBERS for name in columns)
