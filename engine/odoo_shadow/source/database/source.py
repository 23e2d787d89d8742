"""Odoo's own database as a source: implements the port with statements on its tables."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import LiteralString, Self

from odoo_shadow.source.database import states
from odoo_shadow.source.database.catalogue import (
    CATALOGUE,
    StoredField,
    StoredModel,
    check_odoo,
    list_models,
    read_fields,
)
from odoo_shadow.source.database.cluster import read_identifier
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.describe import described
from odoo_shadow.source.database.differences import find_differences
from odoo_shadow.source.database.examine import examine
from odoo_shadow.source.database.locks import Relations
from odoo_shadow.source.database.relations import check_rights, read_tables
from odoo_shadow.source.database.session import Sessions, Transaction
from odoo_shadow.source.database.tables import Tables
from odoo_shadow.source.database.versions import read_versions
from odoo_shadow.source.differences import Differences
from odoo_shadow.source.errors import OdooAccessError, OdooConfigurationError, OdooUnknownModelError
from odoo_shadow.source.fields import TEXT_TYPES, Field, FieldsState
from odoo_shadow.source.groups import Grouping, Groups
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.models import Discovery, ModelKind, ServerModel
from odoo_shadow.source.names import is_model_name
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.source.port import (
    DEFAULT_LANGUAGE,
    Access,
    Clock,
    DatabaseState,
    ModelAbout,
    RecordDates,
    Source,
)
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Labels, Reading, Where
from odoo_shadow.source.versions import Versions
from odoo_shadow.source.web_address import read_address
from odoo_shadow.text.findings import Finding

EVERYTHING = "Odoo's own database"
"""In place of a login: no rule restricts what is read."""
NOBODY = 0
"""The id of no user: nothing that is read here leaves a trace in Odoo."""

_OF_COMPANIES = Relations(("res_company", "res_company_users_rel", "res_users"))

_UUID = "database.uuid"
_NEUTRALIZED = "database.is_neutralized"
_BASE_URL = "web.base.url"
_PARAMETERS = "ir_config_parameter"
_LONGEST_KEPT = 1_000
"""Characters of a name that Odoo would not accept."""
_READABLE = (ModelKind.TABLE, ModelKind.VIEW)

# A replica has seen what was committed before the moment that it has replayed; since its start, none may be known.
_CLOCK: LiteralString = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_xact_replay_timestamp(),"
    " (SELECT checkpoint_time FROM pg_control_checkpoint())) ELSE now() END"
)


class DatabaseSource:
    """One Odoo database, read from its own tables, past record rules and groups. See `source.port.Source`.

    :param beside: the same Odoo by API, for what tables lack: fields that Odoo computes, models that are made of a
        query in its code, and sums by group. Without it those are left out.
    """

    protocol = "PostgreSQL"
    calls = 0

    def __init__(self, database: OdooDatabase, beside: Source | None = None) -> None:
        self.database = database
        self.beside = beside
        self.opened_at = time.monotonic()
        self._sessions = Sessions(database)
        self._lang = database.lang or DEFAULT_LANGUAGE
        self._tables = Tables(self._sessions, self._lang, lambda: self._companies[0], beside)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._sessions.close()

    @cached_property
    def access(self) -> Access:
        """Who reads; the login is that of nobody, whom no rule restricts."""
        with self._sessions.transaction() as tx:
            # A pooler may call it otherwise than Odoo does.
            ((name,),) = tx.run("SELECT current_database()")
            url = self.database.url or _own_url(tx)
        return Access(
            name=str(self.database),
            url=url,
            database=str(name),
            login=EVERYTHING,
            lang=self.database.lang,
            company_ids=self.database.company_ids,
            hash_secret=self.database.hash_secret,
            kind=SourceKind.DATABASE,
        )

    def user_id(self) -> int:
        with self._sessions.transaction() as tx:
            check_odoo(tx, str(self.database))
        return NOBODY

    def database_state(self) -> DatabaseState:
        return self._database_state

    @cached_property
    def _database_state(self) -> DatabaseState:
        with self._sessions.transaction() as tx:
            values, identifier = _parameters(tx, _UUID, _NEUTRALIZED), read_identifier(tx)
        cluster = None if identifier is None else str(identifier)
        if values is None:
            return DatabaseState(None, None, cluster)
        return DatabaseState(values.get(_UUID) or None, _NEUTRALIZED in values, cluster)

    def clock(self) -> Clock:
        if (shared := self._sessions.moment) is not None:
            return Clock(shared.at, datetime.now(UTC))
        with self._sessions.transaction() as tx:
            ((moment,),) = tx.run(_CLOCK)
        return Clock(moment.astimezone(UTC).replace(microsecond=0), datetime.now(UTC))

    def one_moment(self) -> AbstractContextManager[None]:
        return self._sessions.one_moment(self.clock().source)

    def examine(self) -> Iterator[Finding]:
        with self._sessions.transaction() as tx:
            findings = list(examine(tx, self.database))
        yield from findings

    def differences(self, fields: Mapping[str, Collection[str]], *, within: timedelta) -> Differences:
        models = [self._tables.model(name) for name in fields if self._tables.has_table(name)]
        return find_differences(self._sessions, models, fields, self._tables.names(), within)

    @cached_property
    def readable_models(self) -> Mapping[str, str]:
        self.user_id()
        listed, by_api = self._tables.list_all(), self._models_by_api
        return {
            item.name: item.label for item in listed if is_model_name(item.name) and _kind(item, by_api) in _READABLE
        }

    @property
    def _models_by_api(self) -> Mapping[str, str]:
        return self.beside.readable_models if self.beside is not None else {}

    def discover(self) -> Discovery:
        self.user_id()
        with self._sessions.transaction(reads=CATALOGUE) as tx:
            listed = list_models(tx, self._lang)
            fields = read_fields(tx, [item.name for item in listed], self._lang)
        by_api = self._models_by_api
        return Discovery(tuple(_server_model(item, fields.get(item.name, {}), by_api) for item in listed), True)

    def has_model(self, model: str) -> bool:
        with self._sessions.transaction(model) as tx:
            return bool(tx.run("SELECT 1 FROM {t} WHERE model = {model}", t=tx.odoos("ir_model"), model=model))

    def about(self, model: str) -> ModelAbout:
        found = self._tables.read(model)
        return ModelAbout(found.label, found.modules or None)

    def describe(self, model: str) -> list[Field]:
        found = self._tables.read(model)
        if found.table is not None:
            with self._sessions.transaction(model) as tx:
                check_rights(tx, f"{self.database}: {model}", [found.table])
        return described(found, self._by_api(model))

    def _by_api(self, model: str) -> list[Field] | None:
        if self.beside is None:
            return None
        try:
            return self.beside.describe(model)
        except (OdooAccessError, OdooUnknownModelError):
            return []  # the login may know nothing of it

    def stored_fields(self, models: Sequence[str]) -> Mapping[str, Collection[str]]:
        with self._sessions.transaction() as tx:
            fields = read_fields(tx, models, self._lang)
        return {model: {name for name, field in found.items() if field.store} for model, found in fields.items()}

    def field_states(self, models: Sequence[str]) -> dict[str, FieldsState]:
        has_api = self.beside is not None
        return {
            name: states.field_state(model, has_api=has_api) for name, model in self._tables.read_all(models).items()
        }

    def field_identities(self, models: Sequence[str]) -> dict[str, dict[str, str]]:
        with self._sessions.transaction() as tx:
            return states.field_identities(tx, models, self._lang)

    def languages(self) -> Labels:
        with self._sessions.transaction() as tx:
            rows = tx.run('SELECT code FROM {t} WHERE active ORDER BY code COLLATE "C"', t=tx.odoos("res_lang"))
        return Labels(self._lang, tuple(str(code) for (code,) in rows if code != self._lang))

    def companies(self) -> Labels:
        main, *others = self._companies
        return Labels(str(main), tuple(map(str, others)))

    @cached_property
    def _companies(self) -> tuple[int, ...]:
        """The companies that are read: those that are named, the login's, or all; the main one first."""
        if self.database.company_ids:
            return self.database.company_ids
        with self._sessions.transaction(reads=_OF_COMPANIES) as tx:
            return _companies_of(tx, str(self.database), self.database.login)

    def check_language(self) -> None:
        with self._sessions.transaction() as tx:
            rows = tx.run("SELECT 1 FROM {t} WHERE active AND code = {lang}", t=tx.odoos("res_lang"), lang=self._lang)
        if not rows and self._lang != DEFAULT_LANGUAGE:
            raise OdooConfigurationError(
                f"{self.database}: Odoo has no language '{self._lang}': correct it (ODOO_LANG, or the extra lang), or "
                "activate it in Odoo."
            )

    def foundations(
        self, model: str, properties: Sequence[str], *, company_dependent: bool, related: Sequence[str] = ()
    ) -> str:
        found = self._tables.model(model)
        companies = states.Companies(self._companies[0], self._tables.names()) if company_dependent else None
        with self._sessions.transaction(model) as tx:
            return states.foundations(tx, found, companies, properties, related)

    # Records.

    def _reader(self, model: str) -> Tables | Source:
        """Return what reads a model's records: the tables, or the API where its records are in none."""
        if self._tables.has_table(model):
            return self._tables
        if self.beside is not None and model in self.beside.readable_models:
            return self.beside
        raise OdooAccessError(
            f"{self.database}: {model} has no table: it is abstract, or made of a query in Odoo's code, which only the "
            "API can read: give its address and login as well, or leave the model out."
        )

    def count(self, reading: Reading, where: Where = EVERYWHERE) -> int:
        return self._reader(reading.model).count(reading, where)

    def count_all(self, reading: Reading) -> int:
        return self._reader(reading.model).count_all(reading)

    def count_without_id(self, reading: Reading) -> int:
        return self._reader(reading.model).count_without_id(reading)

    def ids(self, reading: Reading, where: Where = EVERYWHERE, *, expected: int | None = None) -> set[int]:
        return self._reader(reading.model).ids(reading, where, expected=expected)

    def outermost_id(self, reading: Reading, *, lowest: bool) -> int:
        return self._reader(reading.model).outermost_id(reading, lowest=lowest)

    def highest_id(self, reading: Reading, where: Where = EVERYWHERE) -> int | None:
        return self._reader(reading.model).highest_id(reading, where)

    def nth_id(self, reading: Reading, where: Where, number: int) -> int | None:
        return self._reader(reading.model).nth_id(reading, where, number)

    def newest_write_date(self, reading: Reading, where: Where, up_to: datetime) -> datetime | None:
        return self._reader(reading.model).newest_write_date(reading, where, up_to)

    def pages(
        self,
        reading: Reading,
        where: Where = EVERYWHERE,
        *,
        after_id: int = BEFORE_ALL,
        up_to_id: int | None,
        page_size: int,
    ) -> Iterator[Page]:
        reader = self._reader(reading.model)
        return reader.pages(reading, where, after_id=after_id, up_to_id=up_to_id, page_size=page_size)

    def versions(self, reading: Reading) -> Versions | None:
        if not self._tables.has_table(reading.model):
            return None
        model = self._tables.model(reading.model)
        differs = any(model.fields[name].company_dependent for name in reading.fields if name in model.fields)
        read_as = f"{self._lang} {self._companies if differs else ''}"
        return read_versions(self._sessions, model, reading, read_as)

    def copy_pages(
        self, reading: Reading, where: Where, *, after_id: int, up_to_id: int | None, page_size: int
    ) -> Iterator[CopyPage | Page] | None:
        reader = self._reader(reading.model)
        return reader.copy_pages(reading, where, after_id=after_id, up_to_id=up_to_id, page_size=page_size)

    def dates(self, model: str, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        return self._reader(model).dates(model, ids, made=made)

    def groups(self, grouping: Grouping) -> Groups:
        if self.beside is None:
            raise OdooAccessError(
                f"{self.database}: {grouping.model}: sums by group are what Odoo itself says, by API: give its address "
                "and login as well."
            )
        return self.beside.groups(grouping)

    def hides(self, model: str, ids: Sequence[int]) -> bool:
        return False


def _server_model(item: StoredModel, fields: Mapping[str, StoredField], by_api: Mapping[str, str]) -> ServerModel:
    texts = (name for name, field in fields.items() if field.store and field.type in TEXT_TYPES)
    if not is_model_name(item.name):
        return ServerModel(item.name[:_LONGEST_KEPT], ModelKind.MISNAMED)
    return ServerModel(item.name, _kind(item, by_api), item.label, frozenset(texts))


def _kind(item: StoredModel, by_api: Mapping[str, str]) -> ModelKind:
    if item.is_transient:
        return ModelKind.TRANSIENT
    if item.is_abstract:
        return ModelKind.ABSTRACT
    if item.table is None:
        return ModelKind.VIEW if item.name in by_api else ModelKind.WITHOUT_TABLE
    if not item.table.may_be_read:
        return ModelKind.CLOSED
    return ModelKind.VIEW if item.table.is_view else ModelKind.TABLE


def _own_url(tx: Transaction) -> str:
    """Return Odoo's web address as Odoo knows it; empty when that cannot be read, or is no address: people open it."""
    found = (_parameters(tx, _BASE_URL) or {}).get(_BASE_URL)
    try:
        # No password goes there.
        return read_address(_BASE_URL, found, None, allow_http=True, called=lambda name: name) if found else ""
    except OdooConfigurationError:
        return ""


def _parameters(tx: Transaction, *keys: str) -> dict[str, str] | None:
    """Return some of Odoo's parameters; None if the role may not read them, since others are secrets."""
    table = read_tables(tx, [_PARAMETERS]).get(_PARAMETERS)
    if table is None or not table.may_be_read:
        return None
    rows = tx.run(
        "SELECT key, value FROM {table} WHERE key = ANY({keys}::text[])", table=tx.odoos(_PARAMETERS), keys=list(keys)
    )
    return {str(key): str(value) for key, value in rows if value is not None}


def _companies_of(tx: Transaction, called: str, login: str | None) -> tuple[int, ...]:
    """Return the companies of a login, its own first, or all of them, the first one first."""
    rows = tx.run("SELECT id FROM {companies} ORDER BY id", companies=tx.odoos("res_company"))
    every = [int(one) for (one,) in rows]
    if login is None:
        return tuple(every)
    users = tx.run(
        "SELECT u.company_id, ARRAY(SELECT x.cid FROM {allowed} x WHERE x.user_id = u.id ORDER BY x.cid)"
        " FROM {users} u WHERE u.login = {login}",
        allowed=tx.odoos("res_company_users_rel"),
        users=tx.odoos("res_users"),
        login=login,
    )
    if not users:
        raise OdooConfigurationError(f"{called}: Odoo has no user '{login}', whose company would count: correct it.")
    ((own, allowed),) = users
    return (int(own), *(int(one) for one in allowed if one != own))
