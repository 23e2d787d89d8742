"""Finds out what a table lacks: compares the columns that it should have with those that it has.

A column with the name of a wanted one is the mirror's own only if the control tables know it by its number. A stranger
that is plain, of a suitable type and empty in every row becomes the mirror's own, and is filled like a new one. Any
other stranger is somebody else's: it is kept under another name, with the views and rights on it, and the mirror
creates its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import OWN_COLUMNS, Column, ColumnType
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.descriptions import storable
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.relations import FIELD
from odoo_shadow.shadow.tables.present import PresentTable, columns_with_values, has_rows
from odoo_shadow.shadow.tables.tables import Change, ChangeKind, TableChange, can_widen

_HOLDS_VALUES = "it holds values"
_HAS_DEFAULT = "it has a default"


@dataclass(frozen=True)
class _Recorded:
    """A column as `odoo_shadow_field` has it.

    :param number: which of the table's columns it was; None while no run has seen it.
    """

    column: Column
    is_active: bool
    is_emptied: bool
    number: int | None


def plan_change(
    tx: Transaction, table: str, columns: Sequence[Column], left_out: Collection[str] = frozenset()
) -> TableChange:
    """Compare the columns that a table should have, except the project's own, with those that it has.

    :param left_out: fields that Odoo has and the mirror must not have, or no longer: their values are removed. The
        values of a field that Odoo no longer has stay.
    :raises ShadowConflictError: it has no suitable column `id`, so its rows cannot be told apart.
    """
    there = PresentTable.of(tx, table)
    if not there.columns:
        return TableChange(table, (Change(ChangeKind.CREATED),), tuple(columns))
    _check_id(tx, table, there)
    return _Comparison(
        tx=tx,
        table=table,
        there=there,
        columns=columns,
        recorded=_recorded_columns(tx, table),
        hidden={storable(name) for name in left_out},
    ).change()


def _check_id(tx: Transaction, table: str, there: PresentTable) -> None:
    found = there.columns.get(names.ID)
    wanted = names.OWN_COLUMNS[names.ID]
    if found is not None and found.type == wanted:
        return
    name = tx.own(table).as_string(tx.cursor)
    if found is None:
        raise ShadowConflictError(
            f"{tx.schema}.{table} has lost its column id, so its rows cannot be told apart: rename or drop the table, "
            "and the next run creates it again."
        )
    raise ShadowConflictError(
        f"{tx.schema}.{table}: id is {found.type}, but must be {wanted}: ALTER TABLE {name} ALTER COLUMN id TYPE "
        f"{wanted}; or rename or drop the table, and the next run creates it again."
    )


@dataclass(frozen=True)
class _Comparison:
    """One table as it should be and as it is.

    :param hidden: fields whose values must go.
    """

    tx: Transaction
    table: str
    there: PresentTable
    columns: Sequence[Column]
    recorded: Mapping[str, _Recorded]
    hidden: Collection[str]

    def change(self) -> TableChange:
        kept_as = self._namer()
        adopted: list[Column] = []
        changes = list(self._whole_table())
        for column in (*OWN_COLUMNS, *self.columns):
            found = list(self._changes(column, kept_as))
            changes += found
            if not found and self._is_stranger(column.name):
                adopted.append(column)
        own = [item for item in changes if item.column is not None and not item.is_of_field]
        changes += self._keys(own)
        aside = {
            item.column.name: item.kept_as for item in changes if item.column and item.kind is ChangeKind.SET_ASIDE
        }
        moved = dict(self._moved(aside))
        others = [item for name, item in self.recorded.items() if name not in self._wanted]
        changes += [change for item in others for change in self._endings(item, moved)]
        return TableChange(
            self.table,
            tuple(changes),
            tuple(self.columns),
            tuple(item for item in adopted if item.name not in names.OWN_COLUMNS),
            tuple(moved.items()),
            self._is_unknown,
        )

    @cached_property
    def _is_unknown(self) -> bool:
        """Say whether the control tables are about another table, or about another column of ids."""
        return not self.there.is_own(names.ID)

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(item.name for item in self.columns)

    @cached_property
    def _has_rows(self) -> bool:
        return has_rows(self.tx, self.table)

    @cached_property
    def _with_values(self) -> set[str]:
        """Return the strangers that are not empty; nothing for a table that is read again as a whole anyway."""
        listed = (item.name for item in (*OWN_COLUMNS, *self.columns) if self._is_stranger(item.name))
        return set() if self._is_unknown else columns_with_values(self.tx, self.table, list(listed))

    def _is_own(self, recorded: _Recorded | None) -> bool:
        """Say whether the column of that name is still the one that the mirror created."""
        present = self.there.columns.get(recorded.column.name) if recorded is not None else None
        return (
            recorded is not None and present is not None and recorded.number == present.number and not self._is_unknown
        )

    def _is_stranger(self, name: str) -> bool:
        is_own = self.there.is_own(name) if name in names.OWN_COLUMNS else self._is_own(self.recorded.get(name))
        return name in self.there.columns and (self._is_unknown or not is_own)

    def _whole_table(self) -> Iterator[Change]:
        if self._is_unknown and self._has_rows:
            yield Change(ChangeKind.TAKEN_OVER)

    def _changes(self, column: Column, kept_as: Callable[[Column, str], str]) -> Iterator[Change]:
        present = self.there.columns.get(column.name)
        if present is None:
            yield Change(ChangeKind.ADDED, column)
        elif self._is_stranger(column.name):
            yield from self._of_stranger(column, kept_as)
        elif column.name in names.OWN_COLUMNS:
            yield from self._of_own(column, kept_as)
        else:
            yield from self._of_field(column, self.recorded[column.name], present.type, kept_as)

    def _of_stranger(self, column: Column, kept_as: Callable[[Column, str], str]) -> Iterator[Change]:
        present = self.there.columns[column.name]
        oddity = self._oddity(column)
        if oddity:
            yield Change(ChangeKind.SET_ASIDE, column, present.type, kept_as(column, ""), oddity)
        elif present.type != column.type:
            yield Change(ChangeKind.WIDENED, column, present.type, kept_as(column, present.type))
        elif self._lacks_default(column) or (not self._is_unknown and self._is_notable(column)):
            yield Change(ChangeKind.ADOPTED, column)

    def _is_notable(self, column: Column) -> bool:
        """Say whether it is reported that a stranger becomes the mirror's own: without rows, none lacks a value."""
        return self._has_rows or column.name in names.OWN_COLUMNS

    def _lacks_default(self, column: Column) -> bool:
        return column.name == names.SYNCED_AT and not self.there.columns[column.name].has_default

    def _oddity(self, column: Column) -> str:
        """Return what keeps a stranger from becoming the mirror's own, in words; empty for nothing."""
        present = self.there.columns[column.name]
        is_own = column.name in names.OWN_COLUMNS
        if present.oddity and not (column.name == names.SYNCED_AT and present.oddity == _HAS_DEFAULT):
            return present.oddity
        if present.type != column.type and (is_own or not can_widen(present.type, column.type)):
            return f"it is {present.type}"
        return _HOLDS_VALUES if column.name in self._with_values else ""

    def _of_own(self, column: Column, kept_as: Callable[[Column, str], str]) -> Iterator[Change]:
        """Find what somebody did to one of the project's own columns."""
        present = self.there.columns[column.name]
        if present.type != column.type:
            yield Change(ChangeKind.SET_ASIDE, column, present.type, kept_as(column, ""), f"it is {present.type}")
        elif self._lacks_default(column):
            yield Change(ChangeKind.ADOPTED, column)

    def _of_field(
        self, column: Column, recorded: _Recorded, present_type: str, kept_as: Callable[[Column, str], str]
    ) -> Iterator[Change]:
        """Find what happened to a field since its column was made."""
        before = recorded.column.field
        is_anothers = bool(before and column.field) and before != storable(column.field)
        widens = can_widen(present_type, column.type)
        keeps_aside = present_type != column.type and not widens
        if is_anothers and not recorded.is_emptied and (not keeps_aside or before in self.hidden):
            yield Change(ChangeKind.EMPTIED, recorded.column)
        if present_type != column.type:
            kind = ChangeKind.WIDENED if widens else ChangeKind.REPLACED
            yield Change(kind, column, present_type, kept_as(column, present_type))
        elif is_anothers or not recorded.is_active:
            yield Change(ChangeKind.RETURNED, column)

    def _keys(self, own: Sequence[Change]) -> Iterator[Change]:
        if not self.there.has_key:
            yield Change(ChangeKind.KEYED)
        created = {item.column.name for item in own if item.column and item.kind is not ChangeKind.ADOPTED}
        is_awaited = self.there.is_loading and not self._is_unknown  # the end of its first load makes the index
        if not (self.there.has_index or is_awaited) or names.WRITE_DATE in created:
            yield Change(ChangeKind.INDEXED)

    def _moved(self, aside: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Find the mirror's own columns that were renamed, or will be: the control tables follow them."""
        for name, item in self.recorded.items():
            now = None if self._is_unknown else self.there.name_of(item.number)
            if now is not None and now in aside:
                yield name, aside[now]
            elif now is not None and now != name and now not in self._wanted:
                yield name, now

    def _endings(self, recorded: _Recorded, moved: Mapping[str, str]) -> Iterator[Change]:
        """Find what happens to a column that is no longer written."""
        column = replace(recorded.column, name=moved.get(recorded.column.name, recorded.column.name))
        is_there = column.name in self.there.columns
        is_own = self._is_unknown or recorded.column.name in moved or self._is_own(recorded)
        is_to_empty = self._is_unknown or not recorded.is_emptied
        if is_there and is_own and column.field in self.hidden and is_to_empty:
            yield Change(ChangeKind.EMPTIED, column)
        elif recorded.is_active:
            yield Change(ChangeKind.VANISHED, column)

    def _namer(self) -> Callable[[Column, str], str]:
        """Return a function that gives a kept column a name that no other column has, or will have."""
        taken = {*self.there.columns, *self._wanted, *self.recorded, *names.OWN_COLUMNS}

        def kept_as(column: Column, old_type: str) -> str:
            name = (
                names.kept_column_name(column.name, old_type, taken)
                if old_type
                else names.name_set_aside(column.name, taken)
            )
            taken.add(name)
            return name

        return kept_as


def _recorded_columns(tx: Transaction, table: str) -> dict[str, _Recorded]:
    rows = tx.run(
        "SELECT column_name, column_type, field_name, odoo_type, vanished_at IS NULL, emptied_at IS NOT NULL,"
        " column_number FROM {field} WHERE table_name = {table} ORDER BY column_name",
        field=tx.own(FIELD),
        table=table,
    )
    return {
        str(name): _Recorded(Column(str(name), ColumnType(kind), str(origin), str(odoo)), is_active, is_emptied, number)
        for name, kind, origin, odoo, is_active, is_emptied, number in rows
    }
