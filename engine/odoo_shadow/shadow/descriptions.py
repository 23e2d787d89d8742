"""What Odoo says about a field other than its type: for people who query, not for the mirroring itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


@dataclass(frozen=True)
class Description:
    """A field in words.

    :param label: its name in Odoo's forms.
    :param relation: the model that a relational field points to.
    :param company_dependent: one value per company.
    :param custom: created by a user or by Studio.
    :param selection: value and label of each choice, in Odoo's order.
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
