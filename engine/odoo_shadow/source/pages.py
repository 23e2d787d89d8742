"""What a source returns: pages of records, and the records that it cannot give."""

from __future__ import annotations

from dataclasses import dataclass

from odoo_shadow.source.types import Record

DEFAULT_PAGE_SIZE = 2000
"""Records per page: beats 500 by about a third; beyond that nothing is gained (measured on Odoo 17 and 19)."""

DROPPED = "it lists the record, but does not return its values"
"""Why a record that Odoo lists and drops when it is read is not mirrored."""


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


@dataclass(frozen=True)
class CopyPage:
    """Records in the format of PostgreSQL's COPY, which are never turned into Python values.

    :param text: whole lines as PostgreSQL's `COPY … TO` writes them in its text format, by ascending id. Each has the
        values of a reading's fields in their order, as their columns are to hold them: those of `Page`, so a translated
        field in the language of the access, 0 where a number is NULL in Odoo's database, false where a boolean is, a
        datetime with its zone. Empty only in a last page.
    :param last_id: everything up to this id has been read.
    :param is_last: whether nothing comes after it.
    """

    text: bytes
    last_id: int
    is_last: bool


def share_read(page: Page | CopyPage, up_to_id: int | None) -> float:
    """Return about how much has been read with a page, from 0 to 1, judging by the ids."""
    if page.is_last or not up_to_id:
        return 1.0
    return min(max(page.last_id / up_to_id, 0.0), 1.0)
