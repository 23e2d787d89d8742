"""The doctor's findings about where Odoo's own database legitimately says something else than its API, by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

from odoo_shadow.mirror.hidden import Hidden
from odoo_shadow.mirror.run.choose import LeftOut
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.source.differences import Differences, FieldRows, KnowsDifferences
from odoo_shadow.source.port import Source, beside_of
from odoo_shadow.source.record_names import computed_name
from odoo_shadow.text.amounts import counted, first_and_more
from odoo_shadow.text.findings import Finding, Item, Verdict

_MOST_NAMES = 8


def examine_two_sources(
    odoo: Source,
    layouts: Mapping[str, Layout],
    hidden: Mapping[str, Hidden],
    left_out: Sequence[LeftOut],
    within: timedelta,
) -> Iterator[Finding]:
    """Yield what the API would show otherwise of the models that are mirrored; nothing for the API itself.

    :param layouts: how the models are mirrored.
    :param hidden: what the API's login does not see, by model; empty without the API beside.
    :param left_out: models that patterns do not take.
    :param within: how long Odoo's database may count what differs, for all models together.
    :raises OdooError: the database could not be asked.
    """
    if not isinstance(odoo, KnowsDifferences):
        return
    found = odoo.differences({model: layout.reading.fields for model, layout in layouts.items()}, within=within)
    api = beside_of(odoo)
    yield from _hidden(hidden, layouts) if api is not None else _ruled(found)
    yield from _values(found)
    yield from _computed(found, layouts, has_api=api is not None)
    if api is None:
        yield from _companies(odoo, layouts)
    not_taken = {item.model for item in left_out}
    made = [Item(name) for name in found.queries if name in not_taken and (api is None or name in api.readable_models)]
    text = "without a table, made of a query in Odoo's code: only the API gives its records, if the model is named"
    yield from _told("no table", Verdict.OK, "model", made, text)


def _told(subject: str, verdict: Verdict, what: str, items: Collection[Item], text: str) -> Iterator[Finding]:
    """Yield one finding, if it is about anything: how many, the sentence, and the first few by name."""
    if items:
        named = first_and_more(list(items), _MOST_NAMES)
        yield Finding(subject, verdict, f"{counted(len(items), what)} {text}: {named}", tuple(items))


def _hidden(hidden: Mapping[str, Hidden], layouts: Mapping[str, Layout]) -> Iterator[Finding]:
    """Tell what rules and groups hide from the API's login, and which lists of links that shortens."""
    whole = [Item(model, rows=item.rows) for model, item in hidden.items() if item.is_whole]
    yield from _told("hidden models", Verdict.WARNING, "model", whole, "that the API's login cannot read")
    rows = [Item(model, rows=item.rows) for model, item in hidden.items() if item.rows and not item.is_whole]
    yield from _told("hidden rows", Verdict.WARNING, "model", rows, "with rows that the API's login does not see")
    fields = [Item(model, name) for model, item in hidden.items() for name in item.fields]
    yield from _told("hidden fields", Verdict.WARNING, "field", fields, "that the API's login does not see")
    partly = {model for model, item in hidden.items() if item.rows}
    links = [
        Item(model, item.column.field)
        for model, layout in layouts.items()
        for item in layout.columns
        if item.column.odoo_type == "many2many" and item.column.description.relation in partly
    ]
    text = "that may link rows which the API's login does not see, and so does not list"
    yield from _told("hidden links", Verdict.OK, "many2many field", links, text)


def _ruled(found: Differences) -> Iterator[Finding]:
    """Tell of rules, where it is not known what they hide from whom."""
    unknown = "; what a login does not see is known with its address and password beside (ODOO_URL …)"
    if found.ruled is None:
        yield Finding("hidden rows", Verdict.WARNING, f"the role may not read record rules{unknown}")
        return
    items = [Item(model) for model in found.ruled]
    text = f"with record rules, which may hide rows by API{unknown}"
    yield from _told("hidden rows", Verdict.WARNING, "model", items, text)


def _values(found: Differences) -> Iterator[Finding]:
    """Tell of values that the API shows otherwise."""

    def items(fields: Collection[FieldRows]) -> list[Item]:
        return [Item(item.model, item.field, item.rows) for item in fields]

    archived = "with links to archived records, which the API does not list"
    yield from _told("many2many", Verdict.OK, "field", items(found.archived), archived)
    digits = "with numbers that no double holds: the API sends the nearest one"
    yield from _told("digits", Verdict.OK, "field", items(found.digits), digits)
    large = "with whole numbers from 2^53 on, which are refused by API"
    yield from _told("large integers", Verdict.OK, "field", items(found.large), large)
    text = "not counted for many2many, digits and large integers: that takes too long, or is not possible"
    yield from _told("not counted", Verdict.OK, "model", [Item(model) for model in found.not_counted], text)


def _computed(found: Differences, layouts: Mapping[str, Layout], *, has_api: bool) -> Iterator[Finding]:
    """Tell of what is in no table, and so comes by API or not at all."""
    items = [Item(model, name) for model, name in found.computed]
    if has_api:
        yield from _told("computed", Verdict.OK, "field", items, "in no table, which the API beside gives")
        return
    yield from _told("computed", Verdict.WARNING, "field", items, "in no table: the API's address and login are needed")
    names = [Item(model, "display_name") for model in layouts if computed_name(model) is not None]
    text = "that Odoo computes, which only the API gives: names of these records are made of stored fields alone"
    yield from _told("names", Verdict.WARNING, "name", names, text)


def _companies(odoo: Source, layouts: Mapping[str, Layout]) -> Iterator[Finding]:
    """Tell whose values count where they differ by company, if nobody's login decides it."""
    items = [
        Item(model, item.column.field)
        for model, layout in layouts.items()
        for item in layout.columns
        if item.column.description.company_dependent
    ]
    labels = odoo.companies() if items else None
    if labels is not None and labels.others:
        text = f"with values of company {labels.main} (ODOO_USER or ODOO_COMPANY_IDS name another); by API the login's"
        yield from _told("companies", Verdict.OK, "field", items, text)
