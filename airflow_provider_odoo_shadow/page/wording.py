"""Times, numbers and outcomes as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from odoo_shadow.shadow.state.verifications import Compared
from odoo_shadow.text.amounts import counted

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_JUST_NOW = timedelta(seconds=10)


def in_words(span: timedelta) -> str:
    """Return how long something is, in one unit and the next smaller one: 3 h, 2 d 4 h, 45 min, 20 s."""
    left = max(0, round(span.total_seconds()))
    for place, (seconds, unit) in enumerate(_UNITS):
        if left >= seconds or seconds == 1:
            text = f"{left // seconds:,} {unit}"
            if place + 1 < len(_UNITS) and left // seconds < 10 and unit in ("d", "h"):
                smaller, smaller_unit = _UNITS[place + 1]
                text += f" {left % seconds // smaller} {smaller_unit}" if left % seconds >= smaller else ""
            return text
    raise AssertionError("the last unit takes everything")


def ago(moment: datetime, now: datetime) -> str:
    """Return when something was, or will be, seen from now."""
    if abs(now - moment) < _JUST_NOW:
        return "just now"
    return f"{in_words(now - moment)} ago" if moment < now else f"in {in_words(moment - now)}"


def moment(when: datetime) -> str:
    """Return a moment in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def grouped(number: int) -> str:
    """Return a number with its digits in groups."""
    return f"{number:,}"


def seconds_in_words(milliseconds: int) -> str:
    """Return how long something took."""
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    return f"{milliseconds / 1_000:.1f} s" if milliseconds < 60_000 else in_words(timedelta(milliseconds=milliseconds))


def outcome(found: Compared) -> str:
    """Return what a comparison found, in words."""
    parts = [
        f"{grouped(number)} {what}"
        for number, what in (
            (found.missing, "missing"),
            (found.extra, "extra"),
            (found.stale, "stale"),
            (found.differing, "differing"),
        )
        if number
    ]
    if found.uncompared:
        parts.append(f"{grouped(found.uncompared)} not given by Odoo")
    if not parts:
        return f"equal, {counted(found.rows, 'row')}"
    repaired = f"; {grouped(found.repaired)} repaired" if found.repaired else ""
    return f"{', '.join(parts)}{repaired}"
