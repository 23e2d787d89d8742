"""A proxy in front of a stand-in that spoils some of its answers, as hypothesis says."""

from __future__ import annotations

import json
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from hypothesis import strategies as st

from odoo_stand_in import StandIn
from tests.support.raw_server import RawServer, Reply, Request

_PASSED_ON = ("Content-Type", "Authorization", "X-Odoo-Database")
_MOST_NUMBER = 2**63

NAMES = ["id", "name", "model", "type", "store", "relation", "x_name", "write_date", "display_name", "selection", "uid"]
MOMENTS = ["9999-12-31 23:59:59", "0001-01-01 00:00:00", "24-05-13 10:00:00", "2026-01-01 00:00:00+14:00", "infinity"]
DATES = ["Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359", "Sun, 22 Nov 2026 12:00:00 GMT", "x", ""]
HEADERS = ["Date", "Retry-After", "Content-Encoding", "Content-Type", "Location", "Set-Cookie", "Transfer-Encoding"]

texts = st.text(st.characters(), max_size=8) | st.sampled_from(
    [*NAMES, *MOMENTS, "\x00", "char", "integer", "x" * 5000]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 40)
    | st.sampled_from([2**31, _MOST_NUMBER - 1, _MOST_NUMBER, -_MOST_NUMBER - 1, 10**400])
    | st.floats()
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)
tokens = st.sampled_from(
    ["1" * 5000, "[" * 3000, '{"a":' * 3000, "NaN", "1e999999", '"\\ud800"', "]", "-", "\\", "\xff"]
)
xml_pieces = st.sampled_from(
    [
        *(
            "<value>",
            "</value>",
            "<struct>",
            "</struct>",
            "<member/>",
            "<name>x</name>",
            "<array>",
            "</data>",
            "<nil/>",
        ),
        *("<int>x</int>", "<i8>1</i8>", "<base64>!</base64>", "<dateTime.iso8601>x</dateTime.iso8601>", "&a;", "<!--"),
        *(
            "<!DOCTYPE x [<!ENTITY a 'b'>]>",
            "<fault/>",
            "<params/>",
            "<value>" * 3000,
            f"<int>{'1' * 5000}</int>",
            "\0",
        ),
    ]
)


@dataclass(frozen=True)
class Spoiled:
    """What is done to one answer.

    :param how: `replace`, `delete`, `repeat` or `wrap` a part of its value; `token` and `cut` spoil its text; `bytes`
        stand for the whole; `header` and `status`.
    :param path: which part: at each level the entry of that number.
    """

    how: str
    path: Sequence[int] = ()
    value: Any = None
    token: str = ""
    raw: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


paths = st.lists(st.integers(0, 60), max_size=6) | st.lists(st.integers(0, 60), min_size=2, max_size=2)
header_texts = st.sampled_from(
    [*DATES, "gzip", "gzip, gzip", "br", "text/html", "0", "99999999999", "chunked"]
) | st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20)
spoiled = st.one_of(
    st.builds(Spoiled, st.just("replace"), paths, values),
    st.builds(Spoiled, st.sampled_from(["delete", "repeat", "wrap"]), paths),
    st.builds(Spoiled, st.sampled_from(["token", "cut"]), paths, token=tokens | xml_pieces),
    st.builds(Spoiled, st.just("bytes"), raw=st.binary(max_size=40)),
    st.builds(Spoiled, st.just("header"), headers=st.dictionaries(st.sampled_from(HEADERS), header_texts, max_size=2)),
    st.builds(Spoiled, st.just("status"), status=st.sampled_from([204, 206, 302, 401, 403, 404, 422, 429, 500, 503])),
)
plans = st.dictionaries(st.integers(0, 12), spoiled, min_size=1, max_size=3)
"""The answers to which requests are spoiled, and how. A request that is sent again has the number that it had, and is
spoiled again: trying again is no way out."""


class HostileProxy:
    """Passes requests on to a stand-in, and spoils answers.

    Requests are numbered in the order in which they first come.
    """

    def __init__(self, odoo: StandIn) -> None:
        self._odoo = odoo
        self._session = requests.Session()
        self._plan: Mapping[int, Spoiled] = {}
        self._numbers: dict[tuple[str, bytes], int] = {}
        self.server = RawServer()
        self.server.everything = self._answer

    def spoil(self, plan: Mapping[int, Spoiled]) -> None:
        """Spoil answers from now on; their numbers begin anew."""
        self._plan = plan
        self._numbers.clear()
        self.server.requests.clear()

    def _answer(self, request: Request) -> Reply:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        url = self._odoo.url + request.path
        answer = self._session.request(request.method, url, data=request.body, headers=headers, timeout=30)
        number = self._numbers.setdefault((request.path, request.body), len(self._numbers))
        kind = answer.headers.get("Content-Type", "")
        reply = Reply(answer.status_code, answer.content, kind, date=answer.headers["Date"])
        plan = self._plan.get(number)
        return reply if plan is None else _spoil(reply, plan)


def _spoil(reply: Reply, plan: Spoiled) -> Reply:
    body, status, headers = reply.body, reply.status, {}
    assert isinstance(body, bytes)
    if plan.how == "bytes":
        body = plan.raw
    elif plan.how == "header":
        headers = dict(plan.headers)
    elif plan.how == "status":
        status = plan.status
    elif plan.how in ("token", "cut"):
        place = sum(number * 37**power for power, number in enumerate(plan.path)) % (len(body) + 1)
        rest = b"" if plan.how == "cut" else body[place:]
        body = body[:place] + plan.token.encode(errors="surrogatepass") + rest
    else:
        body = _spoil_value(body, plan)
    return Reply(status, body, reply.content_type, headers, date=reply.date)


def _spoil_value(body: bytes, plan: Spoiled) -> bytes:
    if body.lstrip().startswith(b"<"):
        try:
            (value,), _ = xmlrpc.client.loads(body)
            return xmlrpc.client.dumps((_changed(value, plan),), methodresponse=True, allow_none=True).encode()
        except (xmlrpc.client.Error, OverflowError, TypeError, ValueError):  # XML-RPC has no such value: cut it short
            return body[: len(body) * (sum(plan.path) % 10) // 10]
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if isinstance(value, dict) and "result" in value and sum(plan.path) % 7:
        return json.dumps({**value, "result": _changed(value["result"], plan)}).encode()
    return json.dumps(_changed(value, plan)).encode()


def _changed(value: Any, plan: Spoiled, level: int = 0) -> Any:
    if level == len(plan.path) or not isinstance(value, dict | list) or not value:
        return [value] if plan.how == "wrap" else plan.value
    is_last = level == len(plan.path) - 1
    if isinstance(value, list):
        index = plan.path[level] % len(value)
        if is_last and plan.how == "delete":
            return [*value[:index], *value[index + 1 :]]
        if is_last and plan.how == "repeat":
            return [*value[: index + 1], *value[index:]]
        return [*value[:index], _changed(value[index], plan, level + 1), *value[index + 1 :]]
    key = sorted(value)[plan.path[level] % len(value)]
    if is_last and plan.how == "delete":
        return {name: item for name, item in value.items() if name != key}
    return {**value, key: _changed(value[key], plan, level + 1)}
