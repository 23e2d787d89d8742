"""An endpoint for embeddings may fail in any way: no vector is stored that is not one, and nobody learns the key."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Iterator

import pytest

from odoo_shadow.knowledge.embedding import http, openai
from odoo_shadow.knowledge.embedding.choice import EmbeddingSettings, make_embedder
from odoo_shadow.knowledge.embedding.errors import (
    EmbeddingConfigurationError,
    EmbeddingError,
    EmbeddingRetriableError,
    RefusedTextError,
)
from odoo_shadow.knowledge.embedding.openai import (
    FIRST_TEXTS,
    MOST_CHARACTERS,
    MOST_TEXTS,
    SHORTEST,
    TRIES,
    TRIES_OF_A_QUESTION,
)
from odoo_shadow.knowledge.embedding.port import Passage, Vector
from tests.support.embeddings import DIMENSIONS, KEY, answer, endpoint, vector_of
from tests.support.raw_server import HTML_TYPE, Reply

TEXTS = [Passage("Sales Order S00031", "Customer: Gemini"), Passage("Product Oak Desk", "")]


def _unit(values: list[float]) -> Vector:
    length = math.hypot(*values)
    return [value / length for value in values]


def test_vectors_come_in_the_order_of_the_texts_and_of_length_one() -> None:
    backwards = [
        {"index": 1, "embedding": vector_of("Product Oak Desk")},
        {"index": 0, "embedding": vector_of("Sales Order S00031\nCustomer: Gemini")},
    ]
    with endpoint(Reply(body=json.dumps({"data": backwards}))) as there:
        found = there.embedder().embed_documents(TEXTS)
        again = there.embedder().embed_documents(TEXTS)
    assert found == again
    assert found[0] == pytest.approx(_unit(vector_of("Sales Order S00031\nCustomer: Gemini")))
    assert found[1] == pytest.approx(_unit(vector_of("Product Oak Desk")))
    (request, _) = there.server.requests
    assert (request.method, request.path) == ("POST", "/v1/embeddings")
    assert "dimensions" not in json.loads(request.body)


def test_requests_are_bounded_in_number_and_characters() -> None:
    many = [Passage(f"short {number}", "") for number in range(MOST_TEXTS + 1)]
    long = [Passage("long", "x" * 5_000) for _ in range(MOST_CHARACTERS // 5_000 + 1)]
    with endpoint() as there:
        assert len(there.embedder().embed_documents([*many, *long])) == len(many) + len(long)
        assert all(len(texts) <= MOST_TEXTS for texts in there.asked)
        assert all(sum(map(len, texts)) <= MOST_CHARACTERS for texts in there.asked)
        assert [len(texts) for texts in there.asked[:3]] == [FIRST_TEXTS, 2 * FIRST_TEXTS, 4 * FIRST_TEXTS]
        estimate = there.embedder().load(len(many), sum(item.characters for item in many))
    assert (estimate.documents, estimate.requests) == (len(many), 2)


@pytest.mark.parametrize(
    "first",
    [
        Reply(status=429, headers={"Retry-After": "0"}),
        Reply(status=500, body="<html>oops", content_type=HTML_TYPE),
        Reply(status=503, headers={"Retry-After": "0"}),
        Reply(raw=b""),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"),
        Reply(body="<html>maintenance</html>", content_type=HTML_TYPE),
        answer([[1.0] * DIMENSIONS]),
        answer([[1.0] * DIMENSIONS, [1.0] * (DIMENSIONS + 1)]),
        Reply(body=json.dumps({"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]})),
        Reply(body=json.dumps({"data": "none"})),
        Reply(body="[" * 100_000),
    ],
    ids=["429", "500", "503", "closed", "cut", "html", "too-few", "lengths", "same-index", "no-list", "deep"],
)
def test_what_may_pass_is_tried_again(first: Reply) -> None:
    with endpoint(first) as there:
        assert len(there.embedder().embed_documents(TEXTS)) == len(TEXTS)
        assert len(there.server.requests) == 2


def test_one_that_stays_broken_is_given_up_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint(*[Reply(status=500) for _ in range(TRIES)]) as there:
        with pytest.raises(EmbeddingRetriableError, match=r"^The embeddings' endpoint at 127\.0\.0\.1 failed"):
            there.embedder().embed_documents(TEXTS)
        assert len(there.server.requests) == TRIES
        there.server.everything = lambda _: Reply(status=429, headers={"Retry-After": "3600"})
        monkeypatch.setattr(openai, "LONGEST_WAIT_OF_A_QUESTION", 0.0)
        with pytest.raises(EmbeddingRetriableError, match="HTTP 429"):
            there.embedder().embed_query("x")
        assert len(there.server.requests) == TRIES + TRIES_OF_A_QUESTION


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, "1", None, True, 10**400], ids=str)
def test_a_vector_that_is_none_refuses_its_text(bad: object) -> None:
    # Zero in all places, and anything else in one.
    values: list[object] = [0.0] * DIMENSIONS if bad == 0.0 else [1.0] * (DIMENSIONS - 1) + [bad]
    with endpoint(answer([values, [1.0] * DIMENSIONS])) as there, pytest.raises(RefusedTextError):
        there.embedder().embed_documents(TEXTS)


def test_numbers_beyond_what_the_database_takes_are_a_direction_all_the_same() -> None:
    with endpoint(answer([[1e300] * DIMENSIONS])) as there:
        found = there.embedder().embed_query("x")
    assert found == pytest.approx([1 / math.sqrt(DIMENSIONS)] * DIMENSIONS)


def test_another_length_than_before_ends_it() -> None:
    with endpoint() as there:
        embedder = there.embedder()
        assert embedder.dimensions == DIMENSIONS
        there.server.everything = lambda _: answer([[1.0] * (DIMENSIONS + 1)])
        with pytest.raises(EmbeddingError, match=f"of {DIMENSIONS + 1} dimensions, but {DIMENSIONS} are expected"):
            embedder.embed_query("x")
        with pytest.raises(EmbeddingError, match="but 4 are expected"):
            there.embedder(dimensions=4).embed_query("x")


def test_shorter_vectors_are_asked_for() -> None:
    with endpoint() as there:
        assert len(there.embedder(dimensions=4).embed_query("x")) == 4


def test_a_text_that_is_too_long_is_cut_and_so_are_the_next() -> None:
    with endpoint() as there:
        there.refuses = lambda text: len(text) > SHORTEST
        embedder = there.embedder()
        assert len(embedder.embed_documents([Passage("long", "x" * 3_000)])) == 1
        assert [len(texts[0]) for texts in there.asked] == [3_005, 1_502, 751, SHORTEST]
        embedder.embed_documents([Passage("long", "y" * 3_000)])
        assert len(there.asked[-1][0]) == embedder.longest == SHORTEST


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(status=401), "refuses the key"),
        (Reply(status=404), "EMBEDDINGS_MODEL"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), "redirects"),
        (Reply(status=400), "refuses every text"),
    ],
    ids=["401", "404", "302", "400"],
)
def test_what_a_person_must_correct_is_not_tried_again(reply: Reply, said: str) -> None:
    with endpoint(reply) as there:
        with pytest.raises(EmbeddingConfigurationError, match=said):
            _ = there.embedder().dimensions
        assert len(there.server.requests) == 1


def test_a_slow_endpoint_gets_fewer_texts_at_once() -> None:
    with endpoint() as there:
        late = threading.Event()
        there.server.everything = lambda request: (
            Reply(raw=b"", hold=late) if len(json.loads(request.body)["input"]) > 2 else there.reply(request)
        )
        embedder = there.embedder(timeout=0.3)
        found = embedder.embed_documents([Passage(f"text {number}", "") for number in range(8)])
        late.set()
        there.server.everything = there.reply
        assert found == there.embedder().embed_documents([Passage(f"text {number}", "") for number in range(8)])
        assert [len(texts) for texts in there.asked[:6]] == [8, 4, 2, 2, 2, 2]
        assert embedder.batch == 2


@pytest.mark.attack
@pytest.mark.parametrize(
    "reply",
    [Reply(status=500, body=f'{{"error": {{"message": "Bearer {KEY}"}}}}'), Reply(raw=b"")],
    ids=["told", "cut"],
)
def test_nobody_learns_the_key(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with endpoint(*[reply] * TRIES) as there:
        embedder = there.embedder()
        with pytest.raises(EmbeddingError) as raised:
            embedder.embed_query("x")
    assert ("***" in str(raised.value)) is (reply.raw is None)
    assert KEY not in f"{raised.value!r} {caplog.text} {there.settings!r} {embedder!r}"
    assert raised.value.__context__ is None  # it would hold the request, and so the key


@pytest.mark.attack
def test_an_endless_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 2**20)

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65_536

    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with endpoint(Reply(raw=head, stream=endless)) as there, pytest.raises(EmbeddingError, match="more than 1 MiB"):
        there.embedder().embed_query("x")


@pytest.mark.attack
def test_an_answer_that_drips_ends() -> None:
    def drip() -> Iterator[bytes]:
        while there.server.requests:
            yield b" "

    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with endpoint(*[Reply(raw=head, stream=drip)] * TRIES) as there:
        with pytest.raises(EmbeddingRetriableError, match="did not answer within"):
            there.embedder(timeout=0.1).embed_query("x")
        there.server.requests.clear()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.example.com/v1", "EMBEDDINGS_ALLOW_HTTP=true"),
        ("https://user:pass@api.example.com/v1", "EMBEDDINGS_API_KEY"),
        ("openai", "local, none or a URL"),
        ("https://api.example.com/v1#x", "local, none or a URL"),
    ],
)
def test_addresses_that_are_refused(url: str, said: str) -> None:
    with pytest.raises(EmbeddingConfigurationError, match=said) as raised:
        make_embedder(EmbeddingSettings(url, "m", KEY))
    assert "pass@" not in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (EmbeddingSettings("https://api.example.com/v1", None, KEY), "EMBEDDINGS_MODEL is missing"),
        (
            EmbeddingSettings("https://api.example.com/v1", "m", "a key\nwith lines"),
            "EMBEDDINGS_API_KEY has characters",
        ),
    ],
)
def test_settings_that_are_refused(settings: EmbeddingSettings, said: str) -> None:
    with pytest.raises(EmbeddingConfigurationError, match=said):
        make_embedder(settings)


def test_none_is_none() -> None:
    assert make_embedder(EmbeddingSettings("none")) is None
