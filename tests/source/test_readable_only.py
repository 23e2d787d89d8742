"""Files that Odoo 16 lists and refuses to all but administrators are not asked for."""

from __future__ import annotations

import json

import pytest

from odoo_shadow.source.api.readable_only import readable_only
from tests.support.raw_clients import ClientTo
from tests.support.raw_server import RawServer, Reply, Request

pytestmark = pytest.mark.both_flavours


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
