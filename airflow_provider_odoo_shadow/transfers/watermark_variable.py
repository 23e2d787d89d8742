"""Watermarks in Airflow Variables, where people see and edit them.

The table's own row in PostgreSQL is committed with the rows that it vouches for; the Variable follows it.
The older of both counts, so setting a Variable back replays from there, and a Variable that was not written in time
only costs a replay.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow.sdk import Variable

from odoo_shadow.shadow.errors import ShadowFatalError
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_shadow.text.log import logger

log = logger(__name__)

KEY_PREFIX = "odoo_shadow_watermark__"
_LONGEST = 10_000
"""Characters; what this module writes has some 200."""

_EXAMPLE = '{"last_write_date": "2026-01-31T12:00:00+00:00"}'


class WrongVariableError(ShadowFatalError):
    """The Variable of one table is not a watermark; other tables have Variables of their own."""


@dataclass(frozen=True)
class WatermarkVariable:
    """The Variable of one table.

    :param mirror: the mirror's name.
    :param table: the bare table name.
    """

    mirror: str
    table: str

    @property
    def key(self) -> str:
        """The Variable's key."""
        return f"{KEY_PREFIX}{self.mirror}__{self.table}"

    def read(self, known: Collection[str] | None = None) -> datetime | None:
        """Return `last_write_date`; None when there is no such Variable.

        :param known: the keys that there are, for a caller that reads many; asked for when None.
        :raises WrongVariableError: the value is not a watermark.
        """
        # Variable.get(default=…) gives the default when the API server fails, too; keys() raises then.
        if self.key not in (set(Variable.keys(prefix=self.key)) if known is None else known):
            return None
        return self._parse(str(Variable.get(self.key)))

    def write(
        self,
        watermark: Watermark,
        model: str,
        *,
        unless_changed_from: datetime | None,
        known: Collection[str] | None = None,
    ) -> None:
        """Store a watermark, unless somebody has changed the Variable since it was read: the next run uses that.

        Raises Airflow's own error when the API server cannot.
        """
        if self.read(known) != unless_changed_from:
            log.warning("Variable '%s' was changed during the run, and keeps its new value for the next one.", self.key)
            return
        Variable.set(
            self.key,
            json.dumps(
                {
                    "last_write_date": _iso(watermark.last_write_date),
                    "last_id": watermark.last_id,
                    "rows_synced": watermark.rows_synced,
                    "updated_at": _iso(watermark.updated_at or datetime.now(UTC)),
                },
                indent=2,
            ),
            description=f"{model} (mirror {self.mirror}) is mirrored up to {watermark.last_write_date:%Y-%m-%d %H:%M} "
            "UTC. To read again what was written since an earlier moment, set last_write_date back to it.",
        )

    def _parse(self, text: str) -> datetime:
        try:
            if len(text) > _LONGEST:
                raise ValueError("too long")
            moment = datetime.fromisoformat(json.loads(text)["last_write_date"])
            # In the first and the last year, a moment of another zone has none in UTC.
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise WrongVariableError(
                f"Airflow Variable '{self.key}' is not a watermark such as {_EXAMPLE}: "
                "correct it, or delete it to go on from the table's own."
            ) from None


class WatermarkVariables:
    """The Variables of many tables of one mirror, read and written with few calls."""

    def __init__(self, mirror: str) -> None:
        self._mirror = mirror
        self._keys = frozenset(Variable.keys(prefix=f"{KEY_PREFIX}{mirror}__"))
        self._asked: dict[str, datetime | None] = {}

    def read(self, table: str) -> datetime | None:
        """Return a table's `last_write_date`; None when there is no such Variable."""
        self._asked[table] = WatermarkVariable(self._mirror, table).read(self._keys)
        return self._asked[table]

    def write(self, table: str, model: str, watermark: Watermark) -> None:
        """Store a watermark, unless somebody has changed the Variable since it was read."""
        variable, asked = WatermarkVariable(self._mirror, table), self._asked.get(table)
        variable.write(watermark, model, unless_changed_from=asked, known=self._keys)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
