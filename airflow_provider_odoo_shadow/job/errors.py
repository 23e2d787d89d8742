"""What can be wrong with a request before anything is read or written."""


class MirrorConfigurationError(ValueError):
    """A setting of a mirror or a run makes no sense; the message says which and what it should be."""
