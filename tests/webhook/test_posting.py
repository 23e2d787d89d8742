"""Posting to a webhook that is slow, dead, busy, or leads elsewhere."""

from __future__ import annotations

import itertools
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

import pytest

from odoo_shadow.text.redaction import redact
from odoo_shadow.webhook import post as posting
from odoo_shadow.webhook.address import Webhook, WebhookError
from odoo_shadow.webhook.post import post, post_or_warn
from tests.support.certificates import Certificate
from tests.support.raw_server import RawServer, Reply
from tests.support.webhooks import KEY, PATH, TAKEN, chat


def webhook(url: str, *, allow_http: bool = False) -> Webhook:
    return Webhook.parse("of the test", url, allow_http=allow_http, how_to_allow="allow_http")


def failing(url: str) -> str:
    """Return the message of a post that fails, in which, and around which, there must be no secret."""
    with pytest.raises(WebhookError) as caught:
        post(webhook(url), "Hello")
    assert KEY not in "".join(traceback.format_exception(caught.value, chain=True))
    assert caught.value.__context__ is None
    return str(caught.value)


def test_a_text_is_posted_once() -> None:
    with chat() as mattermost:
        post(webhook(mattermost.url), 'Ü "quoted" \ud800 text')
        assert mattermost.texts == ['Ü "quoted" \ud800 text']


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_webhook_is_tried_again(status: int) -> None:
    busy = Reply(status, headers={"Retry-After": "0"})
    with chat(busy, busy) as mattermost:
        post(webhook(mattermost.url), "Hello")
        assert mattermost.texts == ["Hello"] * 3


def test_tries_are_bounded() -> None:
    with chat(*[Reply(502, headers={"Retry-After": "0"})] * 9) as mattermost:
        assert failing(mattermost.url) == (
            "The webhook at 127.0.0.1 (of the test) failed (HTTP 502), so nobody was notified."
        )
        assert len(mattermost.texts) == 3


@pytest.mark.parametrize("asked", ["86400", "9" * 40, "Wed, 01 Jan 2098 00:00:00 GMT", "-1", "soon"])
def test_a_long_retry_after_is_cut(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "LONGEST_WAIT", 0.2)
    with chat(Reply(429, headers={"Retry-After": asked})) as mattermost:
        before = time.monotonic()
        post(webhook(mattermost.url), "Hello")
        assert time.monotonic() - before < 10
        assert len(mattermost.texts) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_final(status: int) -> None:
    with chat(Reply(status, f"no {KEY}")) as mattermost:
        assert f"refused the message (HTTP {status}): check its URL" in failing(mattermost.url)
        assert len(mattermost.texts) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with chat() as elsewhere, chat(Reply(status, headers={"Location": elsewhere.url})) as mattermost:
        assert f"redirects to another address (HTTP {status})" in failing(mattermost.url)
        assert elsewhere.texts == []
        assert len(mattermost.texts) == 1


def test_a_dead_port_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    caplog.set_level(logging.DEBUG)
    assert post_or_warn(webhook(f"http://127.0.0.1:{port}{PATH}"), "Hello") is False
    (warning,) = [item for item in caplog.records if item.levelno >= logging.WARNING]
    assert warning.getMessage() == ("The webhook at 127.0.0.1 (of the test) cannot be reached, so nobody was notified.")


def test_a_message_that_may_have_been_taken_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "READ_TIMEOUT", 0.3)
    release = threading.Event()
    with chat(Reply(hold=release)) as mattermost:
        assert "did not answer within 0.3 s" in failing(mattermost.url)
        release.set()
        assert len(mattermost.texts) == 1


def drip() -> Iterable[bytes]:
    """Headers without end, slowly."""
    yield b"HTTP/1.1 200 OK\r\n"
    for number in itertools.count():
        time.sleep(0.1)
        yield f"X-{number}: x\r\n".encode()


def test_a_webhook_that_drips_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "SECONDS_IN_ALL", 1.0)
    with chat(Reply(raw=b"", stream=drip)) as mattermost:
        before = time.monotonic()
        failing(mattermost.url)
        assert time.monotonic() - before < 8


def endless() -> Iterable[bytes]:
    """A body without end."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    yield from itertools.repeat(b"x" * 65_536)


def test_an_answer_without_end_is_not_read() -> None:
    with chat(Reply(raw=b"", stream=endless)) as mattermost:
        post(webhook(mattermost.url), "Hello")
        assert mattermost.texts == ["Hello"]


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 900000 \r\n\r\n", b""])
def test_what_is_not_http_is_an_error(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_FIRST_WAIT", 0.0)
    with chat(*[Reply(raw=raw, close=True)] * 3) as mattermost:
        assert "so nobody was notified" in failing(mattermost.url)


def test_a_certificate_that_nobody_trusts_ends_it(tmp_path: Path) -> None:
    with RawServer(Certificate(tmp_path).context) as server:
        server.otherwise = lambda _: TAKEN
        assert "cannot be called over TLS" in failing(server.url + PATH)
        assert server.requests == []


def test_a_login_of_netrc_is_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password hunter2\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with chat() as mattermost:  # under a name that does not count as this machine's
        post(webhook(mattermost.url.replace("127.0.0.1", "127.1"), allow_http=True), "Hello")
        assert "Authorization" not in mattermost.server.requests[0].headers


def test_no_proxy_comes_between_this_machine_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with chat() as proxy, chat() as mattermost:
        for name in ("http_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.server.url)
        post(webhook(mattermost.url), "Hello")
        assert mattermost.texts == ["Hello"]
        assert proxy.server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://chat.example.com/hooks/x1",
        "http://10.0.0.1/hooks/x1",
        "http://127.0.0.1.example.com/hooks/x1",
        "http://127.1/hooks/x1",
    ],
)
def test_the_secret_path_travels_encrypted(url: str) -> None:
    with pytest.raises(WebhookError, match=r"unencrypted to .*, set allow_http"):
        webhook(url)
    assert webhook(url, allow_http=True).url == url


@pytest.mark.parametrize(
    "url",
    [
        f"chat.example.com{PATH}",
        f"ftp://chat.example.com{PATH}",
        f"file://{PATH}",
        f"https://{KEY}",
        f"https://me:{KEY}@chat.example.com/hooks/x",
        f"https://chat.example.com:port{PATH}",
        f"https://chat.example.com/hooks /{KEY}",
        f"https://[::1{PATH}",
        KEY,
        "https://",
    ],
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(WebhookError, match="is not a URL such as https://") as caught:
        webhook(url)
    assert KEY not in str(caught.value)


def test_the_path_is_redacted_wherever_it_appears() -> None:
    known = webhook(f"https://hooks.example.com/services/T0000/B0000/{KEY}2?token={KEY}3&x=1")
    assert repr(known).count(KEY) == str(known).count(KEY) == 0
    for text in (known.url, f"POST /services/T0000/B0000/{KEY}2 HTTP/1.1", f"{KEY}2", f"token={KEY}3"):
        assert KEY not in redact(f"urllib3 says {text} !")
    assert redact("the services of hooks.example.com") == "the services of hooks.example.com"
