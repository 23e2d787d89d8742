"""Ready-made rows, and the search domains that are asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Column = Callable[[str], Sequence[object]]
"""Gives a field's values in the sample."""

Sign = Literal["&", "|"]
_SIGNS: Mapping[str, Sign] = {"&": "&", "|": "|"}


class UnknownConditionError(Exception):
    """The benchmarks' server cannot say which of its rows meet this."""


@dataclass(frozen=True)
class Leaf:
    """One condition, such as `("id", ">", 7)`."""

    field: str
    operator: str
    value: object


@dataclass(frozen=True)
class Not:
    """What does not meet a condition."""

    part: Node


@dataclass(frozen=True)
class Both:
    """What meets two conditions, or one of the two."""

    sign: Sign
    parts: tuple[Node, Node]


Node = Leaf | Not | Both
Test = Callable[[int], bool]


class ReadyRows:
    """Rows with the ids from 1 on; a sample's values come again and again.

    :param column: asked once for each field of a domain.
    """

    def __init__(self, count: int, column: Column) -> None:
        self.ids = range(1, count + 1)
        self._column = column

    def search(self, domain: Iterable[object], order: str = "") -> Sequence[int]:
        """Return the ids of the rows that match. Without an order they come by id.

        :raises UnknownConditionError: the domain or the order is not one that these rows can be asked.
        """
        candidates: Sequence[int] = self.ids
        tests: list[Test] = []
        for node in _conjuncts(_parsed(domain)):
            nearer = _narrowed(candidates, node)
            if nearer is None:
                tests.append(self._test(node))
            else:
                candidates = nearer
        if tests:
            candidates = [row for row in candidates if all(test(row) for test in tests)]
        return self._sorted(candidates, order)

    def _test(self, node: Node) -> Test:
        if isinstance(node, Not):
            part = self._test(node.part)
            return lambda row: not part(row)
        if isinstance(node, Both):
            one, other = map(self._test, node.parts)
            return (lambda row: one(row) and other(row)) if node.sign == "&" else (lambda row: one(row) or other(row))
        meets = _COMPARED.get(node.operator)
        if meets is None:
            raise UnknownConditionError(f"the operator of {[node.field, node.operator, node.value]}")
        value = frozenset(node.value) if isinstance(node.value, list) else _as_stored(node.field, node.value)
        if node.field == "id":
            return lambda row: meets(row, value)
        hits = [meets(found, value) for found in self._column(node.field)]
        return lambda row: hits[(row - 1) % len(hits)]

    def _sorted(self, rows: Sequence[int], order: str) -> Sequence[int]:
        for term in reversed([part.split() for part in order.split(",") if part.strip()]):
            name, direction = term[0], term[1].lower() if len(term) > 1 else "asc"
            if len(term) > 2 or direction not in ("asc", "desc"):
                raise UnknownConditionError(f"the order {order!r}")
            if name == "id":  # rows come by id, unless a later term has sorted them otherwise
                rows = rows if isinstance(rows, range) else sorted(rows)
                rows = rows[::-1] if direction == "desc" else rows
            else:
                values = [("" if value is False else str(value)) for value in self._column(name)]
                rows = sorted(rows, key=lambda row: values[(row - 1) % len(values)], reverse=direction == "desc")
        return rows


def _parsed(domain: Iterable[object]) -> list[Node]:
    """Read Odoo's prefix notation; what is left over side by side must hold together."""
    stack: list[Node] = []
    try:
        for term in reversed(list(domain)):
            if term == "!":
                stack.append(Not(stack.pop()))
            elif isinstance(term, str):
                stack.append(Both(_SIGNS[term], (stack.pop(), stack.pop())))
            elif isinstance(term, Sequence):
                field, operator, value = term
                stack.append(Leaf(field, operator, value))
            else:
                raise UnknownConditionError(f"the term {term!r}")
    except (IndexError, KeyError, ValueError):
        raise UnknownConditionError(f"the domain {domain!r}") from None
    return stack


def _conjuncts(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        if isinstance(node, Both) and node.sign == "&":
            yield from _conjuncts(node.parts)
        else:
            yield node


def _narrowed(ids: Sequence[int], node: Node) -> Sequence[int] | None:
    """Return the ids that meet a condition on ids, without looking at each one; None for other conditions."""
    if not isinstance(node, Leaf) or node.field != "id" or not isinstance(ids, range):
        return None
    if isinstance(node.value, int):
        first, last = {
            ">": (node.value + 1, ids.stop),
            ">=": (node.value, ids.stop),
            "<": (ids.start, node.value),
            "<=": (ids.start, node.value + 1),
            "=": (node.value, node.value + 1),
        }.get(node.operator, (None, None))
        return None if first is None or last is None else range(max(first, ids.start), min(last, ids.stop))
    if node.operator == "in" and isinstance(node.value, list):
        return sorted({row for row in node.value if row in ids})
    return None


def _as_stored(field: str, value: object) -> object:
    """Cut a moment to the second, as Odoo 19 does before it compares."""
    return value[: len("2026-01-01 00:00:00")] if field.endswith("_date") and isinstance(value, str) else value


def _ordered(holds: Callable[[int], bool]) -> Callable[[object, object], bool]:
    """Compare what can be compared: what is empty (`False`) is neither before nor after anything."""

    def meets(found: object, value: object) -> bool:
        if isinstance(found, str) and isinstance(value, str):
            return holds((found > value) - (found < value))
        if isinstance(found, bool) or not isinstance(found, int | float) or not isinstance(value, int | float):
            return False
        return holds((found > value) - (found < value))

    return meets


def _among(found: object, value: object) -> bool:
    return found in value if isinstance(value, frozenset) else found == value


_COMPARED: Mapping[str, Callable[[object, object], bool]] = {
    "=": lambda found, value: found == value,
    "!=": lambda found, value: found != value,
    "in": _among,
    "not in": lambda found, value: not _among(found, value),
    ">": _ordered(lambda sign: sign > 0),
    ">=": _ordered(lambda sign: sign >= 0),
    "<": _ordered(lambda sign: sign < 0),
    "<=": _ordered(lambda sign: sign <= 0),
}
