"""What can be wrong with a request, or must be asked of a person."""


class MirrorConfigurationError(ValueError):
    """A setting of a mirror or a run makes no sense; the message says which and what it should be."""


class MassDeletionError(RuntimeError):
    """A suspicious share of a table's rows is gone from Odoo; the message names the switch that lets them go."""


class VerificationError(RuntimeError):
    """A table differs from Odoo, and was not repaired."""
