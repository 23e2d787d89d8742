"""Posts a message: a few tries, within half a minute, whatever the other side does."""

from __future__ import annotations

import json
import queue
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy

import requests
from urllib3.exceptions import HTTPError

from odoo_shadow.text.log import logger
from odoo_shadow.webhook.address import Webhook, WebhookError

log = logger(__name__)

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 10.0
TRIES = 3
SECONDS_IN_ALL = 30.0
"""How long a webhook may hold anything up, however slowly it answers; Airflow ends a callback after 50."""

LONGEST_WAIT = 5.0
"""The longest wait before the next try, in seconds, whatever Retry-After asks for."""

_FIRST_WAIT = 0.5
_NO_ANSWER = f"did not answer within {SECONDS_IN_ALL:g} s"
_MOST_DIGITS = 9


def post_or_warn(webhook: Webhook, text: str) -> bool:
    """Post a message; what goes wrong is one warning in the log, and nothing else.

    :return: whether it was posted.
    """
    try:
        post(webhook, text)
    except WebhookError as error:
        log.warning("%s", error)
        return False
    return True


def post(webhook: Webhook, text: str) -> None:
    """Post a message, in several tries if need be.

    :raises WebhookError: it was not taken; the message names the webhook's host only.
    """
    outcome: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def work() -> None:
        failure: str | None = "could not be called"
        try:
            failure = _tries(webhook, json.dumps({"text": text}).encode())
        finally:
            outcome.put(failure)

    # A thread: requests bounds each wait for bytes, but not the sum of them.
    threading.Thread(target=work, name="odoo-shadow-webhook", daemon=True).start()
    try:
        failure = outcome.get(timeout=SECONDS_IN_ALL)
    except queue.Empty:
        failure = _NO_ANSWER
    if failure is not None:
        raise WebhookError(f"{webhook} {failure}, so nobody was notified.")


@dataclass(frozen=True)
class _Try:
    """What became of one try.

    :param failure: the end of a sentence that begins with the webhook; None if the message was taken.
    :param wait: seconds before another try; None if that cannot help.
    """

    failure: str | None
    wait: float | None = None


def _tries(webhook: Webhook, body: bytes) -> str | None:
    failure = None
    with _session(webhook) as session:
        for number in range(TRIES):
            done = _try(session, webhook, body, _FIRST_WAIT * 4**number)
            failure = done.failure
            if done.wait is None:
                break
            if number + 1 < TRIES:
                time.sleep(done.wait)
    return failure


def _session(webhook: Webhook) -> requests.Session:
    """Return a session that neither keeps cookies nor takes a login from .netrc, and that calls this machine itself."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.auth = _no_login
    session.trust_env = not webhook.is_loopback
    return session


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _try(session: requests.Session, webhook: Webhook, body: bytes, wait: float) -> _Try:
    try:
        response = session.post(
            webhook.url,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            allow_redirects=False,
            stream=True,  # its body is not read: the status says it all
        )
    except (requests.RequestException, HTTPError, HTTPException, OSError, UnicodeError) as error:
        return _broken(error, wait)
    with closing(response):
        return _answered(response.status_code, response.headers.get("Retry-After"), wait)


def _broken(error: Exception, wait: float) -> _Try:
    if isinstance(error, requests.exceptions.SSLError):
        return _Try("cannot be called over TLS: check its certificate and the port")
    if isinstance(error, requests.exceptions.ReadTimeout):  # it may have taken the message: no second one
        return _Try(f"did not answer within {READ_TIMEOUT:g} s")
    if isinstance(error, requests.exceptions.ConnectionError):
        return _Try("cannot be reached", wait)
    return _Try("cannot be called: check its URL")


def _answered(status: int, retry_after: str | None, wait: float) -> _Try:
    if status in range(200, 300):
        return _Try(None)
    if status in range(300, 400):
        return _Try(f"redirects to another address (HTTP {status}), which is not followed")
    if status == 429 or status >= 500:
        return _Try(f"failed (HTTP {status})", _seconds(retry_after, wait))
    return _Try(f"refused the message (HTTP {status}): check its URL")


def _seconds(retry_after: str | None, otherwise: float) -> float:
    """Return how long to wait; a date, which webhooks do not send, counts as nothing said."""
    text = (retry_after or "").strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return min(float(text) if is_number else otherwise, LONGEST_WAIT)
