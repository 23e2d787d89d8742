"""Asks Odoo a question of `docs/how-to/questions.md`: sums of groups of records, of one company after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias, cast

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.types import Argument, Json
from tools.trouble import ToolError

Cell: TypeAlias = str | int | bool | date | Decimal | None
Answer: TypeAlias = Mapping[tuple[Cell, ...], Sequence[Decimal]]
"""Figures by company, if there are several, and group."""

_NEWER = 19
_RELATIVE = re.compile(r"^today(?:-(\d+))?$")


@dataclass(frozen=True)
class Ask:
    """How Odoo is asked, as the page says.

    :param groupby: fields, dates by month.
    :param sum: fields that are added up, or `__count`; one that begins with a minus is turned around.
    :param read: fields that tell a group's record, by the field it is grouped by; otherwise its name as Odoo shows it.
    :param company: the only company that is asked for.
    :param archived: whether archived records count.
    :param shared: whether records of no company are asked for as well.
    """

    model: str
    domain: Sequence[Argument]
    groupby: Sequence[str]
    sum: Sequence[str]
    read: Mapping[str, Sequence[str]] = field(default_factory=dict)
    company: int | None = None
    archived: bool = False
    shared: bool = False


def answer_of(odoo: OdooClient, asks: Sequence[Ask], today: date, by_company: bool) -> Answer:
    """Return what Odoo says: each ask adds its figures, and a group that one of them lacks has zero there.

    :param today: what `today` means in a domain.
    :param by_company: whether the company's name is the first part of a key.
    """
    width = sum(len(ask.sum) for ask in asks)
    found: dict[tuple[Cell, ...], list[Decimal]] = {}
    place = 0
    for ask in asks:
        for company, name in _companies(odoo, ask):
            for key, figures in _groups(odoo, ask, company, today):
                whole = (name, *key) if by_company else key
                row = found.setdefault(whole, [Decimal(0)] * width)
                for number, figure in enumerate(figures, place):  # two records may have one name
                    row[number] += figure
        place += len(ask.sum)
    return found


def _companies(odoo: OdooClient, ask: Ask) -> Iterator[tuple[int | None, str | None]]:
    wanted = [("id", "=", ask.company)] if ask.company else []
    for record in odoo.search_read("res.company", wanted, ["name"], order="id"):
        yield cast("int", record["id"]), str(record["name"])
    if ask.shared:
        yield None, None


def _groups(
    odoo: OdooClient, ask: Ask, company: int | None, today: date
) -> Iterator[tuple[tuple[Cell, ...], list[Decimal]]]:
    domain: list[Argument] = [("company_id", "=", company or False), *(_at(term, today) for term in ask.domain)]
    fields = [one.removeprefix("-") for one in ask.sum]
    context: dict[str, Argument] = {"lang": "en_US", "tz": "UTC"}
    if company is not None:
        context["allowed_company_ids"] = [company]
    if ask.archived:
        context["active_test"] = False
    sums = [one if one == "__count" else f"{one}:sum" for one in fields]
    if odoo.version.major >= _NEWER:
        given: dict[str, Argument] = {"groupby": list(ask.groupby), "aggregates": sums, "context": context}
        rows = odoo.execute_kw(ask.model, "formatted_read_group", [], {"domain": domain, **given})
    else:
        named: dict[str, Argument] = {"fields": sums, "groupby": list(ask.groupby), "lazy": False, "context": context}
        rows = odoo.execute_kw(ask.model, "read_group", [domain], named)
        sums = fields
    listed = _rows(rows)
    for spec, names in ask.read.items():
        _read_names(odoo, ask.model, spec, names, listed, context)
    for row in listed:
        key = tuple(_part(row, spec) for spec in ask.groupby)
        values = [Decimal(str(row[name] or 0)) for name in sums]
        yield key, [-value if one.startswith("-") else value for one, value in zip(ask.sum, values, strict=True)]


def _rows(answer: Json) -> list[dict[str, Json]]:
    if not isinstance(answer, list):
        raise ToolError(f"Odoo answers {answer!r} where groups were asked for.")
    return [row for row in answer if isinstance(row, dict)]


def _read_names(
    odoo: OdooClient,
    model: str,
    spec: str,
    names: Sequence[str],
    rows: Sequence[dict[str, Json]],
    context: Mapping[str, Argument],
) -> None:
    """Call the records that groups are about by fields of theirs."""
    relation = str(odoo.fields_get(model, ["relation"])[spec]["relation"])
    ids = [value[0] for row in rows if isinstance(value := row[spec], list)]
    records = odoo.search_read(relation, [("id", "in", ids)], names, context={**context, "active_test": False})
    called = {record["id"]: " ".join(str(record[name]) for name in names if record[name]) for record in records}
    for row in rows:
        value = row[spec]
        if isinstance(value, list):
            row[spec] = [value[0], called.get(value[0], "")]


def _at(term: Argument, today: date) -> Argument:
    """Return a term of a domain with the day that `today-30` means."""
    if not isinstance(term, list) or not (relative := _RELATIVE.match(str(term[-1]))):
        return term
    return [*term[:-1], (today - timedelta(days=int(relative[1] or 0))).isoformat()]


def _part(row: Mapping[str, Json], spec: str) -> Cell:
    """Return a group's value: a month's first day, a record's name, or the value itself."""
    value = row[spec]
    if spec.endswith(":month"):
        # Up to 18 the month is told in words, and its bounds beside it.
        bounds = row.get("__range")
        span = bounds.get(spec) if isinstance(bounds, dict) else None
        first = span["from"] if isinstance(span, dict) else value[0] if isinstance(value, list) else None
        return datetime.fromisoformat(str(first)).date() if first else None
    if isinstance(value, list):
        return str(value[1])
    return None if value is False else cast("Cell", value)
