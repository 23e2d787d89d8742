"""How many records to ask for at once: as many as the server can give, and as memory should hold."""

from __future__ import annotations

from odoo_shadow.source.api.http import PAGE_BYTES

GOOD_PAGES_BEFORE_LARGER = 10
"""How many good pages it takes to try larger ones again, after one has timed out."""

_AIMED_AT = PAGE_BYTES * 3 // 4
"""Bytes that a larger page should have: less than the limit, since records differ in size."""


class PageSize:
    """The number of records to ask for next; the caller reports the outcome of each page.

    After an answer that was too large, larger pages are tried only after as many records have been read: so the server
    does its work at most about twice, wherever the large records are. A record that is larger than a page is found in a
    few steps, and sent in each of them.

    :ivar records: how many to ask for.
    """

    def __init__(self, most: int) -> None:
        self.records = most
        self._page_size = self._most = most
        self._good_in_a_row = 0
        self._read_since: int | None = None
        self._seen_bytes = 0.0
        self._seen_records = 0.0

    def halve(self) -> None:
        """Ask for half after an error."""
        self.records = max(1, self.records // 2)

    def note_timeout(self) -> None:
        """Stay below the size that timed out for a while: finding it out again would be expensive."""
        self._most, self._good_in_a_row = max(1, self.records // 2), 0

    def shrink(self, records: int, answer_bytes: int) -> None:
        """Ask for as many as fit, given that this many records had this many bytes, and for at most half."""
        records = max(1, min(records, self.records))
        self._read_since = 0
        self.records = max(1, min(records // 2, records * _AIMED_AT // max(1, answer_bytes)))

    def grow(self, records: int, page_bytes: int) -> None:
        """Go back to larger pages after a good one."""
        self._good_in_a_row += 1
        if self._good_in_a_row % GOOD_PAGES_BEFORE_LARGER == 0:
            self._most = min(self._page_size, self._most * 2)
        larger = min(self._most, self.records * 2)
        if self._read_since is not None:
            self._read_since += records
            larger = min(larger, self._read_since, self._fitting(records, page_bytes))
        self.records = max(larger, min(self.records, self._most))

    def _fitting(self, records: int, page_bytes: int) -> int:
        """Return how many records fit if they are like the last ones, the very last counting most."""
        self._seen_bytes = self._seen_bytes / 2 + min(page_bytes, PAGE_BYTES)
        self._seen_records = self._seen_records / 2 + records
        return int(_AIMED_AT * self._seen_records / max(1.0, self._seen_bytes))
