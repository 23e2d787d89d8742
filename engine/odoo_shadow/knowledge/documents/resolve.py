"""Resolves a template against the tables and columns that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from odoo_shadow.knowledge.documents.catalogue import Catalogue, ShownColumn, ShownTable
from odoo_shadow.knowledge.documents.plan import LINE, ROOT, Condition, Join, Kind, Plan, Rows, Step, Value, Wanted
from odoo_shadow.knowledge.errors import TemplateError
from odoo_shadow.mirror.config.document_template import MODEL_LABEL, DocumentTemplate, LinesTemplate, Only
from odoo_shadow.text.amounts import as_many_as_fit
from odoo_shadow.text.nearest import did_you_mean

_CURRENCY, _COMPANY = "res.currency", "res.company"
_MOST_FROM_CATALOGUE = 40
_TECHNICAL = frozenset(
    {"id", "create_uid", "write_uid", "create_date", "color", "sequence", "message_main_attachment_id"}
)
_INTERNAL_NOTES = frozenset({"comment", "note", "notes", "narration", "additional_note", "description_internal"})


def make_plan(catalogue: Catalogue, wanted: Wanted) -> Plan:
    """Resolve a template.

    :raises TemplateError: it names models or fields that there are not, or that must not be shown, all of which the
        message lists; or what says which records have documents is not mirrored.
    """
    model, template = wanted.model, wanted.template
    mistakes: list[str] | None = [] if wanted.is_given else None
    table = catalogue.by_model.get(model)
    if table is None:
        raise TemplateError(f"There are no documents of {model}: the shadow has no table of it.")
    if not template.fields and not template.title:
        template = _from_catalogue(table, template)
    builder = _Builder(catalogue, table, ROOT, frozenset(template.amounts), mistakes)
    body = builder.values(template.fields)
    title = builder.values(path for path in template.title if path != MODEL_LABEL)
    named = builder.values(template.names)
    date = builder.moments(template.date)
    state = builder.values([template.state] if template.state else [])
    active = builder.values(["active"]) if "active" in table.columns else []
    company = table.columns.get("company_id")
    builder.check_amounts((*template.fields, *template.title))
    records = builder.rows(template.only)
    lines = tuple(filter(None, (_lines(catalogue, table, item, mistakes) for item in template.lines)))
    if mistakes:
        raise TemplateError(f"The document template of {model}, {_in_words(mistakes)}")
    return Plan(
        wanted=wanted,
        language=table.language,
        records=records,
        lines=lines,
        body=tuple(body),
        title=tuple(title),
        named=MODEL_LABEL in template.title,
        names=tuple(named),
        date=date[0] if date else None,
        state=state[0] if state else None,
        active=active[0] if active else None,
        company=company.name if company is not None and company.odoo_type == "many2one" else None,
    )


def _in_words(mistakes: Iterable[str]) -> str:
    first, *others = dict.fromkeys(mistakes)
    return as_many_as_fit([first, *(text[0].upper() + text[1:] for text in others)], "mistake")


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


def _lines(
    catalogue: Catalogue, parent: ShownTable, template: LinesTemplate, mistakes: list[str] | None
) -> Rows | None:
    """Resolve the lines of a template; None if the shadow has no table of them, or nothing that leads to the record."""
    table = catalogue.by_model.get(template.model)
    if table is None:
        _note(mistakes, f"lines of {template.model}: the shadow has no table of {template.model}.")
        return None
    steps = _steps(catalogue, parent, table, template, mistakes)
    builder = _Builder(catalogue, table, LINE, frozenset(template.amounts), mistakes)
    builder.values(template.fields)
    builder.check_amounts(template.fields)
    order = table.columns.get("sequence")
    try:
        rows = builder.rows(template.only, steps or (), order.name if order is not None else None)
    except TemplateError:
        return None  # better none than others
    return rows if steps else None


def _steps(
    catalogue: Catalogue, parent: ShownTable, table: ShownTable, template: LinesTemplate, mistakes: list[str] | None
) -> tuple[Step, ...] | None:
    """Return the tables on the way from lines to their record; None if there is no way."""
    steps: list[Step] = []
    here: ShownTable | None = table
    for name in template.by.split("."):
        column = here.columns.get(name) if here is not None else None
        if here is None or column is None or column.odoo_type != "many2one":
            _note(mistakes, f"lines: {template.model} has no field '{template.by}' that points to one record.")
            return None
        steps.append(Step(here.name, column.name, here.marks_deleted))
        here = catalogue.tables.get(column.points_to or "")
    if here is None or here.name != parent.name:
        _note(mistakes, f"lines: '{template.by}' of {template.model} does not point to {parent.model}.")
        return None
    return tuple(steps)


def _note(mistakes: list[str] | None, mistake: str) -> None:
    if mistakes is not None:
        mistakes.append(mistake)


class _Builder:
    """Collects the joins and values of the rows of one table.

    :param amounts: paths that are amounts of money.
    :param mistakes: is told what there is not; None for the project's own templates, where that is passed over.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        table: ShownTable,
        alias: str,
        amounts: frozenset[str],
        mistakes: list[str] | None = None,
    ) -> None:
        self._catalogue, self._table, self._alias = catalogue, table, alias
        self._amounts, self._mistakes = amounts, mistakes
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

    def moments(self, path: str | None) -> list[int]:
        """Add the value of a path if it is a date or a moment; return its place."""
        places = self.values([path] if path else [])
        if all(self._values[place].kind in (Kind.DATE, Kind.MOMENT) for place in places):
            return places
        _note(self._mistakes, f"date '{path}': it is neither a date nor a moment.")
        return []

    def check_amounts(self, shown: Collection[str]) -> None:
        """Note amounts that are not among the fields that are shown, where they would do nothing."""
        for path in sorted(self._amounts.difference(shown)):
            _note(self._mistakes, f"amounts '{path}': it is not one of the fields.")

    def rows(self, only: Only, steps: tuple[Step, ...] = (), order: str | None = None) -> Rows:
        """Return the rows with all that was collected."""
        conditions = list(filter(None, (self._condition(path, wanted) for path, wanted in only.items())))
        return Rows(
            self._table.name,
            self._table.label,
            self._alias,
            self._table.marks_deleted,
            tuple(self._joins.values()),
            tuple(self._values),
            tuple(conditions),
            steps,
            order,
        )

    def _condition(self, path: str, wanted: bool | tuple[bool | str | int, ...]) -> Condition | None:
        before = len(self._mistakes or ())
        found = self._column(path)
        if found is None and self._mistakes is not None:
            if len(self._mistakes) == before:
                self._mistakes.append(f"only '{path}': what it leads to is not mirrored.")
            return None
        if found is None:
            raise TemplateError(
                f"There are no documents of {self._table.model}: {path}, which says what belongs to them, is not "
                "mirrored."
            )
        alias, column, _ = found
        if isinstance(wanted, bool):
            values = wanted if column.odoo_type != "boolean" else (str(wanted).lower(),)
            return Condition(alias, column.name, values)
        texts = tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in wanted)
        known = column.choices or ({"true": "", "false": ""} if column.odoo_type == "boolean" else {})
        for text in texts:
            if known and text not in known:
                _note(self._mistakes, f"only '{path}': it never is '{text}'{did_you_mean(text, known)}")
        return Condition(alias, column.name, texts)

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
            if column is not None and column.odoo_type != "many2one":
                _note(self._mistakes, f"field '{path}': '{name}' of {table.model} does not point to one record.")
            if column is None or target is None or column.odoo_type != "many2one":
                return None
            labels.append(column.label)
            alias, table = self._joined(alias, column.name, target.name), target
        column = self._own(table, last, path)
        return None if column is None else (alias, column, " ".join([*labels, column.label]))

    def _own(self, table: ShownTable, name: str, path: str) -> ShownColumn | None:
        column = table.columns.get(name)
        if column is None:
            reason = table.left_out.get(name)
            said = reason if reason is not None else f"{table.model} has no such field in the shadow"
            hint = "" if reason is not None else did_you_mean(name, sorted(table.columns)).removesuffix(".")
            _note(self._mistakes, f"field '{path}': {said}{hint}.")
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
        builder = _Builder(self._catalogue, target, f"{self._alias}m{len(self._values)}_", frozenset())
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
