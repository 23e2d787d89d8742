"""Finds the fields that keep Odoo from giving records that it gives without them.

Odoo 17.0 refuses `hr.employee` to a login without HR rights for `skill_ids`; 19.0 drops every employee, and says
nothing, when `current_version_id` is among the fields; 19.0 refuses a portal login partners for `category_id`; both
show stored fields of some SQL views that the view does not have (`vendor.delay.report`).

The fields are bisected over the records in question: each one found costs about the logarithm of their number in calls.
Of fields that are only refused together, one is left out. Errors that no field causes, such as a timeout, are raised.
"""

from __future__ import annotations

from collections.abc import Sequence

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.api.variants import add_variants
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooLargeAnswerError,
    OdooRefusedFieldsError,
    OdooRequestError,
    misfit,
)
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.values import is_id
from odoo_shadow.text.log import logger

log = logger(__name__)

MOST_REFUSED = 40
"""Refused fields of one model that are searched for; with more, the login is the wrong one."""

MOST_RECORDS = 200
"""The most records over which fields are bisected."""

_ENOUGH_TO_DOUBT = 3

_ALWAYS = frozenset({"id", "write_date"})

REFUSALS = (OdooAccessError, OdooRequestError)
"""The errors with which Odoo refuses a call that it understood."""


def find_refused_fields(client: OdooClient, reading: Reading, ids: Sequence[int]) -> tuple[str, ...]:
    """Return those of a reading's keys without which Odoo gives some records; none when they are not the reason.

    :param ids: records that Odoo did not give.
    """
    trial = _Trial(client, reading, ids)
    candidates = [key for key in reading.keys if key not in _ALWAYS]
    refused: list[str] = []
    for sample in dict.fromkeys((trial.ids[:1], trial.ids)):  # most refusals do not depend on the record
        found = trial.find([key for key in candidates if key not in refused], sample, MOST_REFUSED - len(refused))
        if found is None:
            return ()
        refused += found
    return tuple(refused)


def raise_if_refused(client: OdooClient, reading: Reading, ids: Sequence[int], reason: str) -> None:
    """Find out whether fields are why Odoo did not give some records.

    :param reason: what it said, or did.
    :raises OdooRefusedFieldsError: they are.
    """
    refused = find_refused_fields(client, reading, ids)
    if refused:
        raise OdooRefusedFieldsError(
            f"{client.connection}: Odoo does not give '{client.connection.login}' records of {reading.model} together "
            f"with {', '.join(refused)} ({reason}). A sync leaves these fields out.",
            fields=refused,
            reason=reason,
        )


class _Trial:
    """Reads the same records again and again, with more and with fewer fields.

    :ivar ids: those that Odoo gives with nothing but their ids.
    """

    def __init__(self, client: OdooClient, reading: Reading, ids: Sequence[int]) -> None:
        self._client = client
        self._reading = reading
        self._base = [key for key in reading.keys if key in _ALWAYS]
        try:
            self.ids = tuple(sorted(self._given((), ids[:MOST_RECORDS])))
        except REFUSALS:
            self.ids = ()

    def find(self, candidates: Sequence[str], ids: Sequence[int], at_most: int) -> list[str] | None:
        """Return the candidates without which Odoo gives these records; None when that is not enough.

        The first `passed` candidates have been read together without trouble, so the next one found comes after them.
        """
        found: list[str] = []
        left, passed = list(candidates), 0
        if self._fails((), ids):
            return None
        while self._fails(left, ids):
            if len(found) == at_most or passed == len(left):
                return None
            low, high = passed, len(left)
            while high - low > 1:
                middle = (low + high) // 2
                log.info("%s: searching for the field that Odoo refuses: %d left", self._reading.model, high - low)
                low, high = (low, middle) if self._fails(left[:middle], ids) else (middle, high)
            found.append(left.pop(high - 1))
            passed = high - 1
            if len(found) == _ENOUGH_TO_DOUBT and self._refuses_any(left, ids):
                return None
        return found

    def _refuses_any(self, candidates: Sequence[str], ids: Sequence[int]) -> bool:
        """Say whether every field seems to be refused, so that the cause is the records and not the fields."""
        some = {candidates[len(candidates) // 2], candidates[-1]} if candidates else set()
        return bool(some) and all(self._fails([key], ids) for key in some)

    def _fails(self, keys: Sequence[str], ids: Sequence[int]) -> bool:
        """Say whether Odoo refuses or drops some of the records; those that are gone meanwhile do not count."""
        try:
            lacking = set(ids) - self._given((*self._base, *keys), ids)
            return bool(lacking and self._given((), sorted(lacking)))
        except REFUSALS:
            return True

    def _given(self, keys: Sequence[str], ids: Sequence[int]) -> set[int]:
        """Return the ids of those records that Odoo gives with some keys, in every language and company."""
        if not ids:
            return set()
        try:
            return self._given_together(self._reading.of(keys), ids)
        except OdooLargeAnswerError:
            middle = len(ids) // 2
            return self._given(keys, ids[:middle]) | self._given(keys, ids[middle:])

    def _given_together(self, reading: Reading, ids: Sequence[int]) -> set[int]:
        before = self._client.received_bytes
        records = self._client.search_read(
            reading.model,
            [("id", "in", list(ids))],
            reading.fields,
            order="id",
            context=ARCHIVED_TOO,
            can_split=len(ids) > 1,
        )
        given = {item for record in records if is_id(item := record.get("id"))}
        if len(given) < len(records):
            raise misfit(f"{self._client.connection}: {reading.model}", "records without ids of their own")
        return given - add_variants(self._client, reading, records, since=before)
