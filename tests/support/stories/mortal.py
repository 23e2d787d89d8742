"""Runs that die: a client and a shadow database whose process can be killed at any call, statement or commit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.port import Clock
from odoo_shadow.source.types import Argument, Json


class Killed(BaseException):
    """The process is gone. Whoever catches this on the way may not do anything any more, see `MortalShadow`."""


class Moment(StrEnum):
    """Where a run can die."""

    BEFORE_CALL = "before a call to Odoo"
    AFTER_CALL = "after a call to Odoo"
    BEFORE_STATEMENT = "before a statement"
    AFTER_COMMIT = "after a commit"


@dataclass(frozen=True)
class Death:
    """A run's end: at the so many-th such moment."""

    moment: Moment
    count: int


@dataclass
class Life:
    """One run's life: what happens meanwhile, and where it ends.

    :param before_call: is told the number of every call to Odoo before it is made.
    """

    death: Death | None = None
    before_call: Callable[[int], None] | None = None
    _passed: dict[Moment, int] = field(default_factory=dict)

    def pass_by(self, moment: Moment) -> None:
        """Count a moment; die if it is the one."""
        self._passed[moment] = count = self._passed.get(moment, 0) + 1
        if moment is Moment.BEFORE_CALL and self.before_call is not None:
            self.before_call(count)
        if self.death == Death(moment, count):
            raise Killed


class MortalClient(OdooClient):
    """A client whose calls are moments of a life, and whose Odoo has the stand-in's clock."""

    def __init__(self, connection: OdooConnection, clock: Callable[[], datetime]) -> None:
        super().__init__(connection)
        self.life = Life()
        self._clock = clock
        self._answered = clock()

    def execute_kw(
        self,
        model: str,
        method: str,
        args: Sequence[Argument] = (),
        kwargs: Mapping[str, Argument] | None = None,
        *,
        can_split: bool = False,
    ) -> Json:
        self.life.pass_by(Moment.BEFORE_CALL)
        answer = super().execute_kw(model, method, args, kwargs, can_split=can_split)
        self._answered = self._clock()
        self.life.pass_by(Moment.AFTER_CALL)
        return answer

    def server_time(self) -> datetime:
        return self._answered.replace(microsecond=0)


class MortalSource(ApiSource):
    """A source whose machine has the stand-in's clock, too."""

    def __init__(self, connection: OdooConnection, clock: Callable[[], datetime]) -> None:
        self.mortal = MortalClient(connection, clock)
        super().__init__(self.mortal)
        self._clock = clock

    def clock(self) -> Clock:
        return replace(super().clock(), local=self._clock())


class _Connection(psycopg.Connection[TupleRow]):
    """A connection that knows whose life its statements belong to."""

    owner: MortalShadow


class _Cursor(psycopg.Cursor[TupleRow]):
    def execute(self, *args: Any, **kwargs: Any) -> _Cursor:
        assert isinstance(self.connection, _Connection)
        self.connection.owner.life.pass_by(Moment.BEFORE_STATEMENT)
        return super().execute(*args, **kwargs)


class MortalShadow(ShadowDatabase):
    """A shadow database whose statements and commits are moments of a life."""

    def __init__(self, url: str) -> None:
        super().__init__(self._open, name="property")
        self.life = Life()
        self._url = url

    def _open(self) -> psycopg.Connection[TupleRow]:
        connection = _Connection.connect(self._url, cursor_factory=_Cursor, prepare_threshold=None)
        connection.owner = self
        return connection

    def transaction(self) -> AbstractContextManager[Transaction]:  # type: ignore[override]
        killed = sys.exc_info()[1]
        if isinstance(killed, Killed):
            raise killed  # an `except` or `finally` at work, which a killed process would not have
        return self._mortal_transaction()

    @contextmanager
    def _mortal_transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            yield tx
        self.life.pass_by(Moment.AFTER_COMMIT)
