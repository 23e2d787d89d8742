"""A model index file: an Odoo's models and fields as JSON, from which `odoo-shadow ddl` works without a server.

The index has no `digits`, so every Float becomes `double precision`. If the server shows `digits` later, the sync
widens that column to `numeric`.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic import Field as Key

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.shape.field_types import type_of_class
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.shadow import names
from odoo_shadow.shadow.ddl_files import ModelTable
from odoo_shadow.source.fields import Field
from odoo_shadow.source.reading import Labels

# Odoo adds these to every model that has a table.
_GIVEN_BY_ODOO = frozenset({"create_uid", "create_date", "write_uid"})


_ANY_COMPANY = Labels("1")
"""Names that differ between companies have a column for all, whichever these are."""


def _storable(name: str) -> str:
    if "\x00" in name:
        raise ValueError("PostgreSQL cannot store a NUL character")
    return name


_Name: TypeAlias = Annotated[str, Key(min_length=1), AfterValidator(_storable)]


class _FieldEntry(BaseModel):
    """A field as in the file; keys that no column depends on are not checked."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: _Name
    type: _Name
    store: bool
    relation: str | None = None
    related: str | None = None


class _ModelEntry(BaseModel):
    """A model as in the file, or a part of one."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: _Name
    table: _Name | None
    fields: list[_FieldEntry]


@dataclass(frozen=True)
class IndexedModel(ModelTable):
    """A model of the index and its columns.

    :param odoo_table: the table in Odoo, after which the shadow table is named; None for an abstract model.
    """

    odoo_table: str | None

    @property
    def without_table(self) -> str | None:
        """Why the model gets no table; None when it gets one."""
        if self.odoo_table is None:
            return "it is abstract"
        if all(column.field in _GIVEN_BY_ODOO for column in self.columns):
            return "it has no stored column of its own"
        return None

    @property
    def plain_table(self) -> str:
        """The shadow table's name, if no other model has it: the same as a sync's, if Odoo's own names agree."""
        table = self.odoo_table or self.model
        return names.table_name(self.model if table == self.model.replace(".", "_") else table)


def read_model_index(path: Path) -> dict[str, IndexedModel]:
    """Read a model index file; return its models by name, including abstract ones.

    :raises MirrorConfigurationError: the message names the file, and the model and field that are wrong.
    """
    entries: dict[str, list[_ModelEntry]] = {}
    for number, raw in enumerate(_raw_models(path), start=1):
        entry = _model_entry(path, number, raw)
        entries.setdefault(entry.name, []).append(entry)
    return {model: _united(path, model, entries[model]) for model in sorted(entries)}


class _TwiceError(Exception):
    """An object has two entries with the same name."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object from its entries; of two with the same name, JSON would silently take the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1)
        model = f" of {found['name']!r}" if isinstance(found.get("name"), str) else ""
        raise _TwiceError(f"{twice!r}{model} is given twice: keep one")
    return found


def _raw_models(path: Path) -> list[object]:
    try:
        document = json.loads(path.read_bytes(), object_pairs_hook=_once)
    except OSError as error:
        raise MirrorConfigurationError(f"{path}: the model index cannot be read ({error.strerror}).") from None
    except _TwiceError as error:
        raise MirrorConfigurationError(f"{path}: {error}.") from None
    except (ValueError, RecursionError) as error:
        raise MirrorConfigurationError(f"{path}: this is not JSON: {error}.") from None
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list):
        raise MirrorConfigurationError(f"{path}: there must be an object with one list, models.")
    return models


def _model_entry(path: Path, number: int, raw: object) -> _ModelEntry:
    try:
        return _ModelEntry.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        location = list(first["loc"])
        where = [_called("model", number, raw)]
        if isinstance(raw, dict) and location[0] == "fields" and len(location) > 1:
            place = int(location[1])
            where.append(_called("field", place + 1, raw["fields"][place]))
            location = location[2:]
        where += [str(key) for key in location[:1]]
        complaint = _complaint(first["type"], first["msg"], first["input"])
        raise MirrorConfigurationError(f"{path}: {', '.join(where)} {complaint}.") from None


def _called(what: str, number: int, raw: object) -> str:
    name = raw.get("name") if isinstance(raw, dict) else None
    return f"{what} {name!r}" if name and isinstance(name, str) else f"{what} number {number}"


def _complaint(kind: str, message: str, given: object) -> str:
    if kind == "missing":
        return "is missing"
    wanted = "Input should be an object" if kind == "model_type" else message.removeprefix("Value error, ")
    return f"is {reprlib.repr(given)}: {wanted}"


def _united(path: Path, model: str, entries: Iterable[_ModelEntry]) -> IndexedModel:
    """Merge all entries of a model, in any order."""
    tables: set[str] = set()
    fields: dict[str, list[_FieldEntry]] = {}
    for entry in entries:
        tables |= {entry.table} if entry.table is not None else set()
        for field in entry.fields:
            fields.setdefault(field.name, []).append(field)
    if len(tables) > 1:
        raise MirrorConfigurationError(f"{path}: model {model!r} has several tables: {_listed(tables)}.")
    listed = [_field(path, model, fields[name]) for name in sorted(fields)]
    layout = Layout.of(model, listed, companies=_ANY_COMPANY)
    columns = tuple(item.column for item in layout.columns)
    return IndexedModel(model, columns, tables.pop() if tables else None, name_path=layout.name_path)


def _field(path: Path, model: str, entries: list[_FieldEntry]) -> Field:
    name, types = entries[0].name, {entry.type for entry in entries}
    if len(types) > 1:
        raise MirrorConfigurationError(f"{path}: model {model!r}, field {name!r} has several types: {_listed(types)}.")
    relations = {entry.relation for entry in entries if entry.relation}
    return Field(
        name,
        type_of_class(types.pop()),
        store=any(entry.store for entry in entries),
        relation=min(relations, default=None),
        related=min((entry.related for entry in entries if entry.related), default=None),
    )


def _listed(items: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(items)))
