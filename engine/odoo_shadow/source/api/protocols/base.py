"""The interface of the wire protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from odoo_shadow.source.types import Argument, Json


class OdooProtocol(Protocol):
    """A logged-in way to call models. The login happens with the first call."""

    @property
    def label(self) -> str:
        """Its name for people, such as `JSON-2`."""

    def call(
        self,
        model: str,
        method: str,
        args: Sequence[Argument],
        kwargs: Mapping[str, Argument],
        *,
        can_split: bool = False,
    ) -> Json:
        """Call a model's public method. Raises an `OdooError`.

        :param can_split: the caller can ask for less, so that a large answer is not read.
        """

    def user_id(self) -> int:
        """Return the id of the user that the credential belongs to. Raises an `OdooError`."""
