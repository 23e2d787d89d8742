"""Calls to one Odoo: the methods that a mirror needs, retried where trying again is safe."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import Self

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from odoo_shadow.source.api.answers import Answer, Entry
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.http import PAGE_BYTES, HttpTransport
from odoo_shadow.source.api.memory import give_large_blocks_back
from odoo_shadow.source.api.protocols.base import OdooProtocol
from odoo_shadow.source.api.protocols.choose import ServerVersion, choose_protocol, server_version
from odoo_shadow.source.api.protocols.json2 import Json2
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooRequestError,
    OdooRetriableError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnknownArgumentError,
)
from odoo_shadow.source.types import Argument, Context, Domain, Json, Record
from odoo_shadow.text.log import logger

log = logger(__name__)

ATTEMPTS = 3
"""How often one call is tried. Trouble that lasts longer is left to the task's own retries."""

LONGEST_WAIT = 30.0
"""Seconds that one call waits between two tries; a longer wait that a server asks for is left to the task's retry."""

# Calling these twice does no harm. Any other call may have been carried out although its answer was lost.
_READING = frozenset(
    {
        "context_get",
        "fields_get",
        "formatted_read_group",
        "get_available_models",
        "has_group",
        "name_search",
        "read",
        "read_group",
        "search",
        "search_count",
        "search_read",
    }
)

TOO_MUCH = (OdooTimeoutError, OdooServerError)
"""The errors of a server that was asked for too much at once."""

_backoff = wait_random_exponential(multiplier=1, max=LONGEST_WAIT)


