"""Amounts in words."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")
_UNIT = 1000


def in_bytes(size: float) -> str:
    """Return a size in words."""
    for unit in _UNITS:
        if size < _UNIT or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _UNIT
    raise AssertionError("the last unit takes everything")
