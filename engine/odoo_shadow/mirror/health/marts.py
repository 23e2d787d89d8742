"""The state of a mirror's marts: what the last comparison with Odoo found, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from odoo_shadow.shadow.state.marts import MartGlance
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.findings import Finding, Verdict

DIFFERS, NOT_PROVEN = "differs", "not proven"
_LEFT_OUT = "left out"
_GOOD = ("equal", "newer")
_MOST_NAMED = 8
_BUILD = "build the marts (odoo-shadow marts build, or their DAG)"


@dataclass(frozen=True)
class MartHealth:
    """The state of one mart."""

    glance: MartGlance

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
        """Whether the last comparison found no figure that is not Odoo's."""
        return self.verdict in _GOOD

    @property
    def difference(self) -> str:
        """That it differs from Odoo, and what to do; empty if it does not."""
        if self.verdict != DIFFERS:
            return ""
        wrong = f"{self.glance.compared - self.glance.equal} of {self.glance.compared} figures"
        return (
            f"differs from Odoo ({wrong}, {self._when}): run odoo-shadow marts verify, which names the rows behind them"
        )

    @property
    def unproven(self) -> str:
        """That the last comparison could not prove it, and why; empty if it could."""
        if self.verdict != NOT_PROVEN:
            return ""
        why = self.glance.reason.rstrip(".") or "it does not say why: run odoo-shadow marts verify"
        return f"is not proven ({self._when}): {why}"

    def lateness(self, goal: timedelta) -> str:
        """Say that it is older than its tables by more than a goal, and what to do; empty if it is not."""
        if not self.is_built:
            return ""
        if self.glance.as_of is None:
            return (
                "does not say as of when it is: let the first load of its tables end, then run odoo-shadow marts build"
            )
        if self.glance.behind is None or self.glance.behind <= goal:
            return ""
        moment = f"{self.glance.as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"is as of {moment}, and its tables are newer by more than the goal: {_BUILD}"

    @property
    def problems(self) -> tuple[str, ...]:
        """All that needs somebody, a sentence each, whatever the goal."""
        return tuple(text for text in (self.difference, self.unproven) if text)

    @property
    def _when(self) -> str:
        moment = self.glance.verified_at
        return "compared" if moment is None else f"compared on {moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def examine_marts(marts: Sequence[MartHealth]) -> Iterator[Finding]:
    """Check what the last comparisons found; nothing where there are no marts."""
    for mart in marts:
        name = mart.glance.mart
        if mart.difference:
            yield Finding("marts", Verdict.PROBLEM, f"{name} {mart.difference}")
        elif mart.unproven:
            yield Finding("marts", Verdict.WARNING, f"{name} {mart.unproven}")
        elif not mart.is_built:
            yield Finding("marts", Verdict.OK, f"{name} is left out: {mart.glance.left_out_because}")
    never = [mart.glance.mart for mart in marts if mart.is_built and not mart.verdict]
    if never:
        text = f"not compared with Odoo yet: {first_of(never, _MOST_NAMED)}: run odoo-shadow marts verify"
        yield Finding("marts", Verdict.WARNING, text)
    good = [mart.glance.mart for mart in marts if mart.is_as_in_odoo]
    if good:
        yield Finding("marts", Verdict.OK, f"as in Odoo: {first_of(good, _MOST_NAMED)}")


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
        "verdict": mart.verdict or None,
        "reason": found.reason if mart.verdict else "",
        "verified_at": found.verified_at if mart.verdict else None,
        "figures_compared": found.compared if mart.verdict else 0,
        "figures_equal": found.equal if mart.verdict else 0,
        "problems": [f"{found.mart} {text}" for text in mart.problems],
    }