class OdooClient:
    """One Odoo database, seen by one login. Safe to use from several threads.

    Every method raises an `OdooError`.

    :ivar opened_at: when it was created, by `time.monotonic`: whatever its login writes in Odoo comes later.
    """

    def __init__(self, connection: OdooConnection) -> None:
        self.connection = connection
        self.opened_at = time.monotonic()
        self._transport = HttpTransport(connection)
        self._without_load: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @cached_property
    def protocol(self) -> OdooProtocol:
        """The protocol in use; chosen with the first call."""
        return _retrying()(choose_protocol, self._transport)

    @cached_property
    def version(self) -> ServerVersion:
        """The server's version; needs no login."""
        return _retrying()(server_version, self._transport)

    def user_id(self) -> int:
        """Log in and return the user's id."""
        return self._user_id

    @cached_property
    def _user_id(self) -> int:
        user_id = _retrying()(self.protocol.user_id)
        if self.protocol.label == Json2.label:
            self._check_owner(user_id)
        return user_id

    def _check_owner(self, user_id: int) -> None:
        """Make sure that the key is the login's: JSON-2 checks the key only, and another user's login would mislead."""
        login = self.connection.login
        for record in self.search_read("res.users", [("id", "=", user_id)], ["login"]):
            owner = record.get("login")
            if isinstance(owner, str) and owner.lower() != login.lower():
                raise OdooConfigurationError(
                    f"{self.connection}: the API key belongs to '{owner}', not to '{login}': correct the login."
                )

    @cached_property
    def readable_models(self) -> dict[str, str]:
        """The models that the login may read and that have records, with their labels. Any login may ask.

        Empty on a server without Odoo's module `web`, whose method this is (17.0, 19.0).
        """
        try:
            answer = self._asked(
                "ir.model", "get_available_models", self.execute_kw("ir.model", "get_available_models")
            )
        except OdooRequestError:
            return {}
        return {item.text("model"): item.text("display_name") for item in answer.entries()}

    @property
    def received_bytes(self) -> int:
        """The size of all answers that this thread has read."""
        return self._transport.received_bytes

    @property
    def calls(self) -> int:
        """How many requests all threads have sent so far, tries that failed included."""
        return self._transport.calls

    def server_time(self) -> datetime:
        """Return the server's clock (UTC, whole seconds) as of its newest answer: never ahead of what was read.

        :raises OdooServerError: the server, or a proxy, sends no `Date` header.
        """
        if self._transport.server_time is None:
            self._transport.get("/web/version")
        if self._transport.server_time is None:
            raise OdooServerError(f"{self.connection} sends no Date header, so its clock cannot be read.")
        return self._transport.server_time

    def check_size(self, page_bytes: int) -> None:
        """Make sure that the answers that are held in memory for one page are not too large.

        :raises OdooLargeAnswerError: they are.
        """
        if page_bytes > PAGE_BYTES:
            raise self._transport.too_large(page_bytes)

    def execute_kw(
        self,
        model: str,
        method: str,
        args: Sequence[Argument] = (),
        kwargs: Mapping[str, Argument] | None = None,
        *,
        can_split: bool = False,
    ) -> Json:
        """Call any public method; the connection's language and companies are added to the context.

        :param can_split: the caller asks for less when the server cannot return so much, so that this is not retried
            here, or when it is too much for memory: see `OdooLargeAnswerError`.
        """
        named = dict(kwargs or {})
        context = {**self._own_context(), **_mapping(named.get("context"))}
        if context:
            named["context"] = context
        protocol = self.protocol
        if method not in _READING:
            return protocol.call(model, method, args, named)
        if can_split:  # pages are what is large; a process that only tests a connection keeps its allocator as it is
            give_large_blocks_back()
        return _retrying(can_split)(protocol.call, model, method, args, named, can_split=can_split)

    def search_read(
        self,
        model: str,
        domain: Domain = (),
        fields: Sequence[str] = (),
        *,
        limit: int | None = None,
        offset: int = 0,
        order: str | None = None,
        context: Context | None = None,
        load: str = "",
        can_split: bool = False,
    ) -> list[Record]:
        """Read records in one call and one transaction.

        :param load: empty gives a many2one as a bare id; `_classic_read` as `[id, name]`, at twice the cost.
        :param can_split: see `execute_kw`.
        """
        optional = {"limit": limit, "offset": offset or None, "order": order, "context": context}
        kwargs: dict[str, Argument] = {"fields": list(fields)}
        kwargs.update({key: value for key, value in optional.items() if value is not None})
        if model not in self._without_load:
            try:
                answer = self.execute_kw(
                    model, "search_read", [list(domain)], {**kwargs, "load": load}, can_split=can_split
                )
                return self._asked(model, "search_read", answer).records(limit)
            except OdooUnknownArgumentError as error:
                if error.argument != "load":
                    raise
                # `project.tags` overrides `search_read` without it (Odoo 17.0 and 19.0); many2one fields then come as
                # `[id, name]`.
                self._without_load.add(model)
        answer = self.execute_kw(model, "search_read", [list(domain)], kwargs, can_split=can_split)
        return self._asked(model, "search_read", answer).records(limit)

    def look_up(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        order: str | None = None,
        context: Context | None = None,
    ) -> list[Entry]:
        """Read records that this project itself needs, and whose values must have the expected types."""
        records = self.search_read(model, domain, fields, order=order, context=context)
        return self._asked(model, "search_read", list(records)).entries()

    def search(
        self,
        model: str,
        domain: Domain = (),
        *,
        offset: int | None = None,
        limit: int | None = None,
        order: str | None = None,
        context: Context | None = None,
    ) -> list[int]:
        """Return the ids of the records that match."""
        optional: dict[str, Argument] = {"offset": offset, "limit": limit, "order": order, "context": context}
        kwargs = {key: value for key, value in optional.items() if value is not None}
        answer = self.execute_kw(model, "search", [list(domain)], kwargs)
        return self._asked(model, "search", answer).ids(limit)

    def search_count(self, model: str, domain: Domain = (), *, context: Context | None = None) -> int:
        """Return how many records match."""
        kwargs: dict[str, Argument] = {"context": context} if context is not None else {}
        answer = self.execute_kw(model, "search_count", [list(domain)], kwargs)
        return self._asked(model, "search_count", answer).count()

    def fields_get(self, model: str, attributes: Sequence[str] = ()) -> dict[str, dict[str, Json]]:
        """Return the fields that the login may read: name to attributes."""
        kwargs: dict[str, Argument] = {"attributes": list(attributes)} if attributes else {}
        answer = self.execute_kw(model, "fields_get", [], kwargs)
        return self._asked(model, "fields_get", answer).fields(typed=not attributes or "type" in attributes)

    def _own_context(self) -> dict[str, Argument]:
        own: dict[str, Argument] = {}
        if self.connection.lang:
            own["lang"] = self.connection.lang
        if self.connection.company_ids:
            own["allowed_company_ids"] = list(self.connection.company_ids)
        return own

    def _asked(self, model: str, method: str, answer: Json) -> Answer:
        return Answer(f"{self.connection}: {model}.{method}", answer)


def _mapping(value: Argument) -> Mapping[str, Argument]:
    return value if isinstance(value, Mapping) else {}


def _retrying(can_split: bool = False) -> Retrying:
    return Retrying(
        retry=retry_if_exception(_worth_same_try if can_split else _worth_another_try),
        stop=stop_after_attempt(ATTEMPTS),
        wait=_wait,
        before_sleep=_log_retry,
        reraise=True,
    )


def _worth_another_try(error: BaseException) -> bool:
    return isinstance(error, OdooRetriableError) and (error.retry_after or 0) <= LONGEST_WAIT


def _worth_same_try(error: BaseException) -> bool:
    return _worth_another_try(error) and not isinstance(error, TOO_MUCH)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, OdooRetriableError) else None
    return _backoff(state) if asked is None else asked


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0
    log.warning("Try %d of %d failed, next one in %.1f s: %s", state.attempt_number, ATTEMPTS, wait, error)
