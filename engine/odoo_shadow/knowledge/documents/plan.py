"""What a model's documents are made of: a template, resolved against the tables and columns that there are.

A plan consists of rows: the records themselves, and for each kind of line the rows that belong to them. Each has the
joins that its values need, always from a row to the one row that it points to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from odoo_shadow.knowledge.documents.catalogue import Catalogue, ShownColumn, ShownTable
from odoo_shadow.knowledge.errors import TemplateError
from odoo_shadow.mirror.config.document_template import MODEL_LABEL, DocumentTemplate, LinesTemplate, Only
from odoo_shadow.text.nearest import did_you_mean

ROOT = "t"
"""The alias of a record that has a document."""
LINE = "l"
"""The alias of a line."""

_CURRENCY, _COMPANY = "res.currency", "res.company"
_MOST_FROM_CATALOGUE = 40
_TECHNICAL = frozenset(
    {"id", "create_uid", "write_uid", "create_date", "color", "sequence", "message_main_attachment_id"}
)
_INTERNAL_NOTES = frozenset({"comment", "note", "notes", "narration", "additional_note", "description_internal"})


@dataclass(frozen=True)
class Wanted:
    """Documents that there shall be.

    :param is_own: whether a person wrote the template: a field that does not exist is an error then, not passed over.
    """

    model: str
    template: DocumentTemplate
    is_own: bool = False


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

    :param values: those that the column may have; True for any, False for none.
    """

    alias: str
    column: str
    values: bool | tuple[str | int, ...]


