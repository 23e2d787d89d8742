"""Proves marts: asks Odoo every question about each, and says whether the mart gives the same figures."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from odoo_shadow.marts.proof.behind import explain
from odoo_shadow.marts.proof.catalogue import COMPARISONS
from odoo_shadow.marts.proof.comparison import Circumstances, Comparison, Figures
from odoo_shadow.marts.proof.differences import Apart, Cause, Difference, apart, equal_figures
from odoo_shadow.marts.proof.mart_side import (
    MartState,
    Side,
    columns,
    has_marts,
    last_sync,
    mart_states,
    mirrored_tables,
    needed_columns,
    read,
)
from odoo_shadow.marts.proof.odoo_side import ask, company_digits, count_behind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.errors import OdooAccessError, OdooUnknownModelError
from odoo_shadow.source.port import Source
from odoo_shadow.text.amounts import counted, first_of

MOST_EXPLAINED = 20
"""Differences of one mart whose rows are looked for."""


class Verdict(StrEnum):
    """What was found of one mart."""

    EQUAL = "equal"
    NEWER = "newer"
    """Every difference is due to rows that Odoo has changed since the mart's tables were read."""
    DIFFERS = "differs"
    NOT_PROVEN = "not proven"
    LEFT_OUT = "left out"
    """There is no such mart, since its models are not mirrored."""


@dataclass(frozen=True)
class MartProof:
    """What was found of one mart.

    :param as_of: up to when the mart has what Odoo has.
    :param time_zone: the one that the mart was built with, and `definition` the digest of the query that made it.
    :param compared: how many figures, by key, were compared.
    :param equal: how many of them are the same.
    :param asked: what Odoo was asked, and how many figures it gave.
    :param not_asked: reports that Odoo does not give here; what no other question compares is in `because`.
    :param because: why the mart is not proven or left out; empty otherwise.
    """

    mart: str
    verdict: Verdict
    started_at: datetime
    seconds: float = 0.0
    as_of: datetime | None = None
    compared: int = 0
    equal: int = 0
    asked: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    because: str = ""
    time_zone: str | None = None
    definition: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return self.verdict in (Verdict.EQUAL, Verdict.NEWER, Verdict.LEFT_OUT)


def side_of(shadow: ShadowDatabase, marts_schema: str, time_zone: str) -> Side | None:
    """Return where a mirror's marts are; None if none have been built."""
    with shadow.transaction() as tx:
        return Side(marts_schema, mirrored_tables(tx), time_zone) if has_marts(tx, marts_schema) else None


@dataclass
class _Found:
    """What the questions about one mart have given so far."""

    compared: int = 0
    equal: int = 0
    asked: list[str] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    figures: set[str] = field(default_factory=set)
    """The names of figures that were compared."""
    left: dict[str, str] = field(default_factory=dict)
    """Figures of questions that Odoo does not answer here, and why; another question may have compared them."""
    differences: list[Difference] = field(default_factory=list)
    differing: int = 0

    def leave(self, comparison: Comparison, why: str) -> None:
        """Note a report that Odoo does not give."""
        self.not_asked.append(why)
        self.left |= {figure.name: why for figure in comparison.figures}

    def never_compared(self) -> list[str]:
        """Name the figures that no question has compared, by why not."""
        names: dict[str, list[str]] = {}
        for figure, why in self.left.items():
            if figure not in self.figures:
                names.setdefault(why, []).append(figure)
        return [f"{', '.join(figures)} could not be compared, since {why}" for why, figures in names.items()]

    def note(self, comparison: Comparison, figures: int) -> None:
        self.figures |= {figure.name for figure in comparison.figures}
        self.asked.append(f"{comparison.model}, {comparison.name}: {counted(figures, 'figure')}")


