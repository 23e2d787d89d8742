"""What the API's login does not see of what is read in Odoo's own database, past record rules and groups."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from odoo_shadow.source.errors import OdooAccessError, OdooUnknownModelError
from odoo_shadow.source.port import Source, beside_of
from odoo_shadow.source.reading import Reading
from odoo_shadow.text.amounts import first_of

_MOST_NAMED = 8


@dataclass(frozen=True)
class Hidden:
    """What is hidden of one model.

    :param login: from whom.
    :param rows: how many rows, by record rules; all of them if the login cannot read the model.
    :param fields: by groups.
    :param is_whole: whether the login cannot read the model.
    """

    login: str
    rows: int
    fields: tuple[str, ...] = ()
    is_whole: bool = False

    def __bool__(self) -> bool:
        """Say whether anything is hidden."""
        return self.is_whole or self.rows > 0 or bool(self.fields)

    def __str__(self) -> str:
        """Return it in a clause, without a full stop; empty if nothing is hidden."""
        if self.is_whole:
            return f"the API's login '{self.login}' cannot read this model"
        named = f"{len(self.fields)} of its fields ({first_of(self.fields, _MOST_NAMED)})"
        parts = ([f"{self.rows} of its rows"] if self.rows else []) + ([named] if self.fields else [])
        return f"the API's login '{self.login}' does not see {' and '.join(parts)}" if parts else ""


def hidden_of(odoo: Source, reading: Reading, rows: int, fields: Collection[str]) -> Hidden | None:
    """Ask the API beside Odoo's own database for the same records, by two calls; None without such an API.

    Records that are made or deleted meanwhile may be counted.

    :param rows: how many of them the database has.
    :param fields: which of its fields are read.
    :raises OdooError: the API could not be asked at all.
    """
    beside = beside_of(odoo)
    if beside is None:
        return None
    login = beside.access.login
    try:
        seen = {field.name for field in beside.describe(reading.model)}
        count = beside.count(reading)
    except (OdooAccessError, OdooUnknownModelError):
        return Hidden(login, rows, is_whole=True)
    return Hidden(login, max(0, rows - count), tuple(sorted(set(fields) - seen)))
