"""Reads headers with times and lengths. They may contain anything: one that cannot be read counts as missing."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_RETRY_AFTER = 3600.0
"""The longest wait that a server may ask for, in seconds; otherwise it could stop a mirror for years."""

_LONGEST_DATE = 64
_MOST_DIGITS = 9
_MOST_LENGTH_DIGITS = 18


def moment_of(date: str) -> datetime | None:
    """Read an HTTP date (RFC 9110, 5.6.7) as UTC."""
    if len(date) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(date)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):  # all of them seen: year 9999, odd zones, blanks
        return None


def announced_bytes(content_length: str | None) -> int:
    """Read `Content-Length`; 0 when it is missing or not a number."""
    text = (content_length or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_LENGTH_DIGITS else 0


def seconds_to_wait(retry_after: str | None) -> float | None:
    """Read `Retry-After`: seconds, or a date (RFC 9110, 10.2.3); at most `LONGEST_RETRY_AFTER`."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0") or "0"
        return min(float(digits), LONGEST_RETRY_AFTER) if len(digits) <= _MOST_DIGITS else LONGEST_RETRY_AFTER
    until = moment_of(text)
    if until is None:
        return None
    return min(max(0.0, (until - datetime.now(UTC)).total_seconds()), LONGEST_RETRY_AFTER)
