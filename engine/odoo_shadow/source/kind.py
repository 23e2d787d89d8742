"""The sources that there are, by the words of settings."""

from __future__ import annotations

from enum import StrEnum


class SourceKind(StrEnum):
    """Where Odoo's records are read: through its API as a login sees them, or in Odoo's own database."""

    API = "api"
    DATABASE = "database"
