"""What the server answers instead of a result."""

from __future__ import annotations

from odoo_shadow.text.errors import ShownError


class RefusedError(ShownError):
    """A request is refused; the message tells a language model why, and what to ask instead."""
