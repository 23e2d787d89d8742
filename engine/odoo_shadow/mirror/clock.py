"""How far clocks, and what they date, may be apart."""

from __future__ import annotations

from datetime import datetime, timedelta

DEFAULT_LOOK_BACK = timedelta(minutes=15)
"""Longer than Odoo's transactions usually are: a worker is cut off after two minutes, an import may take more."""


CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a watermark may be ahead of the clock: other machines set it, whose clocks differ. Shorter than the usual
look-back, which makes up for it."""


def lies_ahead(moment: datetime, now: datetime) -> bool:
    """Say whether a moment is later than clocks that merely differ explain.

    :param now: the latest moment that it may be; see `source.port.Clock`.
    """
    return moment - now > CLOCK_TOLERANCE
