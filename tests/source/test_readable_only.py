"""Files that Odoo 16 lists and refuses to all but administrators are not asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from odoo_shadow.source.api.readable_only import readable_only
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.reading import EVERYWHERE, Reading, Where
from tests.support.raw_clients import ClientTo
from tests.support.raw_server import RawServer, Reply, Request

pytestmark = pytest.mark.both_flavours

FILES = Reading("ir.attachment", ("id", "write_date"))
A_MOMENT = datetime(2024, 2, 29, 12, tzinfo=UTC)


def of_version(server: RawServer, major: int, *, is_administrator: bool) -> None:
    answers: dict[str, object] = {
        "version": {"server_version": f"{major}.0"},
        "authenticate": 7,
        "has_group": is_administrator,
    }

    def answer(request: Request) -> Reply:
        if request.path == "/web/version":
            return Reply(404)
        return Reply(body=json.dumps({"result": answers[request.call]}))

    server.everything = answer


@pytest.mark.parametrize(
    ("major", "is_administrator", "model", "is_narrowed"),
    [
        (16, False, "ir.attachment", True),
        (16, True, "ir.attachment", False),
        (16, False, "res.partner", False),
        (17, False, "ir.attachment", False),
        (19, False, "ir.attachment", False),
    ],
)
def test_only_where_a_search_finds_more_than_a_read_gives(
    major: int, is_administrator: bool, model: str, is_narrowed: bool, server: RawServer, client_to: ClientTo
) -> None:
    of_version(server, major, is_administrator=is_administrator)
    domain = list(readable_only(client_to(server.url, protocol="jsonrpc"), model))
    assert bool(domain) is is_narrowed
    assert (("create_uid", "=", 7) in domain) is is_narrowed


QUESTIONS: dict[str, Callable[[ApiSource], object]] = {
    "count": lambda odoo: odoo.count(FILES),
    "count_all": lambda odoo: odoo.count_all(FILES),
    "count_without_id": lambda odoo: odoo.count_without_id(FILES),
    "ids": lambda odoo: odoo.ids(FILES),
    "ids by number": lambda odoo: odoo.ids(FILES, Where(ids=(1, 2), written_since=A_MOMENT, up_to_id=9)),
    "outermost_id": lambda odoo: odoo.outermost_id(FILES, lowest=True),
    "highest_id": lambda odoo: odoo.highest_id(FILES),
    "newest_write_date": lambda odoo: odoo.newest_write_date(FILES, EVERYWHERE, A_MOMENT),
    "pages": lambda odoo: list(odoo.pages(FILES, up_to_id=1, page_size=5)),
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_no_question_is_about_other_files(what: str, server: RawServer, client_to: ClientTo) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Reply:
        if request.path == "/web/version":
            return Reply(404)
        answers: dict[str, object] = {
            "version": {"server_version": "16.0"},
            "authenticate": 7,
            "has_group": False,
            "search_count": 1,
            "search": [1],
            "search_read": [{"id": 1, "write_date": "2024-02-29 12:00:00"}],
        }
        if request.call.startswith("search"):
            asked.append(request.body.decode())
        return Reply(body=json.dumps({"result": answers[request.call]}))

    server.everything = answer
    QUESTIONS[what](ApiSource(client_to(server.url, protocol="jsonrpc")))
    assert asked and all('["create_uid", "=", 7]' in body for body in asked)
    if what == "ids by number":  # every condition counts
        assert '["write_date", ">=", "2024-02-29 12:00:00"], ["id", "<=", 9]' in asked[0]
