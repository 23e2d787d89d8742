"""Errors in settings, and errors that a person has to decide about."""

from odoo_shadow.text.errors import ShownError


class MirrorConfigurationError(ShownError, ValueError):
    """A setting of a mirror or a run is invalid; the message says which, and what it must be."""


class MassDeletionError(ShownError, RuntimeError):
    """A suspicious share of a table's rows is gone from Odoo; the message names the option that allows it."""


class VerificationError(ShownError, RuntimeError):
    """A table differs from Odoo, and was not repaired."""
