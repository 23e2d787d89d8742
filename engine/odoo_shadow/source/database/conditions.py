"""Turns conditions on records, and simple search domains, into SQL with Odoo's meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import LiteralString

from psycopg import sql

from odoo_shadow.source.database.catalogue import StoredField, StoredModel
from odoo_shadow.source.database.links import ROW
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.reading import BEFORE_ALL, Where
from odoo_shadow.source.types import Argument, Domain

_OF_DATES: dict[str, LiteralString] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
_OF_TIMES: dict[str, LiteralString] = {"<": "<", ">=": ">="}
"""Odoo 19 cuts the times that it compares to the second; these two mean the same before and since."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", re.ASCII)
_PLAIN = ("char", "text", "selection", "date", "datetime", "integer", "float", "monetary", "many2one", "boolean")
_NUMBERS = ("integer", "float", "monetary")


def where_clause(where: Where) -> sql.Composed:
    """Return the SQL of conditions that are given apart from a domain."""
    parts: list[sql.Composable] = [sql.SQL("{}.id IS NOT NULL").format(ROW)]
    if where.written_since is not None:
        parts.append(sql.SQL("{}.write_date >= {}").format(ROW, _naive(where.written_since)))
    if where.ids is not None:
        parts.append(sql.SQL("{}.id = ANY({}::bigint[])").format(ROW, list(where.ids)))
    if where.after_id > BEFORE_ALL:
        parts.append(sql.SQL("{}.id > {}").format(ROW, where.after_id))
    if where.up_to_id is not None:
        parts.append(sql.SQL("{}.id <= {}").format(ROW, where.up_to_id))
    return sql.SQL(" AND ").join(parts)


def _naive(moment: datetime) -> sql.Composed:
    """Return a moment as Odoo's columns have it: in UTC, without a zone."""
    return sql.SQL("{}::timestamp").format(moment.astimezone(UTC).replace(tzinfo=None).isoformat(" "))


def domain_clause(model: StoredModel, domain: Domain) -> sql.Composable:
    """Return the SQL of a search domain.

    Comparisons of the model's own columns are known here. What Odoo looks up elsewhere, or means differently from
    version to version, is refused rather than guessed.

    :raises OdooConfigurationError: the domain has a condition of another kind.
    """
    terms = list(domain)
    clauses: list[sql.Composable] = []
    while terms:
        clauses.append(_take(model, terms))
    return sql.SQL(" AND ").join(clauses) if clauses else sql.SQL("true")


def _take(model: StoredModel, terms: list[Argument]) -> sql.Composable:
    """Take one complete term, in Odoo's prefix notation, off the front."""
    if not terms:
        raise _refused(model, "an operator without its terms")
    term = terms.pop(0)
    if isinstance(term, str) and term in ("&", "|"):
        joint = sql.SQL(" AND ") if term == "&" else sql.SQL(" OR ")
        return sql.SQL("({})").format(joint.join([_take(model, terms), _take(model, terms)]))
    if isinstance(term, Sequence) and not isinstance(term, str) and len(term) == 3:
        name, operator, value = term
        if isinstance(name, str) and isinstance(operator, str):
            return sql.SQL("({})").format(_compared(model, name, operator, value))
    raise _refused(model, "a term that is no condition")


def _compared(model: StoredModel, name: str, operator: str, value: Argument) -> sql.Composable:
    field = model.fields.get(name)
    about = f"a condition on '{name}' with '{operator}'"
    if name == "id":
        column: sql.Composable = sql.SQL("{}.id").format(ROW)
    elif field is None or not _is_plain(model, field):
        raise _refused(model, about)
    else:
        column = sql.SQL("{}.{}").format(ROW, sql.Identifier(name))
    kind = "many2one" if name == "id" or field is None else field.type
    if kind == "boolean":
        return _flag(model, column, operator, value, about)
    if operator in ("in", "not in") and isinstance(value, Sequence) and not isinstance(value, str):
        return _among(model, column, kind, operator, list(value), about)
    if operator in ("=", "!=", "<>"):
        listed = [value]
        return _among(model, column, kind, "in" if operator == "=" else "not in", listed, about)
    ordered = {"date": _OF_DATES, "datetime": _OF_TIMES, "many2one": _OF_DATES}.get(kind, {})
    if operator in ordered and _fits(kind, value):
        return sql.SQL("{} " + ordered[operator] + " {}").format(column, value)
    raise _refused(model, about)


def _is_plain(model: StoredModel, field: StoredField) -> bool:
    return field.type in _PLAIN and model.column_of(field.name) not in (None, "jsonb") and not field.translate


def _flag(model: StoredModel, column: sql.Composable, operator: str, value: Argument, about: str) -> sql.Composable:
    if operator not in ("=", "!=", "<>") or not isinstance(value, bool):
        raise _refused(model, about)
    is_wanted = value if operator == "=" else not value
    return sql.SQL("coalesce({}, false) = {}").format(column, is_wanted)


def _among(
    model: StoredModel, column: sql.Composable, kind: str, operator: str, values: list[Argument], about: str
) -> sql.Composable:
    filled = [value for value in values if not _is_empty(value)]
    takes_empty = len(filled) < len(values)
    # Odoo 19 takes 0 and '' for empty, and a time for its whole second; those before do not.
    if (
        not all(_fits(kind, value) and value not in (0, "") for value in filled)
        or (filled and kind == "datetime")
        or (takes_empty and kind in (*_NUMBERS, "char", "text"))
    ):
        raise _refused(model, about)
    one: sql.Composable = sql.SQL("false")
    if filled:
        one = sql.SQL("{} IN ({})").format(column, sql.SQL(", ").join(map(sql.Literal, filled)))
    is_among = sql.SQL("({} OR {} IS NULL)").format(one, column) if takes_empty else sql.SQL("({})").format(one)
    return is_among if operator == "in" else sql.SQL("NOT coalesce({}, false)").format(is_among)


def _is_empty(value: Argument) -> bool:
    return value is None or value is False


def _fits(kind: str, value: Argument) -> bool:
    if kind in _NUMBERS or kind == "many2one":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("date", "datetime"):  # Odoo 19 also knows words such as today
        return isinstance(value, str) and _MOMENT.fullmatch(value) is not None and _exists(value)
    return isinstance(value, str)


def _exists(moment: str) -> bool:
    """Say whether the calendar has it."""
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return False
    return True


def _refused(model: StoredModel, what: str) -> OdooConfigurationError:
    return OdooConfigurationError(
        f"{model.name}: its domain has {what}, which cannot be asked of Odoo's tables with the meaning that Odoo gives "
        "it: only comparisons of the model's own stored fields can; change the domain, or mirror this model by API."
    )
