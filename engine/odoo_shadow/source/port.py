"""What the engine asks a source of Odoo's records, whatever brings them: the API, Odoo's own database, a test.

A source answers for what one reader sees. Whatever it is asked, it raises an `OdooError` when it cannot answer, and it
checks what it is given: the engine relies on ids that are in order and on records that were asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from odoo_shadow.source.fields import Field, FieldsState
from odoo_shadow.source.models import Discovery
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Labels, Reading, Where
from odoo_shadow.text.findings import Finding

DEFAULT_LANGUAGE = "en_US"

MOST_SKEW = timedelta(days=1)
"""How far ahead of this machine's clock a server's may be and still be believed."""


@dataclass(frozen=True)
class Reader:
    """Who reads which Odoo database, and how much at a time.

    :param name: how messages call the connection.
    :param login: whose rights decide which records there are.
    :param lang: of translated texts; None for `DEFAULT_LANGUAGE`.
    :param company_ids: the companies whose records are read, the first is the main one; none for all.
    :param hash_secret: the key of fields of which only a hash is kept.
    :param parallel: how many questions may be asked at the same time.
    """

    name: str
    url: str
    database: str
    login: str
    lang: str | None = None
    company_ids: tuple[int, ...] = ()
    hash_secret: str | None = field(default=None, repr=False)
    parallel: int = 2

    def __str__(self) -> str:
        """Name the connection, as messages do."""
        return self.name

    @property
    def read_as(self) -> str:
        """What decides which values there are: the login, the language and the companies."""
        companies = ", ".join(map(str, self.company_ids)) or "all companies"
        return f"'{self.login}', {self.lang or DEFAULT_LANGUAGE}, {companies}"


@dataclass(frozen=True)
class DatabaseState:
    """What Odoo's database says of itself.

    :param uuid: its `database.uuid`, None when the reader may not know it.
    :param is_neutralized: whether it is a copy that Odoo has made harmless, for tests; None when that is not known.
    """

    uuid: str | None
    is_neutralized: bool | None


@dataclass(frozen=True)
class Clock:
    """The time by the source's clock and by this machine's (UTC).

    :param source: in whole seconds. Whatever was committed before it is seen by every read that follows: a source that
        reads a replica gives the time up to which that has caught up, not the time of its primary.
    """

    source: datetime
    local: datetime

    @property
    def trusted(self) -> datetime:
        """A moment that may become a watermark: the source's clock, but never ahead of this machine's.

        A clock that lies ahead once would otherwise hide every edit until then. Where this machine's clock is behind,
        more is read again, and nothing is lost. Where both are ahead, nothing tells.
        """
        return min(self.source, self.local.replace(microsecond=0))

    @property
    def latest(self) -> datetime:
        """The latest moment that it may be now, by which to tell what lies in the future.

        Either clock may be behind: this machine's behind the other workers', or one of Odoo's servers behind the
        others. A source's clock that is ahead counts for at most `MOST_SKEW`.
        """
        return max(self.local, min(self.source, self.local + MOST_SKEW))


@dataclass(frozen=True)
class ModelAbout:
    """What Odoo calls a model, and the modules that make or extend it; None when the reader may not know them."""

    label: str
    modules: str | None


@dataclass(frozen=True)
class RecordDates:
    """When a record was written and made, None where Odoo does not tell."""

    written_at: datetime | None
    made_at: datetime | None


class Catalogue(Protocol):
    """What there is to read."""

    @property
    def readable_models(self) -> Mapping[str, str]:
        """The models that the reader may read and that have records, and what Odoo calls them; empty if not known."""

    def discover(self) -> Discovery:
        """Return the models of the server."""

    def has_model(self, model: str) -> bool:
        """Say whether the server has a model, even if the reader may not read it."""

    def about(self, model: str) -> ModelAbout:
        """Return what a model is called."""

    def describe(self, model: str) -> list[Field]:
        """Return the fields of a model that the reader may read, by name.

        :raises OdooUnknownModelError: there is no such model.
        """

    def stored_fields(self, models: Sequence[str]) -> Mapping[str, Collection[str]] | None:
        """Return the names of all stored fields, even of those that the reader may not read; None if not known."""

    def field_states(self, models: Sequence[str]) -> dict[str, FieldsState]:
        """Return the state of models' fields; models that there are not, or that are not shown, are left out."""

    def field_identities(self, models: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return which fields models have now, by model and field: a text that differs when it is another field.

        Empty for each model when the reader may not know.
        """

    def languages(self) -> Labels:
        """Return the active languages."""

    def companies(self) -> Labels:
        """Return the companies that are read."""

    def check_language(self) -> None:
        """Make sure that the reader's language is one that Odoo has."""

    def foundations(self, model: str, properties: Sequence[str], *, company_dependent: bool) -> str:
        """Return a text that differs when something has changed that values rest on besides their records.

        :param properties: names of fields whose definitions stand elsewhere.
        :param company_dependent: the model has fields that may show a default.
        """


class Records(Protocol):
    """What is in it. Archived records are there, too."""

    def count(self, reading: Reading, where: Where = EVERYWHERE) -> int:
        """Return how many records there are, without those that have no id."""

    def count_all(self, reading: Reading) -> int:
        """Return how many records there are, asked for without a word about ids."""

    def count_without_id(self, reading: Reading) -> int:
        """Return how many records have no id, as rows of an SQL view may."""

    def ids(self, reading: Reading, where: Where = EVERYWHERE, *, expected: int | None = None) -> set[int]:
        """Return the ids of the records, asked for without their fields.

        :param expected: how many there are at most, as far as the caller knows: with fewer, look twice. Says nothing
            where ids are named.
        :raises OdooRecordIdError: several records have one id.
        """

    def outermost_id(self, reading: Reading, *, lowest: bool) -> int:
        """Return the lowest or the highest id of a reading that has records, or one that is beyond all of them."""

    def highest_id(self, reading: Reading, where: Where = EVERYWHERE) -> int | None:
        """Return the highest id, None when there are no records.

        :raises OdooRecordIdError: the model's records cannot be looked for by their ids.
        """

    def newest_write_date(self, reading: Reading, where: Where, up_to: datetime) -> datetime | None:
        """Return the newest `write_date` up to a moment; an earlier one, or None, where it is not known."""

    def pages(
        self,
        reading: Reading,
        where: Where = EVERYWHERE,
        *,
        after_id: int = BEFORE_ALL,
        up_to_id: int | None,
        page_size: int,
    ) -> Iterator[Page]:
        """Yield the records with `after_id < id <= up_to_id`, by ascending id; `up_to_id` None reads nothing.

        The last page, and no other, has `is_last`.

        :raises OdooRefusedFieldsError: some fields keep the source from giving records.
        :raises OdooUnreadableRecordsError: so many records cannot be read that something else is wrong.
        """

    def copy_pages(
        self, reading: Reading, where: Where, *, after_id: int, up_to_id: int | None, page_size: int
    ) -> Iterator[CopyPage] | None:
        """Yield the same records as `pages`, with the same values, as COPY takes them; None if it cannot.

        It is asked only for readings without variants, and not where this side hashes or filters values.
        """

    def dates(self, model: str, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        """Return when records were written, and made if asked for, by id; those that are gone are left out."""

    def hides(self, model: str, ids: Sequence[int]) -> bool:
        """Say whether some of these records are there, but not for this reader."""


class Source(Catalogue, Records, Protocol):
    """One Odoo database, seen by one reader. Safe to use from several threads."""

    @property
    def reader(self) -> Reader:
        """Who reads."""

    @property
    def protocol(self) -> str:
        """How it reads, as the log of a run says."""

    @property
    def opened_at(self) -> float:
        """When it was made, by `time.monotonic`: what its own login writes in Odoo is later."""

    def user_id(self) -> int:
        """Return the id of the reader's user; makes sure of the login."""

    def database_state(self) -> DatabaseState:
        """Return what Odoo's database says of itself; asked once."""

    def clock(self) -> Clock:
        """Read both clocks."""

    def examine(self) -> Iterator[Finding]:
        """Tell what the reader can do and what not, apart from single models."""
