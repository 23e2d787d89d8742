"""What a run asks of Odoo: a real HTTP proxy in front of a stand-in, and a small model to ask for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Self

import psycopg
import requests
from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model, no_report
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.port import Source
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.raw_server import RawServer, Reply, Request

VISIT = "x_visit"
VISITS = "odoo_shadow_x_visit"
_PASSED_ON = ("Authorization", "Content-Type", "X-Odoo-Database")


@dataclass(frozen=True)
class Call:
    """One call of a model's method.

    :param named: its arguments by name, whatever the protocol.
    """

    model: str
    method: str
    named: Mapping[str, Any]

    @classmethod
    def parse(cls, request: Request) -> Call | None:
        """Read a request; None for logins and versions."""
        if request.path.startswith("/json/2/"):
            _, _, _, model, method = request.path.split("/")
            return None if method == "context_get" else cls(model, method, json.loads(request.body))
        if request.path != "/jsonrpc":
            return None
        params = json.loads(request.body)["params"]
        if params["service"] != "object":
            return None
        model, method, args, named = params["args"][3:7]
        return cls(model, method, {**({"domain": args[0]} if args else {}), **named})

    @property
    def limit(self) -> int | None:
        """How many records it asks for."""
        return self.named.get("limit")

    @property
    def fields(self) -> list[str]:
        """The fields it asks for."""
        return list(self.named.get("fields", ()))

    @property
    def conditions(self) -> list[tuple[str, str, Any]]:
        """The conditions of its domain, without what joins them."""
        return [(term[0], term[1], term[2]) for term in self.named.get("domain", ()) if not isinstance(term, str)]

    @property
    def ids(self) -> list[int] | None:
        """The ids it asks for by number."""
        found = [value for name, operator, value in self.conditions if (name, operator) == ("id", "in")]
        return found[0] if found else None

    @property
    def is_look(self) -> bool:
        """Whether it only asks if the newest rows are still what they were."""
        return set(self.fields) <= {"id", "write_date", "create_date"} and bool(self.ids) and self.limit is None


class CountingProxy:
    """Passes requests on to a stand-in, and notes the calls with how much came back.

    :ivar before: is told of each call before it is passed on; what it returns is answered instead.
    :ivar ahead: how far the `Date` of the answers is ahead of the stand-in's.
    """

    def __init__(self, odoo: StandIn) -> None:
        self.calls: list[Call] = []
        self.sizes: list[tuple[Call, int]] = []
        self.before: Callable[[Call], Reply | None] = lambda _: None
        self.ahead = timedelta(0)
        self._odoo = odoo
        self._server = RawServer()
        self._server.everything = self._answer
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def of(self, method: str) -> list[Call]:
        """The calls of one method that read rows."""
        return [call for call in self.calls if call.method == method and not call.is_look]

    def answered(self, method: str) -> int:
        """How many items all answers of a method that reads rows had."""
        return sum(size for call, size in self.sizes if call.method == method and not call.is_look)

    def most_answered(self, method: str) -> int:
        """How many items the longest answer of a method had."""
        return max((size for call, size in self.sizes if call.method == method), default=0)

    def clear(self) -> None:
        """Forget the calls so far."""
        self.calls.clear()
        self.sizes.clear()

    def _answer(self, request: Request) -> Reply:
        call = Call.parse(request)
        if call is not None:
            self.calls.append(call)
            instead = self.before(call)
            if instead is not None:
                return instead
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        answer = requests.request(
            request.method, self._odoo.url + request.path, data=request.body, headers=headers, timeout=30
        )
        if call is not None:
            self.sizes.append((call, _size(answer)))
        moment = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC) + self.ahead
        return Reply(
            answer.status_code,
            answer.content,
            answer.headers.get("Content-Type", ""),
            date=format_datetime(moment, usegmt=True),
        )


def _size(answer: requests.Response) -> int:
    told = answer.json()
    value = told.get("result") if isinstance(told, dict) and "jsonrpc" in told else told
    return len(value) if isinstance(value, list) else 1


def mirror_with(
    odoo: Source,
    shadow: ShadowDatabase,
    options: MirrorOptions | None = None,
    *,
    model: str = VISIT,
    run: Run | None = None,
    settings: ModelSettings | None = None,
    on_progress: Callable[[Progress], None] = no_report,
) -> MirrorResult:
    """Mirror one model with options of a test's own."""
    return mirror_model(
        odoo,
        shadow,
        model,
        run=run or Run(),
        options=options or MirrorOptions(),
        settings=settings,
        on_progress=on_progress,
    )


@contextmanager
def visits(odoo: StandIn, rows: int, company: int = 1) -> Iterator[str]:
    """A model of so many rows for as long as a test needs it, all a day old; yields its name."""
    odoo.add_model(VISIT, {"x_name": "char", "company_id": {"type": "many2one", "relation": "res.company"}})
    try:
        odoo.fill(VISIT, rows, company_id=company)
        age(odoo, VISIT)
        yield VISIT
    finally:
        odoo.uninstall(VISIT)


def in_odoo(odoo: StandIn, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run SQL in Odoo's own database, as a module or a person might: no `write_date` moves by itself."""
    with psycopg.connect(odoo.dsn) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def in_shadow(shadow: ShadowDatabase, statement: str, **parts: object) -> list[tuple[Any, ...]]:
    """Run SQL in the mirror's schema, behind the mirror's back; `{name}` is the table of that name."""
    named = {key: sql.Identifier(shadow.schema, key) for key in _names_in(statement) if key not in parts}
    with shadow.transaction() as tx:
        return tx.run(statement, **named, **parts)


def _names_in(statement: str) -> set[str]:
    return {part.partition("}")[0] for part in statement.split("{")[1:]}


def row_count(shadow: ShadowDatabase, table: str = VISITS) -> int:
    """How many rows the books say that a table has."""
    ((count,),) = in_shadow(shadow, "SELECT row_count FROM {odoo_shadow_meta} WHERE table_name = {table}", table=table)
    return int(count)
