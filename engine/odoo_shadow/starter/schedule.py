"""Cron expressions that pg_cron, GitHub Actions and n8n take alike: five fields, without presets."""

from __future__ import annotations

import re

from odoo_shadow.mirror.errors import MirrorConfigurationError

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = dict(zip(_MONTH_NAMES, range(1, 13), strict=True))
_DAYS = dict(zip(_DAY_NAMES, range(7), strict=True))
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


def check_schedule(text: str) -> str:
    """Return a cron expression with one blank between its fields.

    :raises MirrorConfigurationError: says which field is wrong, and what it must be.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise MirrorConfigurationError(
            f"The schedule '{text}' must have five fields: minute, hour, day, month, day of the week; "
            "'0 */4 * * *' is every four hours."
        )
    for field, (name, lowest, highest) in zip(fields, _FIELDS, strict=True):
        words = {"month": _MONTHS, "day of the week": _DAYS}.get(name, {})
        if not all(_is_part(part, words, lowest, highest) for part in field.split(",")):
            raise MirrorConfigurationError(
                f"The schedule '{text}' has '{field}' as its {name}: it must be * or numbers from {lowest} to "
                f"{highest}, with - for ranges, / for steps and commas between them."
            )
    return " ".join(fields)


def _is_part(part: str, words: dict[str, int], lowest: int, highest: int) -> bool:
    found = _PART.fullmatch(part)
    if found is None:
        return False
    ends = [_number(found[name], words) for name in ("first", "last") if found[name] is not None]
    step = int(found["step"] or 1)
    return all(lowest <= end <= highest for end in ends) and ends == sorted(ends) and 1 <= step <= highest


def _number(text: str, words: dict[str, int]) -> int:
    return words.get(text.lower(), int(text) if text.isascii() and text.isdigit() else -1)
