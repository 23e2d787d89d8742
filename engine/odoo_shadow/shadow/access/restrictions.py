"""Which rows of which tables belong to a company: found out from the catalogue, as values.

1. A table whose model has `company_id` or `company_ids` is restricted by them; `res.company` by its own id.
2. A table without them is restricted by the rows that it points to, such as a line by its order: it shows a row if
   whoever queries sees what the row points to. Their policies ask for each other, so no chain of them may end where it
   began: where models point to each other, the one that is nearer to a company restricts the other.
3. What a row points to across models (`res_model` and `res_id`) cannot be followed: such rows are hidden.
4. What has restricted a table once and cannot be asked now, a field or a whole table, closes it: nothing that
   goes may show more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

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
    """

    name: str
    field: str
    odoo_type: str
    column_type: str
    relation: str | None
    is_company_dependent: bool
    is_filled: bool

    @property
    def is_company(self) -> bool:
        """Whether it says to which companies a row belongs."""
        is_of_kind = _COMPANY_FIELDS.get(self.field) == (self.odoo_type, self.column_type)
        return is_of_kind and self.relation == COMPANY and not self.is_company_dependent

    @property
    def is_lost_company(self) -> bool:
        """Whether it says so in a way that no policy can ask."""
        return self.field in _COMPANY_FIELDS and self.relation in (COMPANY, None) and not self.is_company

    @property
    def is_link(self) -> bool:
        """Whether it points to the one record of another model that the row may belong to."""
        is_one = self.odoo_type == "many2one" and self.column_type == ColumnType.BIGINT
        return is_one and not self.is_company_dependent and self.field not in _BY_WHOM

    @property
    def is_text(self) -> bool:
        """Whether its values are kept as texts, as those of a hashed link are."""
        return self.column_type == ColumnType.TEXT

    @property
    def is_of_any_model(self) -> bool:
        """Whether it points to a record of a model that another column names."""
        return self.odoo_type in _OF_ANY_MODEL and _OF_ANY_MODEL[self.odoo_type] == self.column_type


@dataclass(frozen=True)
class KnownLink:
    """What a field of a table has been at some time: a company of its rows, or what they point to.

    :param relation: the model that it points to; None if that is any.
    :param has_restricted: whether rows of that model were restricted at some time.
    """

    field: str
    relation: str | None
    has_restricted: bool = False

    @property
    def is_company(self) -> bool:
        """Whether it said to which companies a row belongs."""
        return self.field in _COMPANY_FIELDS and self.relation == COMPANY

    def is_asked_by(self, column: FieldColumn) -> bool:
        """Whether a policy can still ask it of this column."""
        if column.field != self.field:
            return False
        if self.is_company:
            return column.is_company
        return column.is_of_any_model if self.relation is None else column.is_link and column.relation == self.relation


@dataclass(frozen=True)
class MirroredTable:
    """A registered table, as far as it matters whose rows it has.

    :param exists: whether it has been created, and is a table.
    :param known: what its fields have been, now or earlier.
    :param leaves_out_company: whether its model has a company that is not mirrored.
    :param left_out: links that are left out, and the models that they point to, as far as that is known.
    :param is_own: whether it is the very table, with the very ids, that the mirror has made or taken over.
    """

    model: str
    exists: bool = True
    columns: tuple[FieldColumn, ...] = ()
    known: tuple[KnownLink, ...] = ()
    leaves_out_company: bool = False
    left_out: tuple[tuple[str, str], ...] = ()
    is_own: bool = True

    @property
    def lost(self) -> tuple[KnownLink, ...]:
        """What no policy can ask any more."""
        return tuple(link for link in self.known if not any(link.is_asked_by(column) for column in self.columns))

    @property
    def has_lost_company(self) -> bool:
        """Whether its model has a company that no policy can ask, or had one."""
        return (
            self.leaves_out_company
            or any(link.is_company for link in self.lost)
            or any(column.is_lost_company for column in self.columns)
        )


@dataclass(frozen=True)
class Restriction:
    """Which rows of a table somebody sees; with nothing set, all.

    :param by_id: the rows are the companies.
    :param hides_shared: rows without a company are not shown: another column, which has gone, may have said it.
    :param companies: columns with the company's id.
    :param company_lists: columns with the ids of several companies.
    :param parents: columns that point to restricted tables, and those tables.
    :param of_any_model: columns that point to records of any model, and their types.
    :param closed: why no row is shown at all, as the rest of a sentence; empty if some are.
    :param not_mirrored: models that it points to, which cannot restrict it, because they are not mirrored.
    :param left_out: links that could restrict it, but are left out or hashed, each with its model.
    """

    by_id: bool = False
    hides_shared: bool = False
    companies: tuple[str, ...] = ()
    company_lists: tuple[str, ...] = ()
    parents: tuple[tuple[str, str], ...] = ()
    of_any_model: tuple[tuple[str, str], ...] = ()
    closed: str = ""
    not_mirrored: tuple[str, ...] = field(default=(), compare=False)
    left_out: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_open(self) -> bool:
        """Whether everyone sees all rows."""
        return self == Restriction()

    @property
    def has_company(self) -> bool:
        """Whether the rows themselves say to which company they belong."""
        return self.by_id or bool(self.companies or self.company_lists)

    @property
    def is_by_company(self) -> bool:
        """Whether companies decide which rows are seen: those of the rows, or of what they point to."""
        return self.has_company or bool(self.parents)

    @property
    def is_nobodys(self) -> bool:
        """Whether rows are hidden because nobody knows whose they are."""
        return not (self.is_open or self.is_by_company)


