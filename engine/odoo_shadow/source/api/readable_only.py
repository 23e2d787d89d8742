"""Excludes records that a search finds and a read refuses."""

from __future__ import annotations

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.types import Domain

_ATTACHMENT = "ir.attachment"
_LAST_REFUSING = 16
_SETTINGS = "base.group_system"


def readable_only(odoo: OdooClient, model: str) -> Domain:
    """Return the domain of those records that a login may read, where its search finds others as well.

    Up to Odoo 16 a search of `ir.attachment` that names `id` also finds the files of other models' fields, and those
    of nothing that somebody else made, which `check` refuses to all but administrators. Raises an `OdooError`.
    """
    if model != _ATTACHMENT or odoo.version.major > _LAST_REFUSING:
        return []
    if odoo.execute_kw("res.users", "has_group", [_SETTINGS]) is True:
        return []
    own = ["|", ("res_id", ">", 0), ("create_uid", "=", odoo.user_id())]
    return ["|", ("public", "=", True), "&", ("res_field", "=", False), *own]
