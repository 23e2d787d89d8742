"""As much of PostgREST as the functions ask: reads and one call, with the role and the claims of whoever asks.

The real one is a Haskell program, which a Python environment cannot bring along. This one answers over real HTTP from a
real database, with its statuses, and with bodies that must not be passed on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import psycopg
from psycopg import sql

from tests.support.raw_server import Reply, Request

_OPERATORS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_STATUSES = {"42501": 403, "42P01": 404, "42883": 404, "22P02": 400, "42703": 400}


@dataclass(frozen=True)
class Caller:
    """Whom a token is of."""

    role: str
    claims: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SmallPostgrest:
    """Answers requests to `/rest/v1/…`.

    :param callers: by their tokens.
    """

    database: str
    callers: Mapping[str, Caller]

    def __call__(self, request: Request) -> Reply:
        """Answer a request, in a transaction of the caller's."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        token = headers.get("authorization", f"Bearer {headers.get('apikey')}").removeprefix("Bearer ")
        if (caller := self.callers.get(token)) is None:
            return Reply(401, '{"code":"PGRST301","message":"JWSError JWSInvalidSignature"}')
        place = urlsplit(request.path)
        assert place.path.startswith("/rest/v1/"), request.path
        with psycopg.connect(self.database) as connection:
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(caller.role)))
            connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [json.dumps(caller.claims)])
            try:
                if request.method == "POST":
                    return Reply(body=_called(connection, place.path.removeprefix("/rest/v1/rpc/"), request.body))
                return Reply(body=_rows(connection, place.path.removeprefix("/rest/v1/"), parse_qsl(place.query)))
            except psycopg.Error as error:
                told = {"code": error.sqlstate, "message": str(error), "hint": None}
                return Reply(_STATUSES.get(error.sqlstate or "", 500), json.dumps(told))


def _called(connection: psycopg.Connection, name: str, body: bytes) -> str:
    (argument, value), *_ = json.loads(body).items()
    call = sql.SQL("SELECT to_json(public.{}({} => %s))::text").format(sql.Identifier(name), sql.Identifier(argument))
    (answer,) = connection.execute(call, [value]).fetchone() or (None,)
    return "null" if answer is None else str(answer)


def _rows(connection: psycopg.Connection, view: str, query: list[tuple[str, str]]) -> str:
    given = dict(query)
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in given.pop("select").split(","))
    order = sql.SQL(", ").join(_direction(*item.partition(".")[::2]) for item in given.pop("order").split(","))
    limit, offset = int(given.pop("limit")), int(given.pop("offset"))
    conditions: list[sql.Composable] = [sql.SQL("true")]
    values: list[str] = []
    for column, value in query:
        if column in given:
            operator, _, operand = value.partition(".")
            conditions.append(sql.SQL("{} {} %s").format(sql.Identifier(column), sql.SQL(_OPERATORS[operator])))
            values.append(operand)
    statement = sql.SQL(
        "SELECT coalesce(json_agg(found), '[]')::text FROM"
        " (SELECT {} FROM public.{} WHERE {} ORDER BY {} LIMIT {} OFFSET {}) found"
    ).format(columns, sql.Identifier(view), sql.SQL(" AND ").join(conditions), order, limit, offset)
    (rows,) = connection.execute(statement, values).fetchone() or ("[]",)
    return str(rows)


def _direction(column: str, direction: str) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL("DESC" if direction == "desc" else "ASC"))
