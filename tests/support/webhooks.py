"""A chat's incoming webhook: a real HTTP server that records what is posted to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.raw_server import RawServer, Reply

KEY = "xkq7w8erpbfn5jz3hook9secret1"
PATH = f"/hooks/{KEY}"
TAKEN = Reply(body="ok", content_type="text/plain")


@dataclass(frozen=True)
class Chat:
    """What a chat has got."""

    server: RawServer

    @property
    def url(self) -> str:
        return self.server.url + PATH

    @property
    def texts(self) -> list[str]:
        """The messages, each of which must be as Mattermost and Slack want it."""
        for request in self.server.requests:
            assert (request.method, request.path) == ("POST", PATH)
            assert request.headers["Content-Type"] == "application/json"
        documents = [json.loads(request.body) for request in self.server.requests]
        assert all(list(document) == ["text"] for document in documents)
        return [document["text"] for document in documents]


@contextmanager
def chat(*replies: Reply) -> Iterator[Chat]:
    """Run a webhook.

    :param replies: to the first requests; the others are taken.
    """
    with RawServer() as server:
        server.script.extend(replies)
        server.otherwise = lambda _: TAKEN
        yield Chat(server)
