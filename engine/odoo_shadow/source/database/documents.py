"""JSON as Odoo's API sends it: with numbers that Python has read as doubles and written again.

Odoo itself writes only such numbers. SQL may have written others: 100.00, which Python writes as 100.0, or 100/3 with
more digits than a double has. In text for COPY, no Python reads them.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

_AS_JSON: LiteralString = "nullif(nullif(to_jsonb({}), 'false'::jsonb), 'null'::jsonb)"
"""JSON's own false means empty as well."""

_MANY_DIGITS: LiteralString = r"\d\.\d{14}|\d{14}\.\d"
_ZEROS_AT_END: LiteralString = r"\.\d+0(?!\d)"

_ZEROS_OUTSIDE_TEXTS: LiteralString = r"""("(?:[^"\\]|\\.)*")|(\d+\.(?:\d*[1-9]|0))0+(?!\d)"""
"""A whole text, or a number up to the zeros at its end."""

_DOUBLE: LiteralString = (
    "(SELECT CASE WHEN f.text ~ '[.e]' THEN f.text ELSE f.text || '.0' END"
    " FROM (SELECT e.value::text::float8::text) f (text))::jsonb"
)
_ROUNDED: LiteralString = (
    "CASE WHEN jsonb_typeof({value}) = 'object' AND {value}::text ~ {many_digits} THEN"
    " (SELECT jsonb_object_agg(e.key, CASE WHEN jsonb_typeof(e.value) = 'number' AND e.value::text LIKE '%.%'"
    " THEN {double} ELSE e.value END) FROM jsonb_each({value}) e)"
    " ELSE {value} END"
)
_TYPED: LiteralString = (
    "CASE WHEN {value}::text ~ {unusual}"
    " THEN regexp_replace(({rounded})::text, {zeros}, {kept}, 'g')::jsonb"
    " ELSE {value} END"
)


def as_json(value: sql.Composable) -> sql.Composed:
    """Return a document for whoever reads its numbers as doubles."""
    return sql.SQL(_AS_JSON).format(value)


def as_doubles(value: sql.Composable) -> sql.Composed:
    """Return a document with the numbers that a double has; below an object's own, digits beyond that are left."""
    document = as_json(value)
    rounded = sql.SQL(_ROUNDED).format(value=document, many_digits=_MANY_DIGITS, double=sql.SQL(_DOUBLE))
    return sql.SQL(_TYPED).format(
        value=document,
        unusual=f"{_ZEROS_AT_END}|{_MANY_DIGITS}",
        rounded=rounded,
        zeros=_ZEROS_OUTSIDE_TEXTS,
        kept=r"\1\2",
    )


def from_text(value: sql.Composable) -> sql.Composed:
    """Return a document that is kept as text, as sparse fields are; nothing means none of them."""
    return sql.SQL("coalesce(nullif({}, ''), '{{}}')::jsonb").format(value)
