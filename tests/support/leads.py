"""Leads that point to teams by every kind of reference."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from odoo_shadow.mirror.options import MirrorOptions

LEADS = "odoo_shadow_x_lead"
POINTING: dict[str, str | dict[str, Any]] = {
    "x_name": "char",
    "x_team_id": {"type": "many2one", "relation": "x_team", "ondelete": "set null"},
    "x_team_ids": {"type": "many2many", "relation": "x_team"},
    "x_about": {"type": "reference", "selection": [["x_team", "Team"], ["res.partner", "Contact"]]},
    "x_res_id": {"type": "many2one_reference"},
    "x_parent_id": {"type": "many2one", "relation": "x_lead", "ondelete": "set null"},
}
NOW = MirrorOptions(wait=timedelta(0))
