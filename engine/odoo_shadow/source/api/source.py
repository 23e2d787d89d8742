"""Odoo's API as a source: implements the port with calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Self

from odoo_shadow.source.api import about
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.discovery import discover_models
from odoo_shadow.source.api.domains import (
    ARCHIVED_TOO,
    WRITE_DATE,
    as_odoo,
    conditions,
    everything,
    within,
    without_id,
)
from odoo_shadow.source.api.examine import examine
from odoo_shadow.source.api.fields import read_fields
from odoo_shadow.source.api.fingerprints import read_field_identities, read_field_states
from odoo_shadow.source.api.foundations import foundations
from odoo_shadow.source.api.groups import read_groups
from odoo_shadow.source.api.ids import highest_id, list_ids, nth_id, outermost_id, still_listed
from odoo_shadow.source.api.pages import read_pages
from odoo_shadow.source.api.readable_only import readable_only
from odoo_shadow.source.errors import OdooAccessError, OdooUnknownFieldError
from odoo_shadow.source.fields import Field, FieldsState
from odoo_shadow.source.groups import Grouping, Groups
from odoo_shadow.source.models import Discovery
from odoo_shadow.source.pages import Page
from odoo_shadow.source.port import Access, Clock, DatabaseState, ModelAbout, RecordDates
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Labels, Reading, Where
from odoo_shadow.source.types import Domain, Record
from odoo_shadow.source.values import is_id, moment_in
from odoo_shadow.text.findings import Finding

_UUID = "database.uuid"
_NEUTRALIZED = "database.is_neutralized"
_CREATE_DATE = "create_date"


class ApiSource:
    """One Odoo database, seen by one login through the API. See `source.port.Source`.

    :ivar client: what makes the calls.
    """

    def __init__(self, client: OdooClient) -> None:
        self.client = client
        connection = client.connection
        self.access = Access(
            name=str(connection),
            url=connection.url,
            database=connection.database,
            login=connection.login,
            lang=connection.lang,
            company_ids=connection.company_ids,
            hash_secret=connection.hash_secret,
            parallel=connection.max_connections,
        )
        self._readable: dict[str, Domain] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.close()

    @property
    def protocol(self) -> str:
        return self.client.protocol.label

    @property
    def opened_at(self) -> float:
        return self.client.opened_at

    @property
    def calls(self) -> int:
        return self.client.calls

    def user_id(self) -> int:
        return self.client.user_id()

    def database_state(self) -> DatabaseState:
        return self._database_state

    @cached_property
    def _database_state(self) -> DatabaseState:
        # Most logins that are created for an integration have no right to read it.
        try:
            found = self.client.look_up("ir.config_parameter", [("key", "in", [_UUID, _NEUTRALIZED])], ["key", "value"])
        except OdooAccessError:
            return DatabaseState(None, None)
        values = {item.text("key"): item.text("value") for item in found}
        return DatabaseState(values.get(_UUID) or None, _NEUTRALIZED in values)

    def clock(self) -> Clock:
        return Clock(self.client.server_time(), datetime.now(UTC))

    def one_moment(self) -> AbstractContextManager[None]:
        return nullcontext()

    def examine(self) -> Iterator[Finding]:
        return examine(self.client)

    @property
    def readable_models(self) -> Mapping[str, str]:
        return self.client.readable_models

    def discover(self) -> Discovery:
        return discover_models(self.client)

    def has_model(self, model: str) -> bool:
        return about.has_model(self.client, model)

    def about(self, model: str) -> ModelAbout:
        return about.about(self.client, model)

    def describe(self, model: str) -> list[Field]:
        return read_fields(self.client, model)

    def stored_fields(self, models: Sequence[str]) -> Mapping[str, Collection[str]] | None:
        return about.stored_fields(self.client, list(models))

    def field_states(self, models: Sequence[str]) -> dict[str, FieldsState]:
        return read_field_states(self.client, models)

    def field_identities(self, models: Sequence[str]) -> dict[str, dict[str, str]]:
        return read_field_identities(self.client, models)

    def languages(self) -> Labels:
        return about.languages(self.client)

    def companies(self) -> Labels:
        return about.companies(self.client)

    def check_language(self) -> None:
        about.check_language(self.client)

    def foundations(
        self, model: str, properties: Sequence[str], *, company_dependent: bool, related: Sequence[str] = ()
    ) -> str:
        return foundations(self.client, model, properties, company_dependent=company_dependent, related=related)

    def count(self, reading: Reading, where: Where = EVERYWHERE) -> int:
        return self._count(reading, within(self._readable_of(reading), conditions(where)))

    def count_all(self, reading: Reading) -> int:
        return self._count(reading, everything(self._readable_of(reading)))

    def count_without_id(self, reading: Reading) -> int:
        return self._count(reading, without_id(self._readable_of(reading)))

    def _count(self, reading: Reading, domain: Domain) -> int:
        return self.client.search_count(reading.model, domain, context=ARCHIVED_TOO)

    def ids(self, reading: Reading, where: Where = EVERYWHERE, *, expected: int | None = None) -> set[int]:
        readable = self._readable_of(reading)
        if where.ids is not None:
            others = conditions(replace(where, ids=None))
            return still_listed(self.client, readable, [*readable.domain, *others], where.ids)
        return list_ids(self.client, readable, where, expected)

    def outermost_id(self, reading: Reading, *, lowest: bool) -> int:
        return outermost_id(self.client, self._readable_of(reading), EVERYWHERE, lowest=lowest)

    def highest_id(self, reading: Reading, where: Where = EVERYWHERE) -> int | None:
        return highest_id(self.client, self._readable_of(reading), where)

    def nth_id(self, reading: Reading, where: Where, number: int) -> int | None:
        return nth_id(self.client, self._readable_of(reading), where, number)

    def newest_write_date(self, reading: Reading, where: Where, up_to: datetime) -> datetime | None:
        # A search may show none, see `highest_id`; or that one record cannot be read, which the pages report.
        try:
            records = self.client.search_read(
                reading.model,
                within(self._readable_of(reading), conditions(where), [(WRITE_DATE, "<=", as_odoo(up_to))]),
                [WRITE_DATE],
                limit=1,
                order=f"{WRITE_DATE} desc",
                context=ARCHIVED_TOO,
            )
        except OdooAccessError:
            return None
        moment = _moment(records[0], WRITE_DATE) if records else None
        return moment if moment is not None and moment <= up_to else None

    def pages(
        self,
        reading: Reading,
        where: Where = EVERYWHERE,
        *,
        after_id: int = BEFORE_ALL,
        up_to_id: int | None,
        page_size: int,
    ) -> Iterator[Page]:
        readable = self._readable_of(reading)
        return read_pages(
            self.client, readable, conditions(where), after_id=after_id, up_to_id=up_to_id, page_size=page_size
        )

    def versions(self, reading: Reading) -> None:
        return None

    def copy_pages(
        self, reading: Reading, where: Where, *, after_id: int, up_to_id: int | None, page_size: int
    ) -> None:
        return None

    def dates(self, model: str, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        fields = ["id", WRITE_DATE, *([_CREATE_DATE] if made else [])]
        records = self.client.search_read(model, [("id", "in", list(ids))], fields, context=ARCHIVED_TOO)
        return {
            record_id: RecordDates(_moment(record, WRITE_DATE), _moment(record, _CREATE_DATE))
            for record in records
            if is_id(record_id := record.get("id"))
        }

    def groups(self, grouping: Grouping) -> Groups:
        return read_groups(self.client, grouping)

    def hides(self, model: str, ids: Sequence[int]) -> bool:
        # Odoo refuses to read records that are there, but not for this login, and leaves out those that are gone.
        try:
            self.client.execute_kw(model, "read", [list(ids)], {"fields": [_CREATE_DATE]})
        except OdooAccessError:
            return True
        except OdooUnknownFieldError:  # a model without `create_date`: there is no way to find out
            return False
        return False

    def _readable_of(self, reading: Reading) -> Reading:
        """Restrict a reading to records that can be read, where a search finds others as well."""
        if reading.model not in self._readable:
            self._readable[reading.model] = readable_only(self.client, reading.model)
        readable = self._readable[reading.model]
        return replace(reading, domain=[*reading.domain, *readable]) if readable else reading


def _moment(record: Record, field: str) -> datetime | None:
    value = record.get(field)
    return moment_in(value) if isinstance(value, str) else None
