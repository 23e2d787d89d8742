"""Odoo's field types: which column each gets, how its values are converted, what else is special about it.

`proof.witness` has its own conversion of the types' values, on purpose: what checks a conversion must not share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from odoo_shadow.mirror.shape import conversions
from odoo_shadow.mirror.shape.conversions import Convert
from odoo_shadow.shadow.columns import ColumnType


@dataclass(frozen=True)
class FieldType:
    """One type of field.

    :param name: what `fields_get` calls it.
    :param column: None for a type that is never mirrored.
    :param classes: Odoo's classes of such fields, as a model index names them.
    :param with_digits: the column of a field that is stored with a fixed precision; None for the same.
    :param unfiltered: how values are converted in fields of `allow_fields`; None for the same. Only types have it whose
        values contain named values, some of which may be credentials.
    :param is_untracked: values of any field of this type may change without `write_date`.
    """

    name: str
    column: ColumnType | None
    convert: Convert = conversions.jsonb
    classes: tuple[str, ...] = ()
    with_digits: ColumnType | None = None
    unfiltered: Convert | None = None
    is_untracked: bool = False

    @property
    def may_be_copied(self) -> bool:
        """Whether a source may give the values as text for COPY: nothing is left out of them on this side."""
        return self.unfiltered is None and self.name in FIELD_TYPES


def _by_name(types: Iterable[FieldType]) -> dict[str, FieldType]:
    return {item.name: item for item in types}


FIELD_TYPES = _by_name(
    (
        FieldType("char", ColumnType.TEXT, conversions.text, ("Char",)),
        FieldType("text", ColumnType.TEXT, conversions.text, ("Text",)),
        FieldType("html", ColumnType.TEXT, conversions.text, ("Html",)),
        FieldType("selection", ColumnType.TEXT, conversions.text, ("Selection",)),
        FieldType("reference", ColumnType.TEXT, conversions.text, ("Reference",)),
        FieldType("integer", ColumnType.BIGINT, conversions.integer, ("Integer",)),
        FieldType("many2one", ColumnType.BIGINT, conversions.many2one, ("Many2one",)),
        FieldType("many2one_reference", ColumnType.BIGINT, conversions.integer, ("Many2oneReference",)),
        FieldType("many2many", ColumnType.BIGINT_ARRAY, conversions.ids, ("Many2many",), is_untracked=True),
        FieldType("one2many", None, classes=("One2many",)),
        FieldType("boolean", ColumnType.BOOLEAN, conversions.boolean, ("Boolean",)),
        FieldType("date", ColumnType.DATE, conversions.day, ("Date",)),
        FieldType("datetime", ColumnType.TIMESTAMPTZ, conversions.timestamp, ("Datetime",)),
        FieldType("monetary", ColumnType.NUMERIC, conversions.number, ("Monetary",)),
        FieldType("float", ColumnType.DOUBLE, conversions.number, ("Float",), with_digits=ColumnType.NUMERIC),
        FieldType("binary", None, classes=("Binary", "Image")),
        FieldType("image", None),
        FieldType("json", ColumnType.JSONB, conversions.jsonb, ("Json",)),
        FieldType(
            "properties",
            ColumnType.JSONB,
            conversions.properties,
            ("Properties",),
            unfiltered=conversions.all_properties,
            is_untracked=True,
        ),
        FieldType(
            "properties_definition",
            ColumnType.JSONB,
            conversions.definitions,
            ("PropertiesDefinition",),
            unfiltered=conversions.jsonb,
        ),
        FieldType(
            "serialized",
            ColumnType.JSONB,
            conversions.serialized,
            ("Serialized",),
            unfiltered=conversions.jsonb,
        ),
    )
)
"""By name: the one place where a type is declared (Odoo 16.0 to 19.0)."""

UNKNOWN_TYPE = "unknown"

_BY_CLASS = {name: item.name for item in FIELD_TYPES.values() for name in item.classes}


def field_type(name: str) -> FieldType:
    """Return a type; an unknown one becomes JSON."""
    return FIELD_TYPES.get(name) or FieldType(name, ColumnType.JSONB)


def type_of_class(name: str) -> str:
    """Return what `fields_get` calls the type of one of Odoo's classes, `UNKNOWN_TYPE` for another class."""
    return _BY_CLASS.get(name, UNKNOWN_TYPE)
