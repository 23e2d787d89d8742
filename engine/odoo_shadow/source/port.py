"""What the engine asks of a source of Odoo's records: the API, Odoo's own database, or a test's.

A source answers for what one login sees. Every method raises an `OdooError` when it cannot answer, and checks what it
returns: the engine relies on ids that are in order and on records that were asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from odoo_shadow.source.fields import Field, FieldsState
from odoo_shadow.source.groups import Grouping, Groups
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.models import Discovery
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Labels, Reading, Where
from odoo_shadow.source.versions import Versions
from odoo_shadow.text.findings import Finding

DEFAULT_LANGUAGE = "en_US"

MOST_SKEW = timedelta(days=1)
"""How far ahead of this machine's clock a server's may be and still be believed."""


@dataclass(frozen=True)
class Access:
    """Who reads which Odoo database, and how much at a time.

    :param name: how messages call the connection.
    :param login: whose rights decide which records there are.
    :param lang: of translated texts; None for `DEFAULT_LANGUAGE`.
    :param company_ids: the companies whose records are read, the main one first; none for all.
    :param hash_secret: the key of fields of which only a hash is kept.
    :param parallel: how many calls may be made at the same time.
    :param kind: which source it is.
    """

    name: str
    url: str
    database: str
    login: str
    lang: str | None = None
    company_ids: tuple[int, ...] = ()
    hash_secret: str | None = field(default=None, repr=False)
    parallel: int = 2
    kind: SourceKind = SourceKind.API

    def __str__(self) -> str:
        """Name the connection, as messages do."""
        return self.name

    @property
    def sees_all(self) -> bool:
        """Whether no record rule and no group hides anything."""
        return self.kind is SourceKind.DATABASE

    @property
    def read_as(self) -> str:
        """What determines which values there are: the login, the language and the companies."""
        companies = ", ".join(map(str, self.company_ids)) or "all companies"
        return f"'{self.login}', {self.lang or DEFAULT_LANGUAGE}, {companies}"


@dataclass(frozen=True)
class DatabaseState:
    """What Odoo's database says of itself.

    :param uuid: its `database.uuid`, None when the login has no right to read it.
    :param is_neutralized: whether it is a copy that Odoo has made harmless, for tests; None when that is not known.
    :param cluster: the identity of the PostgreSQL cluster that holds it, by a source that sees it: a replica has the
        same one, a restored dump another.
    """

    uuid: str | None
    is_neutralized: bool | None
    cluster: str | None = None


@dataclass(frozen=True)
class Clock:
    """The time by the source's clock and by this machine's (UTC).

    :param source: in whole seconds. Whatever was committed before it is seen by every read that follows, except what
        the look-back is for: long transactions, and replicas that lag. A source that knows how far its replica has
        caught up gives that time, not the time of its primary.
    """

    source: datetime
    local: datetime

    @property
    def trusted(self) -> datetime:
        """A moment that may become a watermark: the source's clock, but never ahead of this machine's.

        A clock that was ahead once would otherwise hide every edit until that time. If this machine's clock is behind,
        more is read again, and nothing is lost. If both are ahead, this is not noticed.
        """
        return min(self.source, self.local.replace(microsecond=0))

    @property
    def latest(self) -> datetime:
        """The latest time that it can be now: whatever is later lies in the future.

        Either clock may be behind: this machine's behind the other workers', or one of Odoo's servers behind the
        others. A source's clock that is ahead counts for at most `MOST_SKEW`.
        """
        return max(self.local, min(self.source, self.local + MOST_SKEW))


@dataclass(frozen=True)
class ModelAbout:
    """A model's label, and the modules that define or extend it; None when the login has no right to read them."""

    label: str
    modules: str | None


@dataclass(frozen=True)
class RecordDates:
    """When a record was written and created, None where Odoo does not say."""

    written_at: datetime | None
    made_at: datetime | None


