"""Writes documents: a title and a text, as a person would, from what the query gives of a record."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from odoo_shadow.knowledge.documents.plan import Kind, Plan, Rows, Value
from odoo_shadow.knowledge.documents.query import LONGEST_VALUE
from odoo_shadow.text.html import text_of_html

RENDERING = "2"
"""The version of what is written here: another one makes all documents anew."""

LONGEST_TITLE = 300
LONGEST_LINE = 500
LONGEST_BODY = 40_000
"""Characters; what is longer is cut, and marked so, as a value is."""

ARCHIVED = "archived"

_NO_NAME = ("", "/")
"""What Odoo writes for the number of a draft."""

_CUT = " …"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\ufeff]")
_SHOWN = Sequence[str | None]


@dataclass(frozen=True)
class Document:
    """What is stored of a record.

    :param names: its names and codes.
    :param dated_at: as PostgreSQL reads it.
    :param content_hash: of title and text: what a search by meaning depends on.
    """

    odoo_id: int
    title: str
    body: str
    names: str
    state: str | None
    dated_at: str | None
    content_hash: str


@dataclass(frozen=True)
class Lines:
    """The rows of one kind that belong to a record.

    :param first: the values of the first ones.
    :param number: how many there are.
    """

    first: Sequence[_SHOWN]
    number: int


def write_document(plan: Plan, odoo_id: int, values: _SHOWN, lines: Sequence[Lines]) -> Document:
    """Write the document of a record.

    :param values: of the plan's records, in its order.
    :param lines: of each kind that the plan has.
    """
    shown = [_written(item, text) for item, text in zip(plan.records.values, values, strict=True)]
    is_archived = plan.active is not None and values[plan.active] == "false"
    title = _title(plan, odoo_id, shown, is_archived=is_archived)
    own = _labelled(plan.records.values, shown, plan.body)
    belonging = (_list(rows, found) for rows, found in zip(plan.lines, lines, strict=True) if found.first)
    body = cut("\n".join([*own, *belonging]), LONGEST_BODY)
    names = " ".join(dict.fromkeys(filter(None, (shown[place] for place in plan.names))))
    state = ARCHIVED if is_archived else shown[plan.state] if plan.state is not None else None
    digest = hashlib.sha256(f"{title}\n{body}".encode()).hexdigest()
    dated_at = values[plan.date] if plan.date is not None else None
    return Document(odoo_id, title, body, cut(names, LONGEST_LINE), state or None, dated_at, digest)


def cut(text: str, longest: int) -> str:
    """Return a text, cut if it is longer, and marked so."""
    return text if len(text) <= longest else text[: longest - len(_CUT)].rstrip() + _CUT


def _title(plan: Plan, odoo_id: int, shown: Sequence[str], *, is_archived: bool) -> str:
    parts = [shown[place] for place in plan.title if shown[place] not in _NO_NAME]
    kind = plan.records.label if plan.named else parts.pop(0) if len(parts) > 1 else ""
    name, *others = parts or [f"#{odoo_id}"]
    title = ", ".join([f"{kind} {name}".strip(), *others])
    # The mark must not be cut off.
    return cut(_one_line(title), LONGEST_TITLE) + (f" ({ARCHIVED})" if is_archived else "")


def _labelled(values: Sequence[Value], shown: Sequence[str], places: Iterable[int]) -> Iterable[str]:
    for place in places:
        text = shown[place]
        if values[place].kind is Kind.FLAG and text:
            yield values[place].label
        elif text and not (values[place].kind is Kind.NUMBER and not text.strip("0.-")):
            yield f"{values[place].label}:{chr(10) if chr(10) in text else ' '}{text}"


def _list(rows: Rows, lines: Lines) -> str:
    written = list(filter(None, (_line(rows, item) for item in lines.first)))
    more = lines.number - len(lines.first)
    return "\n".join([f"{rows.label}:", *written, *([f"- … {more} more"] if more > 0 else [])])


def _line(rows: Rows, values: _SHOWN) -> str:
    parts: list[str] = []
    for item, given in zip(rows.values, values, strict=True):
        text = _one_line(_written(item, given))
        is_nothing = not text or (item.kind is Kind.NUMBER and not text.strip("0.-"))
        repeats = item.kind is Kind.TEXT and any(text in part for part in parts)  # a product and its description
        if is_nothing or repeats:
            continue
        parts.append(item.label if item.kind is Kind.FLAG else text if not parts else f"{item.label} {text}")
    return cut("- " + "; ".join(parts), LONGEST_LINE) if parts else ""


def _written(value: Value, text: str | None) -> str:
    if text is None:
        return ""
    if value.choices:
        text = value.choices.get(text, text)
    if value.kind is Kind.FLAG:
        return value.label if text == "true" else ""
    if value.kind is Kind.HTML:
        text = text_of_html(text)
    elif value.kind is Kind.AMOUNT:
        return _amount(text)
    elif value.kind is Kind.NUMBER:
        return _number(text)
    elif value.kind is Kind.MOMENT:
        return f"{text[:16]} UTC" if len(text) > 16 and text[4:5] == "-" else text
    return cut(_CONTROL.sub("", text.replace("\r\n", "\n").replace("\t", " ")).strip(), LONGEST_VALUE - 1)


def _amount(text: str) -> str:
    number, _, currency = text.partition(" ")
    return f"{_number(number, places=2)} {_one_line(_CONTROL.sub('', currency))}".strip()


def _number(text: str, *, places: int = 0) -> str:
    """Return a number without needless zeros; floats without what only their binary form adds."""
    try:
        number = round(Decimal(text), 6)
    except (InvalidOperation, ValueError):
        return text
    if not number.is_finite():
        return text
    plain = f"{number:f}"
    whole, _, fraction = plain.partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole


def _one_line(text: str) -> str:
    return " ".join(text.split())
