"""What Odoo tells about a field besides its type: for those who query, not for the mirroring itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


@dataclass(frozen=True)
class Description:
    """A field in words.

    :param label: how Odoo's forms call it.
    :param relation: the model that a relational field points to.
    :param company_dependent: one value per company.
    :param custom: made by a user or by Studio.
    :param selection: value and label of everything that may be chosen, in Odoo's order.
    """

    label: str = ""
    relation: str | None = None
    translated: bool = False
    company_dependent: bool = False
    required: bool = False
    custom: bool = False
    selection: tuple[tuple[str, str], ...] = ()


UNDESCRIBED = Description()


def storable(text: str) -> str:
    """Replace what PostgreSQL cannot store: NUL, and halves of surrogate pairs."""
    return _UNSTORABLE.sub("\ufffd", text)
