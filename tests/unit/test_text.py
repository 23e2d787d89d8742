"""What people see holds no credential and nothing that a terminal or a log would obey."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest

from airflow_provider_odoo_shadow.text.errors import ShownError
from airflow_provider_odoo_shadow.text.log import Block, logger
from airflow_provider_odoo_shadow.text.redaction import REDACTED, protect, protect_url, redact
from airflow_provider_odoo_shadow.text.shown import LONGEST, shown, shown_block

SECRET = 'ü"s3/cr t&%7'
FORMS = {
    "plain": SECRET,
    "json": json.dumps(SECRET)[1:-1],
    "json, not escaped": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "url": quote(SECRET, safe=""),
    "path": quote(SECRET),
    "form": quote_plus(SECRET),
    "lower-case url": quote(SECRET, safe="").lower().replace("s3", "s3"),
    "python": repr(SECRET),
    "html": SECRET.replace("&", "&amp;").replace('"', "&quot;"),
    "hexadecimal": SECRET.encode().hex(),
}


@pytest.fixture(autouse=True)
def known() -> None:
    protect(SECRET, login="someone@example.com")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_secret_is_replaced(form: str) -> None:
    text = redact(f"the server said: {form}, again {form}.")
    assert form.strip("'") not in text
    assert text.count(REDACTED) == 2


@pytest.mark.parametrize("before", ["", "a", "ab", "someone@example.com:"])
@pytest.mark.parametrize("after", ["", "z", "\n"])
def test_base64_is_replaced_whatever_stands_around(before: str, after: str) -> None:
    encoded = base64.b64encode(f"{before}{SECRET}{after}".encode()).decode()
    assert REDACTED in redact(f"Basic {encoded}")
    assert base64.b64encode(SECRET.encode()).decode()[4:12] not in redact(encoded)


def test_a_password_that_is_the_login_and_a_very_short_one_change_nothing() -> None:
    protect("administrator", login="administrator")
    protect("ab")
    assert redact("the login 'administrator' may not, ab") == "the login 'administrator' may not, ab"


@pytest.mark.parametrize("url", ["postgresql://odoo:odoo@db/odoo", "host=db user=odoo password=odoo"])
def test_so_it_is_in_a_database_url(url: str) -> None:
    protect_url(url)
    assert redact("odoo-shadow sync") == "odoo-shadow sync"


def test_a_short_secret_is_replaced_only_where_it_stands_alone() -> None:
    protect("kiwi")
    assert redact("kiwi, kiwifruit") == f"{REDACTED}, kiwifruit"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://postgres:p%40ss-one@db.example.com/postgres", "p@ss-one"),
        ("postgresql://postgres:p@ss-two/with#signs@db.example.com/postgres", "p@ss-two/with#signs"),
        ("postgresql://db.example.com/postgres?password=pass%20three&sslmode=require", "pass three"),
        (r"host=db password='pass \'four' user=x", "pass 'four"),
        ("host=db password=pass-five user=x", "pass-five"),
    ],
)
def test_the_password_of_a_database_url_is_known(url: str, secret: str) -> None:
    protect_url(url)
    assert secret not in redact(f"connection to {secret} failed: {url}")


def test_a_secret_is_replaced_before_the_text_is_cut() -> None:
    text = shown("x" * (LONGEST - 4) + SECRET)
    assert text == "x" * (LONGEST - 4) + REDACTED


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J",
        "\x1b]8;;http://evil/\x07click",
        "a\rb",
        "a\nb",
        "\u202etxt.exe",
        "a\u2028b",
        "\u200bhidden",
        "\x9b31m",
        "\ud800",
    ],
)
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    assert shown(text).isprintable()
    shown(text).encode()


def test_honest_text_is_left_as_it_is() -> None:
    text = "[red] brackets, {braces}, %s, émigré, 日本語, Ω ≠ ∅ 🎉"
    assert shown(text) == text


def test_an_errors_message_is_shown() -> None:
    assert str(ShownError(f"refused {SECRET}\x1b[1m")) == f"refused {REDACTED}\\x1b[1m"


def test_log_lines_are_shown(caplog: pytest.LogCaptureFixture) -> None:
    log = logger("airflow_provider_odoo_shadow.test_text")
    with caplog.at_level(logging.INFO):
        log.info("%s: %d rows, %.1f s, %s", "a\nb", 3, 0.5, ValueError(SECRET))
        log.info("table:\n%s", Block("one\ntwo\x1b[0m"))
        try:
            raise ValueError(SECRET)
        except ValueError:
            log.exception("failed")
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"a\\x0ab: 3 rows, 0.5 s, {REDACTED}", "table:\none\ntwo\\x1b[0m", "failed"]
    assert SECRET not in caplog.text


def test_a_block_keeps_its_lines() -> None:
    assert shown_block("one\n\ttwo\r") == "one\n\\x09two\\x0d"
