"""What keeps marts from being built at all."""

from __future__ import annotations

from odoo_shadow.mirror.errors import MirrorConfigurationError


class MartsError(MirrorConfigurationError):
    """dbt or a setting of the marts is missing or wrong; the message says what to do."""
