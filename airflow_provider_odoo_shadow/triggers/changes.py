"""Log lines about the wait, one whenever something has changed."""

from __future__ import annotations

from airflow_provider_odoo_shadow.triggers.question import Reply
from odoo_shadow.text.log import logger

log = logger(__name__)


class ChangeLog:
    """Remembers what was logged of the last reply: after a shadow that could not be reached, all is said again."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def tell(self, reply: Reply) -> None:
        """Log the sentences that are new since the last reply."""
        for about, sentence in reply.said.items():
            if self._said.get(about) != sentence:
                if reply.is_trouble:
                    log.warning("%s It is asked again.", sentence)
                else:
                    log.info("%s", sentence)
        self._said = dict(reply.said)
