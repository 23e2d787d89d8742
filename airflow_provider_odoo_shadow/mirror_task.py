"""What a task that mirrors or verifies knows of its work: for its links, its lineage and its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import ShadowDatabase


@dataclass(frozen=True)
class Sides:
    """Between which databases a task works.

    :param odoo_url: Odoo's address, without a login.
    :param shadow: closed when the task has ended; it still says where it is.
    """

    odoo_url: str
    odoo_database: str
    shadow: ShadowDatabase


@runtime_checkable
class MirrorTask(Protocol):
    """An operator that mirrors or verifies models."""

    @property
    def mirror_name(self) -> str:
        """The mirror's name."""

    @property
    def asked_models(self) -> Sequence[str]:
        """The models that the task was given. They may come from outside."""

    @property
    def results(self) -> Sequence[MirrorResult]:
        """What it did to each model, in its newest execution; also after one that failed."""

    @property
    def sides(self) -> Sides | None:
        """Set as soon as an execution knows them."""
