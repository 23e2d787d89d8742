"""What can go wrong with a tool: one sentence for the person who called it."""

from __future__ import annotations

from pathlib import Path


class ToolError(Exception):
    """Something is wrong; the message says what, in one sentence.

    :param log: a file that tells more.
    """

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log
