"""What goes wrong while texts are made vectors."""

from __future__ import annotations

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.text.errors import ShownError


class EmbeddingConfigurationError(MirrorConfigurationError):
    """A setting of the embeddings is missing or wrong; the message says what to do."""


class EmbeddingError(ShownError):
    """There are no vectors now; what is done is kept, and the next run goes on from there."""


class EmbeddingRetriableError(EmbeddingError):
    """Try again later.

    :ivar retry_after: seconds that the endpoint asks to wait; None if it says nothing.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SlowAnswerError(EmbeddingRetriableError):
    """There was no answer in time: fewer texts at once may be answered."""


class RefusedTextError(EmbeddingError):
    """One of the texts cannot be made a vector; others can."""
