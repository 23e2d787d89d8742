"""Pages of records, by key.

Paging by `id > last` is the only way that loses nothing while others write: an offset skips rows when the set changes,
and `order="write_date, id"` sorts by microseconds that are not visible over the API.

A page that is too much for the server is halved, down to one record; a record that it cannot give even alone is passed
over and reported. A page that is too large for memory on this side is read in smaller ones, according to its size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from odoo_shadow.source.api.client import TOO_MUCH, OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO, id_range
from odoo_shadow.source.api.dropped import DROPPED_WITH_FIELDS, MOST_DROPPED, complete
from odoo_shadow.source.api.page_size import PageSize
from odoo_shadow.source.api.refused_fields import REFUSALS, raise_if_refused
from odoo_shadow.source.api.variants import add_variants
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooError,
    OdooLargeAnswerError,
    OdooRequestError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnreadableRecordsError,
    misfit,
    shared_id,
    text_for_id,
)
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE, DROPPED, Page, Unreadable
from odoo_shadow.source.reading import BEFORE_ALL, Reading
from odoo_shadow.source.types import Domain, Record
from odoo_shadow.source.values import is_id
from odoo_shadow.text.log import logger

log = logger(__name__)

MOST_UNREADABLE = 20
MOST_IN_A_ROW = 2
"""Records of one scan that may be passed over, in total and in a row; with more, something else is wrong."""

MOST_FORBIDDEN = 200
"""Records of one scan that the login has no right to read, passed over one by one; each costs some calls per run."""
_PROBES = 8

MOST_EMPTY_IN_A_ROW = 20
"""Pages with ids only, since the records have gone meanwhile; with more in a row, the scan might never end."""

MOST_SEARCHES = 3  # for fields that Odoo refuses, in one scan; if the first finds none, it is hardly the fields

_SPLITTABLE = (*TOO_MUCH, OdooRequestError)

_OF_FIELDS = ("UndefinedColumn", "UndefinedTable")
"""Errors of Odoo's database that are a field's fault, whatever the record: a view lacks what its model declares."""

_UNSENDABLE = "cannot marshal None"  # 17.0 over XML-RPC, for properties of a record that have never been set


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

    A short page does not end it, since a server may cap its pages; it ends at `up_to_id`, or when no id is left.
    The last page, and no other, has `is_last`. `up_to_id` None reads nothing.

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


def _id(record: Record) -> int:
    """Return the id of a record whose id has been checked."""
    record_id = record["id"]
    if not is_id(record_id):
        raise AssertionError("its id has not been checked")
    return record_id


def _said(error: OdooError) -> str:
    """Return what Odoo itself says in an error."""
    return (error.said if isinstance(error, REFUSALS) else "") or str(error)


class _PageReader:
    """Reads one page after the other, in sizes that the server can give."""

    def __init__(self, client: OdooClient, reading: Reading, domain: Domain, up_to_id: int, page_size: int) -> None:
        self._client = client
        self._reading = reading
        self._model = reading.model
        self._fields = reading.fields
        self._domain = [*reading.domain, *domain]
        self._up_to_id = up_to_id
        self._size = PageSize(page_size)
        self._unreadable = 0
        self._in_a_row: list[int] = []
        self._gives_some = False
        self._empty_in_a_row = 0
        self._dropped = 0
        self._searches = 0
        self._read_already: deque[Page] = deque()

    def read(self, after_id: int) -> Page:
        """Read the page after an id, in halves if need be.

        :raises OdooRefusedFieldsError: Odoo gives records only without some of the fields.
        """
        if self._read_already:
            return self._read_already.popleft()
        while True:
            before = self._client.received_bytes
            try:
                records, dropped, last_id = self._read(after_id)
            except OdooLargeAnswerError as error:
                self._size.shrink(len(self._ids_left(after_id, self._size.records)), error.answer_bytes)
                log.info(
                    "%s after id %d: going on with pages of %d: %s", self._model, after_id, self._size.records, error
                )
                continue
            except (*_SPLITTABLE, OdooAccessError) as error:
                if isinstance(error, OdooServerError) and error.is_misfit:
                    raise
                self._look_for_fields(after_id, error)
                if self._size.records == 1:
                    return self._pass_over(after_id, error)
                self._halve(after_id, error)
                continue
            self._in_a_row = []
            self._gives_some = False  # asked again at the next trouble: rights may be lost meanwhile
            self._size.grow(len(records), self._client.received_bytes - before)
            return self._with_dropped(dropped, after_id, Page(records, last_id, is_last=last_id >= self._up_to_id))

    def _read(self, after_id: int) -> tuple[list[Record], list[int], int]:
        """Return the records after an id, the ids that Odoo lists but does not give, and the id that these go up to.

        A full page needs no list of ids: Odoo dropped none of the records that it found for it. An empty page is not
        yet the end.
        """
        before = self._client.received_bytes
        records = self._search_read(after_id)
        last_id = self._check_order(records, after_id, self._up_to_id)
        missing = add_variants(self._client, self._reading, records, since=before)
        if not records:
            listed = self._ids_left(after_id)
            last_id = listed[-1] if listed else self._up_to_id
            missing.update(listed)
        elif len(records) < self._size.records:
            listed = self._client.search(self._model, self._window(after_id, last_id), context=ARCHIVED_TOO)
            missing.update(set(self._in_window(listed, after_id)).difference(map(_id, records)))
        if not missing:
            self._empty_in_a_row = 0
            return records, [], last_id
        whole, dropped = complete(
            self._client, self._reading, self._domain, records, missing, can_split=self._size.records > 1
        )
        self._empty_in_a_row = 0 if whole or dropped else self._empty_in_a_row + 1
        if self._empty_in_a_row > MOST_EMPTY_IN_A_ROW:
            raise self._misfit(f"it names ids after {after_id}, but gives no records")
        return whole, dropped, last_id

    def _search_read(self, after_id: int) -> list[Record]:
        return self._client.search_read(
            self._model,
            self._window(after_id),
            self._fields,
            limit=self._size.records,
            order="id",
            context=ARCHIVED_TOO,
            can_split=self._size.records > 1,
        )

    def _with_dropped(self, dropped: Sequence[int], after_id: int, page: Page) -> Page:
        """Return the next page, and queue the others: each dropped record is a page of its own, before the page.

        :raises OdooRefusedFieldsError: Odoo gives them without some of the fields.
        """
        if not dropped:
            return page
        raise_if_refused(self._client, self._reading, dropped, DROPPED_WITH_FIELDS)
        self._dropped += len(dropped)
        if self._dropped > MOST_DROPPED:
            raise OdooUnreadableRecordsError(
                f"{self._client.connection}: {self._model}: Odoo lists {self._dropped} records or more without "
                f"returning their values, such as {dropped[0]}: check whether the login has lost rights."
            )
        log.error("%s: records that Odoo lists, but does not return: %d (%d …)", self._model, len(dropped), dropped[0])
        pages = [Page([], after_id, is_last=False, unreadable=Unreadable(item, None, DROPPED)) for item in dropped]
        self._read_already.extend([*pages[1:], page])
        return pages[0]

    def _look_for_fields(self, after_id: int, error: OdooError) -> None:
        """Find out whether fields are the reason for an error that Odoo gave as an answer.

        :raises OdooRefusedFieldsError: they are.
        :raises OdooAccessError: the login may read nothing of these records.
        """
        may_be_fields = (
            isinstance(error, OdooAccessError)
            or getattr(error, "kind", "") in _OF_FIELDS
            or _UNSENDABLE in getattr(error, "said", "")
        )
        is_time = not self._searches or (self._size.records == 1 and self._searches < MOST_SEARCHES)
        if not (may_be_fields and is_time):
            return
        self._searches += 1
        try:
            records = self._client.search_read(
                self._model, self._window(after_id), ["id"], limit=self._size.records, order="id", context=ARCHIVED_TOO
            )
        except REFUSALS:
            if isinstance(error, OdooAccessError) and self._gives_any(after_id):
                return  # the cause is some of the records
            raise error from None
        self._check_order(records, after_id, self._up_to_id)
        raise_if_refused(self._client, self._reading, [_id(record) for record in records], _said(error))

    def _window(self, after_id: int, up_to_id: int | None = None) -> Domain:
        return [*self._domain, *id_range(after_id, self._up_to_id if up_to_id is None else up_to_id)]

    def _halve(self, after_id: int, error: OdooError) -> None:
        if isinstance(error, OdooTimeoutError):
            self._first_id(after_id)  # a server that does not answer this either is not slow but down: raises
            self._size.note_timeout()
        self._size.halve()
        log.warning("%s after id %d: going on with pages of %d: %s", self._model, after_id, self._size.records, error)

    def _pass_over(self, after_id: int, error: OdooError) -> Page:
        """Return a page for the record that Odoo cannot give. Raises if even its id cannot be read."""
        self._unreadable += 1
        record_id = self._first_id(after_id)
        if record_id is None:
            return Page([], after_id, is_last=True)
        self._in_a_row.append(record_id)
        if len(self._in_a_row) > MOST_IN_A_ROW:
            self._blame_fields_of_all(error)
        if self._are_too_many(error):
            raise error
        log.error("%s %d cannot be read: %s", self._model, record_id, error)
        unreadable = Unreadable(record_id, self._write_date(record_id), str(error))
        return Page([], record_id, is_last=record_id >= self._up_to_id, unreadable=unreadable)

    def _are_too_many(self, error: OdooError) -> bool:
        """Say whether so many records cannot be read that the cause is hardly the records."""
        if isinstance(error, OdooAccessError) and self._unreadable <= MOST_FORBIDDEN:
            return len(self._in_a_row) > MOST_IN_A_ROW and not self._gives_any(self._in_a_row[-1])
        return self._unreadable > MOST_UNREADABLE or len(self._in_a_row) > MOST_IN_A_ROW

    def _gives_any(self, after_id: int) -> bool:
        """Find out whether the login may read any of the next records; if they are few, any at all."""
        if not self._gives_some:
            ids = self._ids_left(after_id, MOST_FORBIDDEN)
            if len(ids) <= MOST_UNREADABLE:
                ids = self._client.search(self._model, self._window(BEFORE_ALL), context=ARCHIVED_TOO)
            some = {ids[len(ids) * part // _PROBES] for part in range(_PROBES)} | {ids[-1]} if ids else set()
            self._gives_some = not all(self._is_refused(item) for item in some)
        return self._gives_some

    def _blame_fields_of_all(self, error: OdooError) -> None:
        """Raise `OdooRefusedFieldsError` when fields are why Odoo refuses not only some records, but also the last."""
        if not isinstance(error, OdooRequestError):
            return
        last = self._client.search(
            self._model, self._window(BEFORE_ALL), limit=1, order="id desc", context=ARCHIVED_TOO
        )
        ids = sorted({*self._in_a_row, *last})
        if len(ids) > len(self._in_a_row) and all(self._is_refused(item) for item in ids):
            raise_if_refused(self._client, self._reading, ids, _said(error))

    def _is_refused(self, record_id: int) -> bool:
        try:
            read_ids(self._client, self._model, self._fields, [record_id])
        except REFUSALS:
            return True
        return False

    def _first_id(self, after_id: int) -> int | None:
        window = self._window(after_id)
        ids = self._client.search(self._model, window, limit=1, order="id", context=ARCHIVED_TOO)
        return self._in_window(ids, after_id)[0] if ids else next(iter(self._ids_left(after_id)), None)

    def _ids_left(self, after_id: int, limit: int | None = None) -> list[int]:
        """Return the next ids. Without a limit none is left out: see `highest_id`."""
        ids = self._client.search(self._model, self._window(after_id), limit=limit, order="id", context=ARCHIVED_TOO)
        return self._in_window(ids, after_id)[: limit or self._size.records]

    def _in_window(self, ids: Sequence[int], after_id: int) -> list[int]:
        """Return ids in order, each once; an id that was not asked for could make a scan loop for ever."""
        for item in ids:
            if not after_id < item <= self._up_to_id:
                raise self._misfit(f"the id {item} is not after {after_id}, up to {self._up_to_id}")
        return sorted(set(ids))

    def _write_date(self, record_id: int) -> str | None:
        if "write_date" not in self._fields:
            return None
        try:
            records = read_ids(self._client, self._model, ["write_date"], [record_id])
        except (*_SPLITTABLE, OdooAccessError):
            return None
        value = records[0].get("write_date") if records else None
        return value if isinstance(value, str) else None

    def _check_order(self, records: Sequence[Record], after_id: int, up_to_id: int) -> int:
        """Make sure that the records are those after an id, in order; return the last one's id."""
        last_id = after_id
        for record in records:
            record_id = record.get("id")
            if isinstance(record_id, str):
                raise text_for_id(f"{self._client.connection}: {self._model}", record_id)
            if record_id == last_id and record is not records[0]:
                raise shared_id(f"{self._client.connection}: {self._model}", last_id)
            if not is_id(record_id) or not last_id < record_id <= up_to_id:
                raise self._misfit(f"a page is not in ascending order of id after {last_id}, up to {up_to_id}")
            last_id = record_id
        return last_id

    def _misfit(self, what: str) -> OdooServerError:
        return misfit(f"{self._client.connection}: {self._model}", what)
