"""One comparison of a column with a value, by type and flavour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from odoo_stand_in.declared.schema import NUMBERS, TEXTS, Field

TRUE, FALSE = sql.SQL("TRUE"), sql.SQL("FALSE")
_LIKE = {
    "like": ("LIKE", True),
    "ilike": ("ILIKE", True),
    "not like": ("NOT LIKE", True),
    "not ilike": ("NOT ILIKE", True),
    "=like": ("LIKE", False),
    "=ilike": ("ILIKE", False),
    "not =like": ("NOT LIKE", False),
    "not =ilike": ("NOT ILIKE", False),
}


_INVERSE = {"=": "!=", "in": "not in", "like": "not like", "ilike": "not ilike", "any": "not any"}
_INVERSE |= {">": "<=", "<": ">="}
_INVERSE |= {value: key for key, value in _INVERSE.items()}
_NEWER_INVERSE = _INVERSE | {"=like": "not =like", "=ilike": "not =ilike", "not =like": "=like", "not =ilike": "=ilike"}


def inverse(newer: bool, operator: str) -> str | None:
    """Return the opposite operator, if there is one."""
    return (_NEWER_INVERSE if newer else _INVERSE).get(operator)


def has_falsy_value(field: Field) -> bool:
    """Whether an empty field counts as a value (0, "", false) from 19 on."""
    return field.type in NUMBERS or field.type in TEXTS or field.type in ("boolean", "many2one_reference")


def compare(newer: bool, field: Field, column: sql.Composable, operator: str, value: Any) -> sql.Composable:
    """`column operator value` as the flavour (`newer`: 19) means it."""
    if operator in _LIKE:
        if newer and not value and "=" in operator:
            return _newer(field, column, "!=" if operator.startswith("not") else "=", False)
        return _like(newer, column, operator, value)
    if newer:
        return _newer(field, column, operator, value)
    return _older(field, column, operator, value)


def _like(newer: bool, column: sql.Composable, operator: str, value: Any) -> sql.Composable:
    word, wild = _LIKE[operator]
    negative = operator.startswith("not")
    if newer and not value:
        return FALSE if negative else TRUE
    pattern = f"%{_text(value)}%" if wild else value
    condition = sql.SQL("({}::text {} {})").format(column, sql.SQL(word), sql.Literal(pattern))
    if negative or (wild and not value):
        return sql.SQL("({} OR {} IS NULL)").format(condition, column)
    return condition


def _text(value: Any) -> str:
    return "" if value in (None, False) else str(value)


def _older(field: Field, column: sql.Composable, operator: str, value: Any) -> sql.Composable:
    """Up to 18: the value goes to SQL as it is."""
    if operator in ("in", "not in"):
        return _older_in(field, column, operator, value)
    if field.type == "boolean" and operator in ("=", "!="):
        if isinstance(value, bool):
            return _truth(column, value is (operator == "="))
        value = None if value is None else bool(value)
    if value is False or value is None:
        if operator in ("=", "!="):
            return sql.SQL("{} IS {}NULL").format(column, sql.SQL("NOT " if operator == "!=" else ""))
        value = 0 if value is False and field.type in NUMBERS else None
    if field.type == "datetime" and isinstance(value, str) and len(value) == len("2000-01-01"):
        value += " 23:59:59" if operator in (">", "<=") else " 00:00:00"
    if field.name == "id" and value is not None:
        value = str(value)
    condition = sql.SQL("({} {} {})").format(
        column, sql.SQL(operator), sql.Literal(value) if field.name == "id" else _literal(field, value)
    )
    if operator == "!=" and value:
        return sql.SQL("({} OR {} IS NULL)").format(condition, column)
    return condition


def _older_in(field: Field, column: sql.Composable, operator: str, value: Any) -> sql.Composable:
    positive = operator == "in"
    if isinstance(value, bool):
        # An abuse that Odoo still understands.
        return sql.SQL("({} IS {}NULL)").format(column, sql.SQL("NOT " if value is positive else ""))
    if not isinstance(value, list | tuple):
        raise ValueError(f"Invalid domain term {(field.name, operator, value)!r}")
    if field.type == "boolean":
        listed = [one for one in (True, False) if one in value]
        null_too = False in value
    else:
        listed = [one for one in value if one is not False and one is not None]
        null_too = len(listed) < len(value)
    if listed:
        items = sql.SQL(", ").join(_literal(field, one) for one in listed)
        condition: sql.Composable = sql.SQL("({} {} ({}))").format(
            column, sql.SQL("IN" if positive else "NOT IN"), items
        )
    else:
        condition = FALSE if positive else TRUE
    if positive is null_too:
        return sql.SQL("({} OR {} IS NULL)").format(condition, column)
    if not positive and null_too:
        return sql.SQL("({} AND {} IS NOT NULL)").format(condition, column)
    return condition


def _newer(field: Field, column: sql.Composable, operator: str, value: Any) -> sql.Composable:
    """From 18.4 on: equality is membership, empty numbers and texts have a value, seconds are whole."""
    if operator in ("=", "!="):
        operator = "in" if operator == "=" else "not in"
        value = value if isinstance(value, list | tuple) else [value]
    if operator in ("in", "not in"):
        listed = list(value) if isinstance(value, list | tuple | set) else [value]
        condition = _newer_in(field, column, listed)
        return condition if operator == "in" else sql.SQL("({}) IS NOT TRUE").format(condition)
    if value is None:
        value = False
    if field.type in ("date", "datetime"):
        if value is False:
            return FALSE
        if field.type == "datetime":
            return _newer_moment(column, operator, value)
        return sql.SQL("({} {} {})").format(column, sql.SQL(operator), sql.Literal(str(_moment(value)[0].date())))
    if field.type in NUMBERS and field.name != "id":
        column = sql.SQL("COALESCE({}, 0)").format(column)
        value = 0 if value is False else value
    if field.type in TEXTS:
        column = sql.SQL("COALESCE({}, '')").format(column)
        value = "" if value is False else value
    return sql.SQL("({} {} {})").format(column, sql.SQL(operator), _literal(field, value))


def _newer_in(field: Field, column: sql.Composable, listed: list[Any]) -> sql.Composable:
    if field.type == "boolean":
        wanted = {one.lower() in ("true", "1", "yes") if isinstance(one, str) else bool(one) for one in listed}
        return sql.SQL("({})").format(sql.SQL(" OR ").join([_truth(column, one) for one in sorted(wanted)] or [FALSE]))
    values = [one for one in listed if one is not False and one is not None]
    empty_too = len(values) < len(listed)
    is_number = (field.type in NUMBERS and field.name != "id") or field.type == "many2one_reference"
    if is_number and (empty_too or 0 in values):
        values, empty_too = [*values, 0], True
    if field.type in TEXTS and (empty_too or "" in values):
        values, empty_too = [*values, ""], True
    if field.type == "datetime":
        options = [
            sql.SQL("({0} >= {1} AND {0} < {2})").format(
                column, sql.Literal(str(moment)), sql.Literal(str(moment + timedelta(seconds=1)))
            )
            for moment in (_moment(one)[0] for one in values)
        ]
    else:
        options = [sql.SQL("{} = {}").format(column, _literal(field, one)) for one in dict.fromkeys(values)]
        if len(options) > 1 and field.type not in ("json", "properties"):
            items = sql.SQL(", ").join(_literal(field, one) for one in values)
            options = [sql.SQL("{} IN ({})").format(column, items)]
    if empty_too:
        options.append(sql.SQL("{} IS NULL").format(column))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(options)) if options else FALSE


def _newer_moment(column: sql.Composable, operator: str, value: Any) -> sql.Composable:
    moment, is_date = _moment(value)
    if operator in (">", "<="):
        moment += timedelta(days=1) if is_date else timedelta(seconds=1)
        operator = ">=" if operator == ">" else "<"
    return sql.SQL("({} {} {})").format(column, sql.SQL(operator), sql.Literal(str(moment)))


def _moment(value: Any) -> tuple[datetime, bool]:
    """Return the value cut to the second, naive UTC as Odoo keeps it, and whether it was a date alone."""
    if not isinstance(value, str):
        raise ValueError(f"Failed to cast {value!r} into a datetime")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"Invalid term {value!r} in expression date: {value!r}") from None
    if moment.tzinfo is not None:
        raise ValueError(f"Invalid term {value!r} in expression date: {value!r}")
    return moment.replace(microsecond=0), len(value) == len("2000-01-01")


def _truth(column: sql.Composable, wanted: bool) -> sql.Composable:
    return sql.SQL("({} = TRUE)" if wanted else "({0} IS NULL OR {0} = FALSE)").format(column)


def _literal(field: Field, value: Any) -> sql.Composable:
    if isinstance(value, dict | list):
        return sql.Literal(Jsonb(value))
    if field.type in TEXTS or field.type in ("selection", "reference"):
        return sql.Literal(None if value is None else str(value))
    if field.type == "datetime" and value is not None:
        value = str(value)
    if isinstance(value, bool) and field.type != "boolean":
        value = int(value)
    return sql.Literal(value)
