"""Which rows of which tables belong to a company: found out from the catalogue, as values.

1. A table whose model has `company_id` or `company_ids` is restricted by them; `res.company` by its own id.
2. A table without them is restricted by the rows that it points to, such as a line by its order: it shows a row if
   whoever queries sees what the row points to. Their policies ask for each other, so no chain of them may end where it
   began: where models point to each other, the one that is nearer to a company restricts the other.
3. What a row points to across models (`res_model` and `res_id`) cannot be followed: such rows are hidden.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from odoo_shadow.shadow.columns import ColumnType

COMPANY = "res.company"

_COMPANY_FIELDS = {"company_id": ("many2one", ColumnType.BIGINT), "company_ids": ("many2many", ColumnType.BIGINT_ARRAY)}
_OF_ANY_MODEL = {"many2one_reference": ColumnType.BIGINT, "reference": ColumnType.TEXT}
_BY_WHOM = frozenset({"create_uid", "write_uid"})
"""Who wrote a row says nothing about whose it is."""


@dataclass(frozen=True)
class FieldColumn:
    """A field's column that is written, and stands in its table.

    :param relation: the model that it points to.
    :param relation_table: the table of that model, if it is registered.
    """

    name: str
    field: str
    odoo_type: str
    column_type: str
    relation: str | None
    relation_table: str | None
    is_company_dependent: bool
    is_required: bool
    is_filled: bool

    @property
    def is_company(self) -> bool:
        """Whether it says to which companies a row belongs."""
        is_of_kind = _COMPANY_FIELDS.get(self.field) == (self.odoo_type, self.column_type)
        return is_of_kind and self.relation == COMPANY and not self.is_company_dependent

    @property
    def is_lost_company(self) -> bool:
        """Whether it says so in a way that no policy can ask."""
        return self.field in _COMPANY_FIELDS and self.relation == COMPANY and not self.is_company

    @property
    def is_link(self) -> bool:
        """Whether it points to the one record of another model that the row may belong to."""
        is_one = self.odoo_type == "many2one" and self.column_type == ColumnType.BIGINT
        return is_one and not self.is_company_dependent and self.field not in _BY_WHOM

    @property
    def is_of_any_model(self) -> bool:
        """Whether it points to a record of a model that another column names."""
        return self.odoo_type in _OF_ANY_MODEL and _OF_ANY_MODEL[self.odoo_type] == self.column_type


@dataclass(frozen=True)
class MirroredTable:
    """A registered table, as far as it matters whose rows it has.

    :param exists: whether it has been created.
    :param has_lost_company: whether its model has a company that is not mirrored, or no longer.
    """

    model: str
    exists: bool = True
    columns: tuple[FieldColumn, ...] = ()
    has_lost_company: bool = False


@dataclass(frozen=True)
class Restriction:
    """Which rows of a table somebody sees; with nothing set, all.

    :param by_id: the rows are the companies.
    :param companies: columns with the company's id.
    :param company_lists: columns with the ids of several companies.
    :param parents: columns that point to restricted tables, and those tables.
    :param of_any_model: columns that point to records of any model, and their types.
    :param closed: why no row is shown at all, as the rest of a sentence; empty if some are.
    :param not_mirrored: models that it points to, which cannot restrict it, because they are not mirrored.
    """

    by_id: bool = False
    companies: tuple[str, ...] = ()
    company_lists: tuple[str, ...] = ()
    parents: tuple[tuple[str, str], ...] = ()
    of_any_model: tuple[tuple[str, str], ...] = ()
    closed: str = ""
    not_mirrored: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_open(self) -> bool:
        """Whether everyone sees all rows."""
        return self == Restriction()

    @property
    def has_company(self) -> bool:
        """Whether the rows themselves say to which company they belong."""
        return self.by_id or bool(self.companies or self.company_lists)


def restrict(tables: Mapping[str, MirroredTable], *, waiting: Collection[str] = ()) -> dict[str, Restriction]:
    """Find out how each table that exists is restricted.

    :param tables: all that are registered, by name.
    :param waiting: tables that stay closed as long as they point to one that has yet to be created; for the others,
        such a table counts as not mirrored.
    """
    existing = {name: table for name, table in tables.items() if table.exists}
    found = {name: _by_itself(table) for name, table in existing.items()}
    links = {name: _links(table, existing) for name, table in existing.items() if not found[name].has_company}
    parents = _parents(links, {name for name, restriction in found.items() if not restriction.is_open})
    for name, restriction in found.items():
        if restriction.has_company or restriction.closed:
            continue
        waits = name in waiting and any(_is_awaited(column, tables) for column in existing[name].columns)
        found[name] = Restriction(
            parents=parents.get(name, ()),
            of_any_model=restriction.of_any_model,
            closed="a table that it points to has yet to be created" if waits else "",
            not_mirrored=_not_mirrored(existing[name], existing, is_open=name not in parents),
        )
    return found


def _by_itself(table: MirroredTable) -> Restriction:
    """Return what a table's own columns say."""
    own = [column for column in table.columns if column.is_company]
    if table.model == COMPANY:
        return Restriction(by_id=True)
    if not all(column.is_filled for column in own):
        return Restriction(closed="the companies of its rows are still being filled in")
    if own:
        kinds = {kind: tuple(item.name for item in own if item.column_type == kind) for kind in ColumnType}
        return Restriction(companies=kinds[ColumnType.BIGINT], company_lists=kinds[ColumnType.BIGINT_ARRAY])
    if table.has_lost_company or any(column.is_lost_company for column in table.columns):
        return Restriction(closed="its model has a company that is not mirrored")
    return Restriction(of_any_model=tuple((c.name, c.column_type) for c in table.columns if c.is_of_any_model))


