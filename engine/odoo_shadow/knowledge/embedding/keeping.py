"""Keeps a worker's claims on documents for as long as it lives, however long an endpoint takes for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from odoo_shadow.knowledge.embedding.waiting import CLAIM, renew
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.text.log import logger

log = logger(__name__)

RENEWED = CLAIM.total_seconds() / 3
"""Seconds after which claims are renewed: two renewals may fail."""

_PATIENCE = 10.0
"""Seconds that the end waits for a renewal that is under way."""


@contextmanager
def keeping(shadow: ShadowDatabase, holder: UUID) -> Iterator[None]:
    """Renew a worker's claims now and then, by a connection of its own, which is opened when it is needed.

    A renewal that fails is tried again: at worst another worker makes the same vectors, of which the first are stored.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(shadow, holder, ended), name="odoo-shadow-claims", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_PATIENCE)


def _renew(shadow: ShadowDatabase, holder: UUID, ended: threading.Event) -> None:
    with shadow.another() as own:
        while not ended.wait(RENEWED):
            try:
                with own.transaction() as tx:
                    renew(tx, holder)
            except ShadowError as error:
                log.info("Claims on documents were not renewed: %s", error)