class Models(Protocol):
    """What there is to read."""

    @property
    def readable_models(self) -> Mapping[str, str]:
        """The models that the login may read and that have records, with their labels; empty if not known."""

    def discover(self) -> Discovery:
        """Return the models of the server."""

    def has_model(self, model: str) -> bool:
        """Say whether the server has a model, even if the login may not read it."""

    def about(self, model: str) -> ModelAbout:
        """Return a model's label and modules."""

    def describe(self, model: str) -> list[Field]:
        """Return the fields of a model that the login may read, by name.

        :raises OdooUnknownModelError: there is no such model.
        """

    def stored_fields(self, models: Sequence[str]) -> Mapping[str, Collection[str]] | None:
        """Return the names of all stored fields, including those that the login cannot read; None if not known."""

    def field_states(self, models: Sequence[str]) -> dict[str, FieldsState]:
        """Return the state of models' fields, without models that do not exist or are not shown to the login."""

    def field_identities(self, models: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return an identity of each field that models have now, by model and field: it differs for another field.

        Empty for each model when the login has no right to know.
        """

    def languages(self) -> Labels:
        """Return the active languages."""

    def companies(self) -> Labels:
        """Return the companies that are read."""

    def check_language(self) -> None:
        """Make sure that the access's language is one that Odoo has."""

    def foundations(
        self, model: str, properties: Sequence[str], *, company_dependent: bool, related: Sequence[str] = ()
    ) -> str:
        """Return a text that differs after a change of what values depend on in addition to their records.

        :param properties: names of fields whose definitions are in other records.
        :param company_dependent: whether the model has fields that may show a default.
        :param related: models whose records are in the names of this one's.
        """


class Records(Protocol):
    """The records of models, including archived ones."""

    def count(self, reading: Reading, where: Where = EVERYWHERE) -> int:
        """Return how many records there are, without those that have no id."""

    def count_all(self, reading: Reading) -> int:
        """Return how many records there are, counted without a condition on ids."""

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

    def nth_id(self, reading: Reading, where: Where, number: int) -> int | None:
        """Return the id of a record by its place in the order of ids, the first being 1; None if there are fewer.

        It divides a reading evenly: a place may be wrong where records come, go or are hidden meanwhile.
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

    def versions(self, reading: Reading) -> Versions | None:
        """Return the versions of the records, in one snapshot; None if the source does not know them."""

    def copy_pages(
        self, reading: Reading, where: Where, *, after_id: int, up_to_id: int | None, page_size: int
    ) -> Iterator[CopyPage | Page] | None:
        """Yield the same records as `pages`, with the same values, as COPY takes them; None if it cannot.

        Some pages may be records: where a value is not of its type, so that it can be told of which record.

        It is asked only for readings without variants, and not where this side hashes or filters values.
        """

    def dates(self, model: str, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        """Return when records were written, and created if `made`, by id, without those that are gone."""

    def groups(self, grouping: Grouping) -> Groups:
        """Return the sums of a model's records by group, computed where the records are.

        :raises OdooUnknownModelError: there is no such model.
        :raises OdooAccessError: the login cannot read it.
        """

    def hides(self, model: str, ids: Sequence[int]) -> bool:
        """Say whether some of these records exist, but are hidden from this login."""


class Source(Models, Records, Protocol):
    """One Odoo database, seen by one login. Safe to use from several threads."""

    @property
    def access(self) -> Access:
        """Who reads."""

    @property
    def protocol(self) -> str:
        """Its name in the log of a run."""

    @property
    def opened_at(self) -> float:
        """When it was created, by `time.monotonic`: whatever its own login writes in Odoo comes later."""

    @property
    def calls(self) -> int:
        """How many calls it has made so far; 0 for a source that makes none."""

    def user_id(self) -> int:
        """Return the id of the login's user; verifies the login."""

    def database_state(self) -> DatabaseState:
        """Return what Odoo's database says of itself; asked once."""

    def clock(self) -> Clock:
        """Read both clocks."""

    def one_moment(self) -> AbstractContextManager[None]:
        """Read everything in the block as of one moment, so that records of several models fit together, if it can."""

    def examine(self) -> Iterator[Finding]:
        """Yield findings about what the login can and cannot do, apart from single models."""


@runtime_checkable
class HasBeside(Protocol):
    """A source that can have the API of the same Odoo beside it, for what tables lack."""

    @property
    def beside(self) -> Source | None:
        """That source; None without one."""


def beside_of(odoo: Source) -> Source | None:
    """Return the source that stands beside another one; None if there is none."""
    return odoo.beside if isinstance(odoo, HasBeside) else None