def _links(table: MirroredTable, existing: Collection[str]) -> list[tuple[str, str]]:
    """Return the columns that point to other tables that exist, and those tables."""
    return [
        (column.name, column.relation_table)
        for column in table.columns
        if column.is_link and column.relation_table is not None and column.relation_table in existing
    ]


def _is_awaited(column: FieldColumn, tables: Mapping[str, MirroredTable]) -> bool:
    there = tables.get(column.relation_table or "")
    return column.is_link and there is not None and not there.exists


def _not_mirrored(table: MirroredTable, existing: Collection[str], *, is_open: bool) -> tuple[str, ...]:
    """Return the models that may be a table's parents: all of an open table, else those without which no row is."""
    missing = {
        str(column.relation)
        for column in table.columns
        if column.is_link and (is_open or column.is_required) and column.relation_table not in existing
    }
    return tuple(sorted(missing))


def _parents(
    links: Mapping[str, list[tuple[str, str]]], restricted: Collection[str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Choose the links by which tables are restricted, so that none leads back to its own table.

    :param links: of the tables without a company.
    :param restricted: tables that are restricted without any link.
    """
    distance = _distances(links, restricted)
    wanted = [
        (distance[target] >= distance[name], name, column, target)
        for name, found in links.items()
        if name in distance
        for column, target in found
        if target in distance and target != name
    ]
    chosen: dict[str, list[tuple[str, str]]] = {}
    for leads_away, name, column, target in sorted(wanted):  # those that lead nearer to a company come first
        if not (leads_away and _reaches(chosen, target, name)):
            chosen.setdefault(name, []).append((column, target))
    return {name: tuple(found) for name, found in chosen.items()}


def _distances(links: Mapping[str, list[tuple[str, str]]], restricted: Collection[str]) -> dict[str, int]:
    """Return over how many links each table reaches one that is restricted without any; not those that reach none."""
    pointing: dict[str, list[str]] = {}
    for name, found in links.items():
        for _, target in found:
            pointing.setdefault(target, []).append(name)
    distance = dict.fromkeys(restricted, 0)
    ahead = deque(sorted(restricted))
    while ahead:
        here = ahead.popleft()
        for name in pointing.get(here, ()):
            if name not in distance:
                distance[name] = distance[here] + 1
                ahead.append(name)
    return distance


def _reaches(links: Mapping[str, list[tuple[str, str]]], start: str, end: str) -> bool:
    """Say whether some chain of links leads from one table to another."""
    seen, ahead = {start}, [start]
    while ahead:
        for _, target in links.get(ahead.pop(), ()):
            if target == end:
                return True
            if target not in seen:
                seen.add(target)
                ahead.append(target)
    return False
