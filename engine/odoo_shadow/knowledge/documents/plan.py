"""What a model's documents are made of: rows, with what is joined to them, and the values that they show.

A plan consists of rows: the records themselves, and for each kind of line the rows that belong to them. Each has the
joins that its values need, always from a row to the one row that it points to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from odoo_shadow.mirror.config.document_template import DocumentTemplate

ROOT = "t"
"""The alias of a record that has a document."""
LINE = "l"
"""The alias of a line."""


@dataclass(frozen=True)
class Wanted:
    """Documents that there shall be.

    :param is_given: whether a person wrote the template: a field that does not exist is an error then, not passed over.
    """

    model: str
    template: DocumentTemplate
    is_given: bool = False


class Kind(StrEnum):
    """How a value is written."""

    TEXT = "text"
    HTML = "html"
    NUMBER = "number"
    AMOUNT = "amount"
    FLAG = "flag"
    DATE = "date"
    MOMENT = "moment"


@dataclass(frozen=True)
class Join:
    """A row that another one points to.

    :param first_if_none: the first of the table is taken where the column is empty.
    """

    alias: str
    table: str
    of: str
    column: str
    first_if_none: bool = False


@dataclass(frozen=True)
class Value:
    """A value that is shown.

    :param path: as the template has it.
    :param parts: columns, as alias and name, that are joined by blanks.
    :param choices: labels by value.
    :param currency: the column with the code of an amount's currency.
    :param many: the rows that it names, if it is a list of ids.
    """

    path: str
    label: str
    kind: Kind
    parts: tuple[tuple[str, str], ...]
    choices: Mapping[str, str] = field(default_factory=dict)
    currency: tuple[str, str] | None = None
    many: Rows | None = None


@dataclass(frozen=True)
class Condition:
    """Which rows count.

    :param values: those that the column may have, as texts; True for any, False for none.
    """

    alias: str
    column: str
    values: bool | tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A table on the way from a line to the record that it belongs to, and its column that leads on."""

    table: str
    column: str
    marks_deleted: bool


@dataclass(frozen=True)
class Rows:
    """Rows of one table, with what is joined to them.

    :param label: of their model.
    :param alias: the rows' own.
    :param marks_deleted: whether the table keeps rows that are gone from Odoo, with the time in a column.
    :param steps: from these rows to the record that they belong to, the rows' own first.
    :param order: a column by which they are sorted before their ids.
    """

    table: str
    label: str
    alias: str
    marks_deleted: bool
    joins: tuple[Join, ...] = ()
    values: tuple[Value, ...] = ()
    conditions: tuple[Condition, ...] = ()
    steps: tuple[Step, ...] = ()
    order: str | None = None


@dataclass(frozen=True)
class Plan:
    """How the documents of one model are made.

    :param wanted: the template as it was given.
    :param title: values of its title, in their order.
    :param named: whether the model's label begins the title.
    :param date: the index of the value that says when it happened.
    :param state: the index of its state.
    :param names: the indices of names and codes.
    :param body: how many of the records' values the text shows; the others serve the title and the rest.
    :param active: the index of the flag that is false for archived records.
    """

    wanted: Wanted
    language: str | None
    records: Rows
    lines: tuple[Rows, ...]
    body: tuple[int, ...]
    title: tuple[int, ...]
    named: bool
    names: tuple[int, ...]
    date: int | None
    state: int | None
    active: int | None
    company: str | None

    @property
    def model(self) -> str:
        """The model."""
        return self.wanted.model

    @property
    def tables(self) -> list[str]:
        """All tables whose rows the documents show."""
        found = {self.records.table}
        for rows in (self.records, *self.lines):
            found |= set(_tables_of(rows))
        return sorted(found)


def _tables_of(rows: Rows) -> Iterable[str]:
    yield rows.table
    yield from (join.table for join in rows.joins)
    yield from (step.table for step in rows.steps)
    for value in rows.values:
        if value.many is not None:
            yield from _tables_of(value.many)
