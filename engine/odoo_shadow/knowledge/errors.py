"""What can go wrong with documents, embeddings and searches."""

from __future__ import annotations

from odoo_shadow.mirror.errors import MirrorConfigurationError


class TemplateError(MirrorConfigurationError):
    """A document template names what there is not, or what must not be shown."""
