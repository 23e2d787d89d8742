"""A run's identity, and the options with which it mirrors a model."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.state.lease import LEASE
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE

LARGEST_PAGE = 10_000
"""Records per page at most; larger pages are not faster and come near Odoo's limits of time and memory."""

LONGEST_LOOK_BACK = timedelta(days=31)
LONGEST_WAIT_FOR_TABLE = timedelta(days=1)

WAIT_FOR_TABLE = LEASE + timedelta(seconds=30)
"""How long a run waits for a table that another one writes: long enough to outlive a dead writer's lease."""


@dataclass(frozen=True)
class Run:
    """One run, as the log and the leases know it.

    :param id: the same for every table of a run, and for every try of it.
    :param holder: the name that other runs see when this one holds a table.
    """

    id: UUID = field(default_factory=uuid4)
    holder: str = field(default_factory=lambda: f"odoo-shadow on {socket.gethostname()}, process {os.getpid()}")


@dataclass(frozen=True)
class MirrorOptions:
    """How to mirror a model.

    :param full: read everything again, not only what changed.
    :param batch_size: records per page.
    :param look_back: how far a window reaches back before the last watermark; longer than Odoo's longest transaction.
    :param on_delete: what to do with rows that are gone from Odoo; None for the same as in the last run.
    :param allow_mass_delete: allow a suspicious share of a table's rows to be removed at once.
    :param wait: how long to wait for a table that another run writes.

    :raises MirrorConfigurationError: a value is out of its bounds.
    """

    full: bool = False
    batch_size: int = DEFAULT_PAGE_SIZE
    look_back: timedelta = DEFAULT_LOOK_BACK
    on_delete: OnDelete | None = None
    allow_mass_delete: bool = False
    wait: timedelta = WAIT_FOR_TABLE

    def resolved(self, kept: OnDelete) -> MirrorOptions:
        """Return the same options, with `on_delete` decided.

        :param kept: the mode of the last run.
        """
        return self if self.on_delete is not None else replace(self, on_delete=kept)

    @property
    def removal(self) -> OnDelete:
        """What to do with rows that are gone from Odoo; only after `resolved`."""
        if self.on_delete is None:
            raise AssertionError("on_delete is not decided yet: call `resolved` first")
        return self.on_delete

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= LARGEST_PAGE:
            raise MirrorConfigurationError(f"batch_size is {self.batch_size}, but must be 1 to {LARGEST_PAGE}.")
        if not timedelta(0) <= self.look_back <= LONGEST_LOOK_BACK:
            raise MirrorConfigurationError(
                f"look_back is {self.look_back}, but must be 0 to {LONGEST_LOOK_BACK.days} days."
            )
