"""What Odoo 19 answers to a login that may not read a model."""

from __future__ import annotations

import json
from typing import Any

NO_RIGHTS: dict[str, Any] = {
    "status": 403,
    "headers": {"Content-Type": "application/json"},
    "body": json.dumps({"name": "odoo.exceptions.AccessError", "message": "No group allows this.", "debug": "x"}),
}
"""Arguments of a `Fault`."""
