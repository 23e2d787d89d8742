"""What can be wrong with a request, or must be asked of a person."""

from odoo_shadow.text.errors import ShownError


class MirrorConfigurationError(ShownError, ValueError):
    """A setting of a mirror or a run makes no sense; the message says which and what it should be."""


class MassDeletionError(ShownError, RuntimeError):
    """A suspicious share of a table's rows is gone from Odoo; the message names the switch that lets them go."""


class VerificationError(ShownError, RuntimeError):
    """A table differs from Odoo, and was not repaired."""
