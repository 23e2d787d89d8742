"""Estimates the disk space that the first load will take."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from odoo_shadow.mirror.health.inventory import BYTES_PER_CELL
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state.sizes import data_folder, database_size
from odoo_shadow.text.amounts import counted, in_bytes

BYTES_PER_TABLE = 120_000
"""In addition to its rows: indexes, views, entries of the catalogue (250 tables of Odoo 17.0's demo data)."""

_RESERVE = 1.2
_SMALL_PLAN = 500_000_000


@dataclass(frozen=True)
class Forecast:
    """An estimate of the space that the first load of some models takes.

    :param is_too_much: whether it is more than what is known to be free.
    """

    text: str
    is_too_much: bool


def forecast(tx: Transaction, cells: Mapping[str, int], mirrored: Collection[str]) -> Forecast | None:
    """Estimate the space for those models that are not mirrored yet; None when all are.

    :param cells: how many values each model's table will hold.
    """
    new = {model: count for model, count in cells.items() if model not in mirrored}
    if not new:
        return None
    size = sum(new.values()) * BYTES_PER_CELL + len(new) * BYTES_PER_TABLE
    text = (
        f"the first load of {counted(len(new), 'model')} will take about {in_bytes(size)} (an estimate: "
        f"{BYTES_PER_CELL} bytes per value, and {in_bytes(BYTES_PER_TABLE)} per table); "
        f"the database has {in_bytes(database_size(tx))} now"
    )
    free = _free_space(tx)
    if free is not None:
        return Forecast(f"{text}; its disk has {in_bytes(free)} left", free < size * _RESERVE)
    text += "; PostgreSQL does not say how much space its disk has left: check that at its host"
    if size + database_size(tx) > _SMALL_PLAN:
        text += " (a free Supabase project turns read-only at 500 MB)"
    return Forecast(text, is_too_much=False)


def _free_space(tx: Transaction) -> int | None:
    """Return the bytes that are free where the database's files are; None where they are on another machine."""
    if not tx.cursor.connection.info.host.startswith("/"):
        return None  # even loopback may lead into a container or through a tunnel
    folder = data_folder(tx)
    try:
        found = os.statvfs(folder) if folder else None
    except OSError:
        return None
    return found.f_bavail * found.f_frsize if found else None