class Prover:
    """Proves the marts of one mirror.

    :param odoo: whose answers count.
    :param side: where the marts are; `side_of` finds it.
    """

    def __init__(self, odoo: Source, shadow: ShadowDatabase, side: Side) -> None:
        self._odoo = odoo
        self._shadow = shadow
        self._side = side
        self._digits = company_digits(odoo)
        self._fields: dict[str, frozenset[str] | str] = {}
        with shadow.transaction() as tx:
            self._states = mart_states(tx, side)

    def prove(self, mart: str) -> MartProof:
        """Compare one mart with Odoo. Raises an `OdooError` or a `ShadowError` if a side cannot be asked at all."""
        started, began = datetime.now(UTC), time.monotonic()
        proof = MartProof(mart, Verdict.NOT_PROVEN, started)
        state = self._states.get(mart)
        if state is None:
            return replace(proof, because="it has not been built: run odoo-shadow marts build")
        proof = replace(proof, time_zone=state.time_zone, definition=state.definition)
        if state.left_out_because:
            return replace(proof, verdict=Verdict.LEFT_OUT, because=state.left_out_because)
        if state.as_of is None or state.today is None:
            return replace(proof, because="it does not say as of when it is: sync, then run odoo-shadow marts build")
        found = _Found()
        for comparison in COMPARISONS[mart]:
            self._compare(comparison, state, found)
        return replace(self._concluded(proof, state, found), seconds=time.monotonic() - began)

    def _concluded(self, proof: MartProof, state: MartState, found: _Found) -> MartProof:
        unproven = [*found.unproven, *found.never_compared()]
        verdict, because = Verdict.EQUAL, first_of(unproven, 5, "; ")
        if found.differing > len(found.differences):
            verdict = Verdict.DIFFERS
        elif found.differences:
            causes = {item.cause for item in found.differences}
            verdict = Verdict.NEWER if causes == {Cause.NEWER} else Verdict.DIFFERS
        if verdict is not Verdict.EQUAL and self._is_behind(proof.mart, state):
            verdict = Verdict.NOT_PROVEN
            because = "it was built before the last sync: run odoo-shadow marts build first"
        elif verdict in (Verdict.EQUAL, Verdict.NEWER) and unproven:
            verdict = Verdict.NOT_PROVEN
        return replace(
            proof,
            verdict=verdict,
            as_of=state.as_of,
            compared=found.compared,
            equal=found.equal,
            asked=tuple(found.asked),
            not_asked=tuple(found.not_asked),
            differences=tuple(found.differences),
            because=because,
        )

    def _is_behind(self, mart: str, state: MartState) -> bool:
        models = [item.behind.model for item in COMPARISONS[mart]]
        with self._shadow.transaction() as tx:
            synced = last_sync(tx, models)
        return synced is not None and state.built_at is not None and synced > state.built_at

    def _compare(self, comparison: Comparison, state: MartState, found: _Found) -> None:
        """Ask one question about all companies."""
        fields = self._fields_of(comparison.model)
        if isinstance(fields, str) or not comparison.fields <= fields:
            missing = fields if isinstance(fields, str) else _lacks(comparison, fields)
            if comparison.is_report:
                found.leave(comparison, missing)
            else:
                found.unproven.append(missing)
            return
        with self._shadow.transaction() as tx:
            lacking = needed_columns(comparison) - columns(tx, self._side, comparison.mart)
            if lacking:
                found.unproven.append(f"{comparison.name}: the mart has no {first_of(sorted(lacking), 5)}")
                return
            figures = read(tx, self._side, comparison)
        number = 0
        for company in self._companies(comparison, figures, found):
            about = Circumstances(
                company,
                state.today or datetime.now(UTC).date(),
                self._side.time_zone,
                self._digits.get(company or 0, 2),
                fields,
            )
            number += self._compare_company(comparison, about, figures.get(company, {}), state, found)
        found.note(comparison, number)

    def _companies(
        self, comparison: Comparison, figures: Mapping[int | None, Figures], found: _Found
    ) -> Iterable[int | None]:
        """Return the companies to ask for; those of the mart that the login does not read cannot be proven."""
        shared: list[int | None] = [None] if comparison.has_shared or None in figures else []
        unread = sorted(item for item in figures if item is not None and item not in self._digits)
        if unread:
            found.unproven.append(
                f"{comparison.name}: the login does not read company {first_of(unread, 5)}, which the mart has"
            )
        return [*self._digits, *shared]

    def _compare_company(
        self, comparison: Comparison, about: Circumstances, mart: Figures, state: MartState, found: _Found
    ) -> int:
        """Compare one company's figures; return how many Odoo gave."""
        theirs = ask(self._odoo, comparison, about)
        found.compared += len(theirs.keys() | mart.keys()) * len(comparison.figures)
        found.equal += len(theirs.keys() | mart.keys()) * len(comparison.figures)
        for item in apart(comparison, theirs, mart, about):
            wrong = self._count_wrong(comparison, about, item)
            if not wrong:
                continue
            found.equal -= wrong
            if len(found.differences) >= MOST_EXPLAINED:
                found.differing += 1
                continue
            explained = self._explain(comparison, about, item, state)
            if explained is None:
                found.equal += wrong
            else:
                found.differing += 1
                found.differences.append(explained)
        return len(theirs) * len(comparison.figures)

    def _count_wrong(self, comparison: Comparison, about: Circumstances, item: Apart) -> int:
        """Return how many figures of a key differ by more than the rounding of single records makes."""
        records = 1
        if any(figure.is_rounded for figure in comparison.figures):
            records = max(count_behind(self._odoo, comparison, about, item.key), 1)
        return equal_figures(comparison, item.odoo, item.mart, about, records).count(False)

    def _explain(
        self, comparison: Comparison, about: Circumstances, item: Apart, state: MartState
    ) -> Difference | None:
        as_of = state.as_of or datetime.now(UTC)
        return explain(self._odoo, self._shadow, self._side, comparison, about, item, as_of)

    def _fields_of(self, model: str) -> frozenset[str] | str:
        """Return a model's fields, or why they are not known."""
        if model not in self._fields:
            try:
                self._fields[model] = frozenset(item.name for item in self._odoo.describe(model))
            except OdooUnknownModelError:
                self._fields[model] = f"this Odoo has no {model}"
            except OdooAccessError:
                self._fields[model] = f"the login may not read {model}"
        return self._fields[model]


def _lacks(comparison: Comparison, fields: frozenset[str]) -> str:
    missing = first_of(sorted(comparison.fields - fields), 5)
    return f"{comparison.model} has no {missing}, or the login may not read it"
