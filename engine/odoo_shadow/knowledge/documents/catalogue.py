"""What the shadow's tables are called and mean, as far as documents may show it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.shape.secrets import is_secret, why_secret
from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, META, SELECTION, TABLE_STATE
from odoo_shadow.source.fields import Field

_LANGUAGE = re.compile(r"', ([A-Za-z_@]{2,15}), ")
"""In the text that says how a table is read: `'login', en_US, all companies`."""

_SHOWABLE = {
    **dict.fromkeys(("char", "text", "html", "selection"), ColumnType.TEXT),
    **dict.fromkeys(("integer", "many2one"), ColumnType.BIGINT),
    "boolean": ColumnType.BOOLEAN,
    "date": ColumnType.DATE,
    "datetime": ColumnType.TIMESTAMPTZ,
    "many2many": ColumnType.BIGINT_ARRAY,
}
_NUMBERS = ("monetary", "float")


@dataclass(frozen=True)
class ShownColumn:
    """A column that a document may show.

    :param label: of its field.
    :param points_to: the table of the records that it names, if the shadow has it.
    :param choices: labels by value.
    """

    name: str
    field: str
    odoo_type: str
    label: str
    points_to: str | None
    choices: Mapping[str, str]


@dataclass(frozen=True)
class ShownTable:
    """A table whose rows a document may show.

    :param label: of its model.
    :param name_path: where a record's name is (`odoo_shadow_meta.name_path`).
    :param language: that of its texts.
    :param columns: by field; not those with credentials, hashes, or values that are not for people.
    :param left_out: why other fields must not be shown.
    :param marks_deleted: whether it keeps rows that are gone from Odoo, with the time in a column.
    """

    name: str
    model: str
    label: str
    name_path: str | None
    language: str | None
    columns: Mapping[str, ShownColumn]
    left_out: Mapping[str, str]
    marks_deleted: bool


@dataclass(frozen=True)
class Catalogue:
    """All tables of a mirror that exist, by name and by model."""

    tables: Mapping[str, ShownTable]
    by_model: Mapping[str, ShownTable] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Sequence[ShownTable]) -> Catalogue:
        """Index tables."""
        return cls({table.name: table for table in tables}, {table.model: table for table in tables})


def read_catalogue(tx: Transaction) -> Catalogue:
    """Read it from the control tables."""
    choices = _choices(tx)
    columns: dict[str, list[tuple[str, str, str, str, str, str | None]]] = {}
    for table, *column in tx.run(
        "SELECT f.table_name, f.column_name, f.field_name, f.odoo_type, f.column_type, coalesce(f.label, f.field_name),"
        " f.relation_table FROM {field} f"
        " JOIN pg_attribute a ON a.attrelid = to_regclass(format('%I.%I', {schema}, f.table_name))"
        " AND a.attname = f.column_name AND NOT a.attisdropped"
        " AND format_type(a.atttypid, a.atttypmod) = f.column_type WHERE f.vanished_at IS NULL ORDER BY 1, 2",
        field=tx.own(FIELD),
        schema=tx.schema,
    ):
        columns.setdefault(str(table), []).append((column[0], column[1], column[2], column[3], column[4], column[5]))
    rows = tx.run(
        "SELECT m.table_name, m.odoo_model, coalesce(m.label, m.odoo_model), m.name_path, s.settings, s.read_as,"
        " EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped"
        " AND a.attname = {deleted_at}) FROM {meta} m"
        " JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema}, m.table_name)) AND c.relkind IN ('r', 'p')"
        " LEFT JOIN {state} s USING (table_name) ORDER BY 1",
        deleted_at=names.DELETED_AT,
        meta=tx.own(META),
        state=tx.internal(TABLE_STATE),
        schema=tx.schema,
    )
    tables = []
    for name, model, label, name_path, settings, read_as, marks_deleted in rows:
        found, left_out = _showable(model, columns.get(name, []), ModelSettings.from_text(settings), choices, name)
        language = _LANGUAGE.search(read_as or "")
        tables.append(
            ShownTable(
                name, model, label, name_path, language.group(1) if language else None, found, left_out, marks_deleted
            )
        )
    return Catalogue.of(tables)


def _choices(tx: Transaction) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for table, column, value, label in tx.run(
        "SELECT table_name, column_name, value, label FROM {selection} ORDER BY 1, 2, position",
        selection=tx.own(SELECTION),
    ):
        found.setdefault((table, column), {})[value] = label
    return found


def _showable(
    model: str,
    columns: Sequence[tuple[str, str, str, str, str, str | None]],
    settings: ModelSettings,
    choices: Mapping[tuple[str, str], Mapping[str, str]],
    table: str,
) -> tuple[dict[str, ShownColumn], dict[str, str]]:
    """Sort a table's columns into those that documents may show, and why the others are left out."""
    found: dict[str, ShownColumn] = {}
    left_out: dict[str, str] = {}
    fields = {item[1]: Field(item[1], item[2], label=item[4]) for item in columns}
    texts = [name for name, item in fields.items() if item.type in ("char", "text")]
    secret_model = why_secret(model, texts)
    for name, field_name, odoo_type, column_type, label, points_to in columns:
        secret = secret_model or is_secret(model, fields[field_name], fields)
        if secret is not None:
            left_out[field_name] = f"it may hold a credential ({secret})"
        elif settings.hashes(field_name):
            left_out[field_name] = "only its hash is mirrored"
        elif not (_SHOWABLE.get(odoo_type) == column_type or odoo_type in _NUMBERS):
            left_out[field_name] = f"documents do not show fields of type {odoo_type}"
        else:
            found[field_name] = ShownColumn(
                name, field_name, odoo_type, label, points_to, choices.get((table, name), {})
            )
    return found, {name: reason for name, reason in left_out.items() if name not in found}
