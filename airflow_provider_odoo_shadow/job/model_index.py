"""A model index file: an Odoo's models and fields as JSON, from which `odoo-shadow ddl` works without a server.

The index knows no `digits`, so that every Float becomes `double precision`. Should the server tell `digits` later, the
sync replaces that column by a `numeric` one.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Annotated, TypeAlias

from psycopg import sql
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic import Field as Key

from airflow_provider_odoo_shadow.job.columns import Layout
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.source.fields import Field
from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.migrations import ModelTable, _file, _registration
from airflow_provider_odoo_shadow.target.public_views import view_statements
from airflow_provider_odoo_shadow.target.tables import Column, create_statements

# Odoo's field classes and what `fields_get` calls them (17.0 and 19.0).
_TYPES = {
    "Binary": "binary",
    "Boolean": "boolean",
    "Char": "char",
    "Date": "date",
    "Datetime": "datetime",
    "Float": "float",
    "Html": "html",
    "Image": "binary",
    "Integer": "integer",
    "Json": "json",
    "Many2many": "many2many",
    "Many2one": "many2one",
    "Many2oneReference": "many2one_reference",
    "Monetary": "monetary",
    "One2many": "one2many",
    "Properties": "properties",
    "PropertiesDefinition": "properties_definition",
    "Reference": "reference",
    "Selection": "selection",
    "Serialized": "serialized",
    "Text": "text",
}
_UNKNOWN = "unknown"
# Odoo gives these to every model that has a table; no model brings them.
_GIVEN_BY_ODOO = frozenset({"create_uid", "create_date", "write_uid"})


def _storable(name: str) -> str:
    if "\x00" in name:
        raise ValueError("PostgreSQL cannot store a NUL character")
    return name


_Name: TypeAlias = Annotated[str, Key(min_length=1), AfterValidator(_storable)]


class _FieldEntry(BaseModel):
    """A field as the file tells it; keys that no column depends on are not looked at."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: _Name
    type: _Name
    store: bool
    relation: str | None = None


class _ModelEntry(BaseModel):
    """A model as the file tells it, or a part of one."""

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
            return "it brings no stored column of its own"
        return None

    @property
    def plain_table(self) -> str:
        """The shadow table's name, if no other model has it: the one that a sync takes, wherever Odoo's names agree."""
        table = self.odoo_table or self.model
        return names.table_name(self.model if table == self.model.replace(".", "_") else table)


def read_model_index(path: Path) -> dict[str, IndexedModel]:
    """Read a model index file; return its models by name, the abstract ones, too.

    :raises MirrorConfigurationError: names the file, and the model and field where something is wrong.
    """
    entries: dict[str, list[_ModelEntry]] = {}
    for number, raw in enumerate(_raw_models(path), start=1):
        entry = _model_entry(path, number, raw)
        entries.setdefault(entry.name, []).append(entry)
    return {model: _united(path, model, entries[model]) for model in sorted(entries)}


def index_migration(schema: str, models: Iterable[IndexedModel]) -> str:
    """Return the text of the file that makes the models' tables, by model name. May run twice."""
    statements: list[sql.Composed] = []
    views: list[sql.Composed] = []
    taken: set[str] = set()
    for item in sorted(models, key=lambda item: item.model):
        if item.without_table:
            continue
        table = _free_table(item, taken)
        taken.add(table)
        statements += [*create_statements(schema, table, item.columns), _registration(schema, table, item)]
        views += view_statements(schema, table)
    return _file(f"The mirrored tables of the Odoo shadow in schema {schema}.", statements, views)


def _free_table(item: IndexedModel, taken: Collection[str]) -> str:
    numbered = (names.distinct_table_name(f"{item.model} {number}") for number in count(2))
    candidates = chain([item.plain_table, names.distinct_table_name(item.model)], numbered)
    return next(table for table in candidates if table not in taken)


def _raw_models(path: Path) -> list[object]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise MirrorConfigurationError(f"{path}: the model index cannot be read ({error.strerror}).") from None
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
    """Make one model of all entries that tell of it, in whatever order they stand."""
    tables: set[str] = set()
    fields: dict[str, list[_FieldEntry]] = {}
    for entry in entries:
        tables |= {entry.table} if entry.table is not None else set()
        for field in entry.fields:
            fields.setdefault(field.name, []).append(field)
    if len(tables) > 1:
        raise MirrorConfigurationError(f"{path}: model {model!r} has several tables: {_listed(tables)}.")
    layout = Layout.of(model, [_field(path, model, fields[name]) for name in sorted(fields)])
    columns = {item.field: item.column for item in layout.columns}
    _check_distinct(path, model, columns)
    return IndexedModel(model, tuple(columns.values()), tables.pop() if tables else None)


def _field(path: Path, model: str, entries: list[_FieldEntry]) -> Field:
    name, types = entries[0].name, {entry.type for entry in entries}
    if len(types) > 1:
        raise MirrorConfigurationError(f"{path}: model {model!r}, field {name!r} has several types: {_listed(types)}.")
    relations = {entry.relation for entry in entries if entry.relation}
    return Field(
        name,
        _TYPES.get(types.pop(), _UNKNOWN),
        store=any(entry.store for entry in entries),
        relation=min(relations, default=None),
    )


def _check_distinct(path: Path, model: str, columns: Mapping[str, Column]) -> None:
    fields: dict[str, str] = {}
    for field, column in columns.items():
        if (other := fields.setdefault(column.name, field)) != field:
            raise MirrorConfigurationError(
                f"{path}: model {model!r}, fields {other!r} and {field!r} would share column {column.name!r}."
            )


def _listed(items: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(items)))
