"""The page of questions: what it asks, what it shows, and whether Odoo says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tools.questions_odoo import Answer, Ask, Cell
from tools.trouble import ToolError

_QUESTION = re.compile(
    r"^### (?P<number>\d+)\. (?P<title>[^\n]+)\n(?:(?!^#).)*?"
    r"^```sql\n(?P<sql>.+?)^```\n(?P<answer>.*?)^```json\n(?P<asks>.+?)^```$",
    re.DOTALL | re.MULTILINE,
)
_LIMIT = re.compile(r"\bLIMIT (\d+)\s*$")
_COMPANY = "company_name"


@dataclass(frozen=True)
class Question:
    """A question of the page.

    :param answer: what stands between the SQL and how Odoo is asked: the answer as a table, and words.
    :param asks: how Odoo is asked; of several, each brings its own figures.
    """

    number: int
    title: str
    sql: str
    answer: str
    asks: tuple[Ask, ...]

    @property
    def limit(self) -> int | None:
        """How many rows are wanted at most: those with the highest first figure."""
        found = _LIMIT.search(self.sql)
        return int(found[1]) if found else None

    @property
    def shown(self) -> str:
        """The table that the page shows."""
        return "".join(line for line in self.answer.splitlines(keepends=True) if line.startswith("|"))


@dataclass(frozen=True)
class Table:
    """What the SQL gives: first what it is by, then figures, then what is only shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def is_by_company(self) -> bool:
        """Whether the company is part of what it is by."""
        return _COMPANY in self.columns

    @property
    def figures(self) -> list[int]:
        """The places of the columns that are figures."""
        return [place for place, _ in enumerate(self.columns) if any(_is_number(row[place]) for row in self.rows)]

    def __str__(self) -> str:
        """Return it as the page shows it."""
        ruler = tuple("---:" if place in self.figures else "---" for place, _ in enumerate(self.columns))
        broken = {place for place in self.figures if any(_is_broken(row[place]) for row in self.rows)}
        lines = [self.columns, ruler]
        lines += [tuple(_cell(value, place in broken) for place, value in enumerate(row)) for row in self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def questions(text: str) -> list[Question]:
    """Return the questions of a page.

    :raises ToolError: how Odoo is asked cannot be read.
    """
    found = []
    for match in _QUESTION.finditer(text):
        try:
            asks = json.loads(match["asks"])
            listed = tuple(Ask(**ask) for ask in (asks if isinstance(asks, list) else [asks]))
        except (TypeError, ValueError) as error:
            raise ToolError(f"Question {match['number']} does not say how Odoo is asked: {error}.") from error
        found.append(Question(int(match["number"]), match["title"], match["sql"].strip(), match["answer"], listed))
    return found


def difference(question: Question, table: Table, odoo: Answer) -> str | None:
    """Say in what the marts' answer is not Odoo's; None if it is the same. Groups without figures do not count."""
    keys = len(question.asks[0].groupby) + table.is_by_company
    figures = range(keys, keys + sum(len(ask.sum) for ask in question.asks))
    mine: dict[tuple[Cell, ...], tuple[Decimal, ...]] = {}
    for row in table.rows:  # two records may have one name
        before = mine.get(row[:keys], (Decimal(0),) * len(figures))
        mine[row[:keys]] = tuple(so_far + _rounded(row[place]) for so_far, place in zip(before, figures, strict=True))
    theirs = {key: tuple(map(_rounded, values)) for key, values in odoo.items()}
    mine, theirs = _with_figures(mine), _with_figures(theirs)
    if question.limit is not None:
        highest = sorted((values[0] for values in theirs.values()), reverse=True)[: question.limit]
        if sorted((values[0] for values in mine.values()), reverse=True) != highest:
            return (
                f"the highest are {_listed(highest)} in Odoo, {_listed([values[0] for values in mine.values()])} here"
            )
        theirs = {key: values for key, values in theirs.items() if key in mine}
    wrong = [key for key in {**theirs, **mine} if mine.get(key) != theirs.get(key)]
    if not wrong:
        return None
    first = wrong[0]
    return (
        f"{len(wrong)} rows, such as {', '.join(map(str, first))}:"
        f" {_listed(theirs.get(first, ()))} in Odoo, {_listed(mine.get(first, ()))} here"
    )


def written(text: str, answers: Iterable[tuple[Question, Table]]) -> str:
    """Return the page with these answers."""
    for question, table in answers:
        words = "".join(line for line in question.answer.splitlines(keepends=True) if not line.startswith("|"))
        before = f"{question.sql}\n```\n{question.answer}"
        text = text.replace(before, f"{question.sql}\n```\n\n{table}\n{words.lstrip()}")
    return text


def _with_figures(rows: dict[tuple[Cell, ...], tuple[Decimal, ...]]) -> dict[tuple[Cell, ...], tuple[Decimal, ...]]:
    return {key: values for key, values in rows.items() if any(values)}


def _listed(values: Sequence[Decimal]) -> str:
    return ", ".join(map(str, values)) or "nothing"


def _is_number(value: Cell) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _rounded(value: Cell) -> Decimal:
    return round(Decimal(str(value or 0)), 2)


def _is_broken(value: Cell) -> bool:
    """Say whether a figure is kept with decimals."""
    return isinstance(value, Decimal) and value.as_tuple().exponent != 0


def _cell(value: Cell, has_decimals: bool) -> str:
    if value is None:
        return ""
    if _is_number(value):
        return f"{value:,.2f}" if has_decimals else f"{value:,}"
    return str(value).replace("|", "\\|")