def restrict(tables: Mapping[str, MirroredTable]) -> dict[str, Restriction]:
    """Find out how each table that exists is restricted.

    :param tables: all that are registered, by name.
    """
    existing = {name: table for name, table in tables.items() if table.exists and table.is_own}
    by_model = {table.model: name for name, table in tables.items()}
    found = {name: _by_itself(table) for name, table in existing.items()}
    without = {name: table for name, table in existing.items() if not (found[name].has_company or found[name].closed)}
    links = {name: _links(table, by_model) for name, table in without.items()}
    # Nobody knows whether a table that is not there would be restricted.
    roots = {name for name, restriction in found.items() if not restriction.is_open} | (tables.keys() - existing.keys())
    roots |= {name for name, table in without.items() if _forgotten(table, by_model)}
    has_owner = _distances(
        {name: [*links[name], *_lost_links(table, by_model)] for name, table in without.items()}, roots
    )
    closed = {name: _why_closed(table, by_model, existing, has_owner) for name, table in without.items()}
    parents = _parents(
        {name: pointing for name, pointing in links.items() if not closed[name]},
        {name for name in roots | closed.keys() if name in roots or closed[name]},
    )
    for name, table in without.items():
        found[name] = Restriction(
            parents=() if closed[name] else parents.get(name, ()),
            of_any_model=() if closed[name] else found[name].of_any_model,
            closed=closed[name],
            not_mirrored=tuple(sorted({model for _, model in _targets(table) if model not in by_model})),
        )
    others = {name for name, table in tables.items() if table.exists and not table.is_own}
    found |= dict.fromkeys(others, Restriction(closed="another table has its name until its model is mirrored again"))
    for name in without:
        if not found[name].closed:
            found[name] = replace(found[name], left_out=_left_out(tables[name], by_model, found))
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
        return Restriction(
            hides_shared=table.has_lost_company,
            companies=kinds[ColumnType.BIGINT],
            company_lists=kinds[ColumnType.BIGINT_ARRAY],
        )
    if table.has_lost_company:
        return Restriction(closed="its model has a company that is not mirrored")
    return Restriction(of_any_model=tuple((c.name, c.column_type) for c in table.columns if c.is_of_any_model))


def _why_closed(
    table: MirroredTable, by_model: Mapping[str, str], existing: Collection[str], has_owner: Collection[str]
) -> str:
    """Say what keeps a table without a company from being restricted by what it points to; empty if nothing does.

    :param has_owner: tables whose rows may be somebody's.
    """
    for link in table.lost:
        if link.relation is None or by_model.get(link.relation) in has_owner:
            return f"it has lost {link.field}, which restricted it"
    for link in _forgotten(table, by_model):
        return f"{link.field} points to {link.relation}, which restricted it and is no longer mirrored"
    for column in table.columns:
        target = by_model.get(str(column.relation)) if column.is_link else None
        if target is not None and target not in existing:
            return f"it points to {target}, which has yet to be created"
        if not column.is_filled and (column.is_of_any_model or target in has_owner):
            return f"{column.field} of its rows is still being filled in"
    return ""


def _forgotten(table: MirroredTable, by_model: Mapping[str, str]) -> list[KnownLink]:
    """Return the links to models whose rows were restricted, and whose tables are not registered any more."""
    return [link for link in table.known if link.has_restricted and link.relation not in by_model]


def _left_out(table: MirroredTable, by_model: Mapping[str, str], found: Mapping[str, Restriction]) -> tuple[str, ...]:
    """Return the links without a value to ask, left out or hashed, that point to what is restricted, or may be."""
    hashed = [(c.field, str(c.relation)) for c in table.columns if c.odoo_type == "many2one" and c.is_text]
    return tuple(
        f"{link} ({model})"
        for link, model in (*table.left_out, *hashed)
        if link not in _BY_WHOM
        and model != table.model
        and (model not in by_model or by_model[model] not in found or not found[by_model[model]].is_open)
    )


def _targets(table: MirroredTable) -> Iterator[tuple[str, str]]:
    """Yield the columns that point to other records, and the models of those."""
    for column in table.columns:
        if column.is_link and column.relation is not None:
            yield column.name, column.relation


def _links(table: MirroredTable, by_model: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the columns that point to records of registered tables, and those tables."""
    return [(column, by_model[model]) for column, model in _targets(table) if model in by_model]


def _lost_links(table: MirroredTable, by_model: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(link.field, by_model[link.relation]) for link in table.lost if link.relation and link.relation in by_model]


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
