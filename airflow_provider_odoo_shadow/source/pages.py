"""Pages of records, by key.

Paging by `id > last` is the only way that loses nothing while others write: an offset skips rows when the set moves,
and `order="write_date, id"` sorts by microseconds that nobody outside sees.

A page that is too much for the server is halved, down to one record; a record that it cannot give even alone is passed
over and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airflow_provider_odoo_shadow.source.answers import is_id, misfit
from airflow_provider_odoo_shadow.source.client import TOO_MUCH, OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooError, OdooRequestError, OdooServerError, OdooTimeoutError
from airflow_provider_odoo_shadow.source.reading import ARCHIVED_TOO, BEFORE_ALL, Reading, add_variants
from airflow_provider_odoo_shadow.source.types import Domain, Record
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

DEFAULT_PAGE_SIZE = 2000
"""Records a page: beats 500 by about a third; beyond that nothing is gained (measured on Odoo 17 and 19)."""

MOST_UNREADABLE = 20
MOST_IN_A_ROW = 2
"""Records of one scan that may be passed over, in all and one after the other; with more, something else is wrong."""

MOST_EMPTY_IN_A_ROW = 20
"""Pages of which only ids were found, since the records had gone meanwhile; with more, it would never end."""

GOOD_PAGES_BEFORE_LARGER = 10
"""After a page has timed out."""

_SPLITTABLE = (*TOO_MUCH, OdooRequestError)


@dataclass(frozen=True)
class Unreadable:
    """A record that Odoo cannot give.

    :param write_date: as Odoo gives it, None when it cannot give even that.
    """

    id: int
    write_date: str | None
    reason: str


@dataclass(frozen=True)
class Page:
    """Records with ascending ids.

    :param last_id: everything up to this id has been read.
    :param is_last: whether nothing comes after it; only then, or with an unreadable record, may there be no records.
    """

    records: list[Record]
    last_id: int
    is_last: bool
    unreadable: Unreadable | None = None

    def share_of(self, up_to_id: int | None) -> float:
        """Return about how much has been read, from 0 to 1, as ids tell it."""
        if self.is_last or not up_to_id:
            return 1.0
        return min(max(self.last_id / up_to_id, 0.0), 1.0)


def newest_id(client: OdooClient, reading: Reading, domain: Domain = ()) -> int | None:
    """Return the highest id among a reading's records that match, archived ones too; None when there are none.

    Counts first: `mail.message` and `mail.activity` apply a search's limit before they leave out what the login may
    not see (`_search` in Odoo 17.0 and 19.0), so a search for one record may find none although there are others.
    """
    model, wanted = reading.model, reading.within(domain)
    if not client.search_count(model, wanted, context=ARCHIVED_TOO):
        return None
    ids = client.search(model, wanted, limit=1, order="id desc", context=ARCHIVED_TOO)
    return max(ids or client.search(model, wanted, context=ARCHIVED_TOO), default=None)


def read_pages(
    client: OdooClient,
    reading: Reading,
    domain: Domain = (),
    *,
    after_id: int = BEFORE_ALL,
    up_to_id: int | None,
    page_size: int = DEFAULT_PAGE_SIZE,
) -> Iterator[Page]:
    """Yield a reading's records that match with `after_id < id <= up_to_id`, archived ones too, by ascending id.

    A short page does not end it, since a server may cap its pages; only `up_to_id` does, or that no id is left.
    The last page, and no other, has `is_last`.

    :param up_to_id: None reads nothing.
    :raises OdooServerError: the server's order or filter is not what was asked for.
    """
    if up_to_id is None or after_id >= up_to_id:
        yield Page([], after_id, is_last=True)
        return
    reader = _PageReader(client, reading, domain, up_to_id, page_size)
    page = reader.read(after_id)
    while not page.is_last:
        yield page
        page = reader.read(page.last_id)
    yield page


def read_ids(client: OdooClient, model: str, fields: Sequence[str], ids: Sequence[int]) -> list[Record]:
    """Read records by their ids; those that are gone are left out."""
    return client.search_read(model, [("id", "in", list(ids))], fields, order="id", context=ARCHIVED_TOO)


class _PageReader:
    """Reads one page after the other, in sizes that the server can give."""

    def __init__(self, client: OdooClient, reading: Reading, domain: Domain, up_to_id: int, page_size: int) -> None:
        self._client = client
        self._reading = reading
        self._model = reading.model
        self._fields = reading.fields
        self._domain = [*reading.domain, *domain]
        self._up_to_id = up_to_id
        self._page_size = page_size
        self._size = self._most = page_size
        self._good_in_a_row = 0
        self._unreadable = 0
        self._in_a_row = 0
        self._empty_in_a_row = 0

    def read(self, after_id: int) -> Page:
        """Read the page after an id, in halves if need be."""
        while True:
            try:
                records, last_id = self._read(after_id)
                add_variants(self._client, self._reading, records)
            except _SPLITTABLE as error:
                if isinstance(error, OdooServerError) and error.is_misfit:
                    raise
                if self._size == 1:
                    return self._pass_over(after_id, error)
                self._halve(after_id, error)
                continue
            self._in_a_row = 0
            self._grow()
            return Page(records, last_id, is_last=last_id >= self._up_to_id)

    def _read(self, after_id: int) -> tuple[list[Record], int]:
        """Return the records after an id, and up to which id that is all; an empty page is not yet the end."""
        records = self._search_read(after_id)
        if records:
            self._empty_in_a_row = 0
            return records, self._check_order(records, after_id, self._up_to_id)
        ids = self._ids_left(after_id)
        if not ids:
            return [], self._up_to_id
        records = read_ids(self._client, self._model, self._fields, ids)
        self._check_order(records, after_id, ids[-1])
        self._empty_in_a_row = 0 if records else self._empty_in_a_row + 1
        if self._empty_in_a_row > MOST_EMPTY_IN_A_ROW:
            raise self._misfit(f"it names ids after {after_id}, but gives no records")
        return records, ids[-1]

    def _search_read(self, after_id: int) -> list[Record]:
        return self._client.search_read(
            self._model,
            self._window(after_id),
            self._fields,
            limit=self._size,
            order="id",
            context=ARCHIVED_TOO,
            can_split=self._size > 1,
        )

    def _window(self, after_id: int) -> Domain:
        return [*self._domain, ("id", ">", after_id), ("id", "<=", self._up_to_id)]

    def _halve(self, after_id: int, error: OdooError) -> None:
        if isinstance(error, OdooTimeoutError):
            self._first_id(after_id)  # a server that does not answer this either is not slow but down: raises
            self._most, self._good_in_a_row = self._size // 2, 0
        self._size //= 2
        log.warning("%s after id %d: going on with pages of %d: %s", self._model, after_id, self._size, error)

    def _grow(self) -> None:
        """Go back to larger pages; to those that took too long, which is dear to find out, only after a while."""
        self._good_in_a_row += 1
        if self._good_in_a_row % GOOD_PAGES_BEFORE_LARGER == 0:
            self._most = min(self._page_size, self._most * 2)
        self._size = min(self._most, self._size * 2)

    def _pass_over(self, after_id: int, error: OdooError) -> Page:
        """Find out which record it is that Odoo cannot give. Raises when that does not work either."""
        self._unreadable += 1
        self._in_a_row += 1
        record_id = self._first_id(after_id)
        if record_id is None:
            return Page([], after_id, is_last=True)
        if self._unreadable > MOST_UNREADABLE or self._in_a_row > MOST_IN_A_ROW:
            raise error
        log.error("%s %d cannot be read: %s", self._model, record_id, error)
        unreadable = Unreadable(record_id, self._write_date(record_id), str(error))
        return Page([], record_id, is_last=record_id >= self._up_to_id, unreadable=unreadable)

    def _first_id(self, after_id: int) -> int | None:
        window = self._window(after_id)
        ids = self._client.search(self._model, window, limit=1, order="id", context=ARCHIVED_TOO)
        return self._in_window(ids, after_id)[0] if ids else next(iter(self._ids_left(after_id)), None)

    def _ids_left(self, after_id: int) -> list[int]:
        """Return the next ids, asked for without a limit: see `newest_id`."""
        ids = self._client.search(self._model, self._window(after_id), order="id", context=ARCHIVED_TOO)
        return self._in_window(ids, after_id)[: self._size]

    def _in_window(self, ids: Sequence[int], after_id: int) -> list[int]:
        """Return ids in order, each once. One that was not asked for could send a scan round in a circle."""
        for item in ids:
            if not after_id < item <= self._up_to_id:
                raise self._misfit(f"the id {item} is not after {after_id}, up to {self._up_to_id}")
        return sorted(set(ids))

    def _write_date(self, record_id: int) -> str | None:
        if "write_date" not in self._fields:
            return None
        try:
            records = read_ids(self._client, self._model, ["write_date"], [record_id])
        except _SPLITTABLE:
            return None
        value = records[0].get("write_date") if records else None
        return value if isinstance(value, str) else None

    def _check_order(self, records: Sequence[Record], after_id: int, up_to_id: int) -> int:
        """Make sure that the records are those after an id, in order; return the last one's id."""
        last_id = after_id
        for record in records:
            record_id = record.get("id")
            if not is_id(record_id) or not last_id < record_id <= up_to_id:
                raise self._misfit(f"a page is not in ascending order of id after {last_id}, up to {up_to_id}")
            last_id = record_id
        return last_id

    def _misfit(self, what: str) -> OdooServerError:
        return misfit(f"{self._client.connection}: {self._model}", what)
