"""Names of time zones, as the IANA database has them."""

from __future__ import annotations

from zoneinfo import available_timezones

from odoo_shadow.text.nearest import did_you_mean


def existing_zone(name: str) -> str:
    """Return a zone's name.

    :raises ValueError: there is no such zone; says which is near, without a full stop.
    """
    zones = available_timezones()
    if name not in zones:
        raise ValueError(f"there is no time zone '{name}'{did_you_mean(name, sorted(zones))}".removesuffix("."))
    return name
