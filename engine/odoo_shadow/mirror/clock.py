"""How far clocks may differ, and how far a window reaches back."""

from __future__ import annotations

from datetime import datetime, timedelta

DEFAULT_LOOK_BACK = timedelta(minutes=15)
"""Longer than Odoo's transactions usually are: a worker is cut off after two minutes, an import may take more."""


CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a watermark may be ahead of the clock: it comes from other machines, whose clocks differ. Shorter than the
default look-back, which compensates for it."""


def lies_ahead(moment: datetime, now: datetime) -> bool:
    """Say whether a moment is further ahead than clocks that differ a little explain.

    :param now: the latest of the clocks; see `source.port.Clock`.
    """
    return moment - now > CLOCK_TOLERANCE