@dataclass(frozen=True)
class Rows:
    """Rows of one table, with what is joined to them.

    :param label: of their model.
    :param alias: the rows' own.
    :param marks_deleted: whether the table keeps rows that are gone from Odoo, with the time in a column.
    :param steps: from these rows to the record that they belong to: tables and columns, the rows' own first.
    :param order: a column by which they are sorted before their ids.
    """

    table: str
    label: str
    alias: str
    marks_deleted: bool
    joins: tuple[Join, ...] = ()
    values: tuple[Value, ...] = ()
    conditions: tuple[Condition, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()
    order: str | None = None


@dataclass(frozen=True)
class Plan:
    """How the documents of one model are made.

    :param title: values of its title, in their order.
    :param named: whether the model's label begins the title.
    :param date: the index of the value that says when it happened.
    :param state: the index of its state.
    :param names: the indices of names and codes.
    :param body: how many of the records' values the text shows; the others serve the title and the rest.
    :param active: the index of the flag that is false for archived records.
    """

    model: str
    template: DocumentTemplate
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
    def tables(self) -> list[str]:
        """All tables whose rows the documents show."""
        found = {self.records.table}
        for rows in (self.records, *self.lines):
            found |= set(_tables_of(rows))
        return sorted(found)


def _tables_of(rows: Rows) -> Iterable[str]:
    yield rows.table
    yield from (join.table for join in rows.joins)
    yield from (table for table, _ in rows.steps)
    for value in rows.values:
        if value.many is not None:
            yield from _tables_of(value.many)


def make_plan(catalogue: Catalogue, wanted: Wanted) -> Plan:
    """Resolve a template.

    :raises TemplateError: it names a model or field that there is not, or that must not be shown.
    """
    model, template, is_own = wanted.model, wanted.template, wanted.is_own
    table = catalogue.by_model.get(model)
    if table is None:
        raise TemplateError(f"There are no documents of {model}: the shadow has no table of it.")
    if not template.fields and not template.title:
        template = _from_catalogue(table, template)
    builder = _Builder(catalogue, table, ROOT, frozenset(template.amounts), is_own=is_own)
    body = builder.values(template.fields)
    title = builder.values(path for path in template.title if path != MODEL_LABEL)
    named = builder.values(template.names)
    date = builder.values([template.date] if template.date else [])
    state = builder.values([template.state] if template.state else [])
    active = builder.values(["active"]) if "active" in table.columns else []
    company = table.columns.get("company_id")
    return Plan(
        model=model,
        template=template,
        language=table.language,
        records=builder.rows(template.only),
        lines=tuple(filter(None, (_lines(catalogue, table, item, is_own=is_own) for item in template.lines))),
        body=tuple(body),
        title=tuple(title),
        named=MODEL_LABEL in template.title,
        names=tuple(named),
        date=date[0] if date else None,
        state=state[0] if state else None,
        active=active[0] if active else None,
        company=company.name if company is not None and company.odoo_type == "many2one" else None,
    )


def _from_catalogue(table: ShownTable, template: DocumentTemplate) -> DocumentTemplate:
    """Return a template of what the catalogue knows of a model: its name, and what people would want to read of it."""
    name = [path.split()[0] for path in ([table.name_path] if table.name_path else [])]
    fields = [
        item.field
        for item in sorted(table.columns.values(), key=_rank)
        if item.field not in _TECHNICAL | _INTERNAL_NOTES | {*name, "display_name", "active"}
        and (item.odoo_type not in ("many2one", "many2many") or item.points_to is not None)
    ]
    return template.model_copy(
        update={
            "title": (MODEL_LABEL, *name),
            "fields": tuple(fields[:_MOST_FROM_CATALOGUE]),
            "names": template.names or tuple(name),
            "date": template.date or ("create_date" if "create_date" in table.columns else None),
            "state": template.state or next((f for f in ("state", "stage_id") if f in table.columns), None),
        }
    )


_RANKS = ("char", "selection", "many2one", "date", "datetime", "monetary", "float", "integer", "text", "many2many")


def _rank(column: ShownColumn) -> tuple[int, str]:
    place = _RANKS.index(column.odoo_type) if column.odoo_type in _RANKS else len(_RANKS)
    return place, column.field


def _lines(catalogue: Catalogue, parent: ShownTable, template: LinesTemplate, *, is_own: bool) -> Rows | None:
    """Resolve the lines of a template; None if the shadow has no table of them."""
    table = catalogue.by_model.get(template.model)
    if table is None:
        if is_own:
            raise TemplateError(
                f"The document template of {parent.model}: the shadow has no table of {template.model}."
            )
        return None
    steps: list[tuple[str, str]] = []
    here: ShownTable | None = table
    for name in template.by.split("."):
        column = here.columns.get(name) if here is not None else None
        if here is None or column is None or column.odoo_type != "many2one":
            if is_own:
                raise TemplateError(
                    f"The document template of {parent.model}: {template.model} has no field '{template.by}' that "
                    "points to one record."
                )
            return None
        steps.append((here.name, column.name))
        here = catalogue.tables.get(column.points_to or "")
    if here is None or here.name != parent.name:
        if is_own:
            raise TemplateError(
                f"The document template of {parent.model}: '{template.by}' of {template.model} does not point to it."
            )
        return None
    builder = _Builder(catalogue, table, LINE, frozenset(template.amounts), is_own=is_own)
    builder.values(template.fields)
    order = table.columns.get("sequence")
    return builder.rows(template.only, tuple(steps), order.name if order is not None else None)


class _Builder:
    """Collects the joins and values of the rows of one table.

    :param amounts: paths that are amounts of money.
    """

    def __init__(
        self, catalogue: Catalogue, table: ShownTable, alias: str, amounts: frozenset[str], *, is_own: bool
    ) -> None:
        self._catalogue, self._table, self._alias = catalogue, table, alias
        self._amounts, self._is_own = amounts, is_own
        self._joins: dict[tuple[str, str, bool], Join] = {}
        self._values: list[Value] = []

    def values(self, paths: Iterable[str]) -> list[int]:
        """Add the values of paths; return their places."""
        places = []
        for path in dict.fromkeys(paths):
            value = self._value(path)
            if value is not None:
                known = next((n for n, item in enumerate(self._values) if item.path == path), None)
                places.append(len(self._values) if known is None else known)
                if known is None:
                    self._values.append(value)
        return places

    def rows(self, only: Only, steps: tuple[tuple[str, str], ...] = (), order: str | None = None) -> Rows:
        """Return the rows with all that was collected."""
        conditions = []
        for path, wanted in only.items():
            found = self._column(path)
            if found is not None:
                conditions.append(Condition(found[0], found[1].name, wanted))
        return Rows(
            self._table.name,
            self._table.label,
            self._alias,
            "_deleted_at" in self._table.own_columns,
            tuple(self._joins.values()),
            tuple(self._values),
            tuple(conditions),
            steps,
            order,
        )

    def _value(self, path: str) -> Value | None:
        found = self._column(path)
        if found is None:
            return None
        alias, column, label = found
        if column.odoo_type == "many2one":
            parts = self._names(alias, column)
            return Value(path, label, Kind.TEXT, parts) if parts else None
        if column.odoo_type == "many2many":
            return self._named_many(path, label, alias, column)
        own = ((alias, column.name),)
        kind = _kind(column, is_amount=path in self._amounts)
        currency = self._currency(alias) if kind is Kind.AMOUNT else None
        return Value(path, label, kind, own, column.choices, currency)

    def _column(self, path: str) -> tuple[str, ShownColumn, str] | None:
        """Return the alias and column that a path leads to, with its label; None if it leads nowhere."""
        table, alias, labels = self._table, self._alias, list[str]()
        *ahead, last = path.split(".")
        for name in ahead:
            column = self._own(table, name, path)
            target = self._catalogue.tables.get(column.points_to or "") if column is not None else None
            if column is None or target is None or column.odoo_type != "many2one":
                return None
            labels.append(column.label)
            alias, table = self._joined(alias, column.name, target.name), target
        column = self._own(table, last, path)
        return None if column is None else (alias, column, " ".join([*labels, column.label]))

    def _own(self, table: ShownTable, name: str, path: str) -> ShownColumn | None:
        column = table.columns.get(name)
        if column is None and self._is_own:
            reason = table.left_out.get(name)
            said = reason if reason is not None else f"{table.model} has no such field in the shadow"
            hint = "" if reason is not None else did_you_mean(name, sorted(table.columns)).removesuffix(".")
            raise TemplateError(f"The document template of {self._table.model}, field '{path}': {said}{hint}.")
        return column

    def _joined(self, of: str, column: str, table: str, *, first_if_none: bool = False) -> str:
        key = (of, column, first_if_none)
        if key not in self._joins:
            alias = f"{self._alias}{len(self._joins) + 1}"
            self._joins[key] = Join(alias, table, of, column, first_if_none)
        return self._joins[key].alias

    def _names(self, alias: str, column: ShownColumn) -> tuple[tuple[str, str], ...]:
        """Join what leads to the name of the record that a column points to; return the columns with its parts."""
        target = self._catalogue.tables.get(column.points_to or "")
        if target is None or target.name_path is None:
            return ()
        parts = []
        for path in target.name_path.split():
            table: ShownTable | None = target
            here = self._joined(alias, column.name, target.name)
            *ahead, last = path.split(".")
            for name in ahead:
                link = table.columns.get(name) if table is not None else None
                table = self._catalogue.tables.get(link.points_to or "") if link is not None else None
                if link is not None and table is not None:
                    here = self._joined(here, link.name, table.name)
            found = table.columns.get(last) if table is not None else None
            if found is not None:
                parts.append((here, found.name))
        return tuple(parts)

    def _named_many(self, path: str, label: str, alias: str, column: ShownColumn) -> Value | None:
        target = self._catalogue.tables.get(column.points_to or "")
        if target is None or target.name_path is None:
            return None
        builder = _Builder(self._catalogue, target, f"{self._alias}m{len(self._values)}_", frozenset(), is_own=False)
        builder.values(target.name_path.split())
        rows = builder.rows({})
        return Value(path, label, Kind.TEXT, ((alias, column.name),), many=rows) if rows.values else None

    def _currency(self, alias: str) -> tuple[str, str] | None:
        """Join the currency of the amounts of a row: its own, its company's, or that of the first company."""
        table = self._table_of(alias)
        own = table.columns.get("currency_id")
        if own is not None and own.points_to is not None:
            return self._code(alias, own)
        company = self._catalogue.by_model.get(_COMPANY)
        link = table.columns.get("company_id")
        if company is None or link is None or link.points_to != company.name or link.odoo_type != "many2one":
            return None
        of_company = company.columns.get("currency_id")
        here = self._joined(alias, link.name, company.name, first_if_none=True)
        return self._code(here, of_company) if of_company is not None else None

    def _code(self, alias: str, column: ShownColumn) -> tuple[str, str] | None:
        currency = self._catalogue.by_model.get(_CURRENCY)
        code = currency.columns.get("name") if currency is not None else None
        if currency is None or code is None or column.points_to != currency.name:
            return None
        return self._joined(alias, column.name, currency.name), code.name

    def _table_of(self, alias: str) -> ShownTable:
        names = {join.alias: join.table for join in self._joins.values()}
        return self._catalogue.tables[names[alias]] if alias in names else self._table


def _kind(column: ShownColumn, *, is_amount: bool) -> Kind:
    if is_amount or column.odoo_type == "monetary":
        return Kind.AMOUNT
    plain = {"html": Kind.HTML, "boolean": Kind.FLAG, "date": Kind.DATE, "datetime": Kind.MOMENT}
    numbers: Sequence[str] = ("integer", "float")
    return Kind.NUMBER if column.odoo_type in numbers else plain.get(column.odoo_type, Kind.TEXT)
