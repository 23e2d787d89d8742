"""What can be the name of a model: Odoo's own rule, which a hostile server need not follow."""

from __future__ import annotations

import re

LONGEST_NAME = 128
"""Characters. Odoo has no limit of its own, but a name of more than 63 needs a table that is named by hand."""

_NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")


def is_model_name(name: str) -> bool:
    """Say whether Odoo would accept a model of this name (its `check_object_name`, 17.0 and 19.0)."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None
