"""The state of a mirror's marts: what the last comparison with Odoo found, whether it still counts, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from odoo_shadow.shadow.state.marts import MartGlance
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.findings import Finding, Verdict

COMPARISON_COUNTS_FOR = timedelta(days=8)
"""How long it counts that a mart was as in Odoo: a week, as the marts' DAG compares them, and a day."""

DIFFERS, NOT_PROVEN = "differs", "not proven"
_LEFT_OUT = "left out"
_EQUAL = ("equal", "newer")
_MOST_NAMED = 8
_BUILD = "build the marts (odoo-shadow marts build, or their DAG)"
_VERIFY = "run odoo-shadow marts verify"


@dataclass(frozen=True)
class MartHealth:
    """The state of one mart.

    :param now: when it is looked at.
    """

    glance: MartGlance
    now: datetime

    @property
    def is_built(self) -> bool:
        """Whether there is such a mart: otherwise it was left out."""
        return not self.glance.left_out_because

    @property
    def verdict(self) -> str:
        """What the last comparison found of it; empty if there was none, or there was no such mart then."""
        return self.glance.verdict if self.is_built and self.glance.verdict != _LEFT_OUT else ""

    @property
    def is_as_in_odoo(self) -> bool:
        """Whether it was as in Odoo when it was last compared, and that comparison still counts."""
        return self.verdict in _EQUAL and not self.unloaded and not self.outdated

    @property
    def difference(self) -> str:
        """That it differs from Odoo, and what to do; empty if it does not."""
        if self.verdict != DIFFERS:
            return ""
        wrong = f"{self.glance.compared - self.glance.equal} of {counted(self.glance.compared, 'figure')}"
        found = f"differs from Odoo ({wrong}, {self._when})"
        if self._is_built_since:
            return f"{found}, and was built anew since: {_VERIFY}, which says whether it still does"
        return f"{found}: {_VERIFY}, which names the rows behind them"

    @property
    def unproven(self) -> str:
        """That the last comparison could not prove it, and why; empty if it could."""
        if self.verdict != NOT_PROVEN:
            return ""
        why = self.glance.reason.rstrip(".") or f"it does not say why: {_VERIFY}"
        since = f"; it was built anew since: {_VERIFY}" if self._is_built_since else ""
        return f"is not proven ({self._when}): {why}{since}"

    @property
    def outdated(self) -> str:
        """Why it does not count any more that it was as in Odoo, and what to do; empty if it counts."""
        if self.verdict not in _EQUAL:
            return ""
        if self.glance.is_built_alike is None:
            return f"does not say whether it is built as when it was compared: {_BUILD}, then {_VERIFY}"
        if not self.glance.is_built_alike:
            return f"is built in another way since it was {self._when}: {_VERIFY}"
        if self.glance.verified_at is None:
            return f"does not say when it was compared: {_VERIFY}"
        age = self.now - self.glance.verified_at
        return f"was last compared {counted(age.days, 'day')} ago: {_VERIFY}" if age > COMPARISON_COUNTS_FOR else ""

    @property
    def unloaded(self) -> str:
        """That it does not say as of when it is, and what to do; empty if it does, or there is no such mart."""
        if not self.is_built or self.glance.as_of is not None:
            return ""
        return (
            "does not say as of when it is, as while the first load of one of its tables has not ended: let that end, "
            "then run odoo-shadow marts build"
        )

    def lateness(self, goal: timedelta) -> str:
        """Say that its tables have advanced by more than a goal since it was built, and what to do; empty if not."""
        found = self.glance
        if not self.is_built or found.as_of is None or found.behind is None or found.behind <= goal:
            return ""
        return f"is as of {_minute(found.as_of)}, and its tables are newer by more than the goal: {_BUILD}"

    @property
    def problems(self) -> tuple[str, ...]:
        """All that needs somebody, a sentence each, whatever the goal."""
        return tuple(text for text in (self.difference, self.unproven, self.unloaded, self.outdated) if text)

    @property
    def _when(self) -> str:
        moment = self.glance.verified_at
        return "compared" if moment is None else f"compared on {_minute(moment)}"

    @property
    def _is_built_since(self) -> bool:
        built_at, verified_at = self.glance.built_at, self.glance.verified_at
        return built_at is not None and verified_at is not None and built_at > verified_at


def about_more_schemas(number: int) -> str:
    """Say that there are more schemas of marts than are read, and what to do; empty if there are none."""
    if not number:
        return ""
    return (
        f"{counted(number, 'more schema')} of marts {'was' if number == 1 else 'were'} not read, and may hold marts of "
        "this mirror: drop those that nobody needs"
    )


def examine_marts(marts: Sequence[MartHealth], more_schemas: int) -> Iterator[Finding]:
    """Check what the last comparisons found, and whether they still count; nothing where there are no marts.

    :param more_schemas: how many schemas of marts were not read.
    """
    for mart in marts:
        name = mart.glance.mart
        if not mart.is_built:
            yield Finding("marts", Verdict.OK, f"{name} is left out: {mart.glance.left_out_because}")
        for text in mart.problems:
            yield Finding("marts", Verdict.PROBLEM if mart.difference == text else Verdict.WARNING, f"{name} {text}")
    never = [mart.glance.mart for mart in marts if mart.is_built and not mart.verdict]
    if never:
        text = f"not compared with Odoo yet: {first_of(never, _MOST_NAMED)}: {_VERIFY}"
        yield Finding("marts", Verdict.WARNING, text)
    good = [mart.glance.mart for mart in marts if mart.is_as_in_odoo]
    if good:
        yield Finding("marts", Verdict.OK, f"as in Odoo: {first_of(good, _MOST_NAMED)}")
    if more_schemas:
        yield Finding("marts", Verdict.WARNING, about_more_schemas(more_schemas))


def as_entry(mart: MartHealth) -> dict[str, object]:
    """Return a mart's state for programs."""
    found = mart.glance
    return {
        "marts_schema": found.marts_schema,
        "mart": found.mart,
        "rows": found.rows,
        "built_at": found.built_at,
        "as_of": found.as_of,
        "behind_seconds": None if found.behind is None else round(found.behind.total_seconds()),
        "left_out_because": found.left_out_because or None,
        "is_as_in_odoo": mart.is_as_in_odoo,
        "verdict": mart.verdict or None,
        "reason": found.reason if mart.verdict else "",
        "verified_at": found.verified_at if mart.verdict else None,
        "figures_compared": found.compared if mart.verdict else 0,
        "figures_equal": found.equal if mart.verdict else 0,
        "problems": [f"{found.mart} {text}" for text in mart.problems],
    }


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
