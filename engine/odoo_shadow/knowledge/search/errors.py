"""What keeps a search from being made."""

from __future__ import annotations

from odoo_shadow.mirror.errors import MirrorConfigurationError


class SearchError(MirrorConfigurationError):
    """There is nothing to search, or not what was asked for; the message says what to do."""
