"""What people see holds no credential and nothing that a terminal or a log would obey."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest

from odoo_shadow.text.amounts import counted
from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.log import Block, logger
from odoo_shadow.text.redaction import REDACTED, protect, protect_url, redact
from odoo_shadow.text.shown import LONGEST, shown, shown_block

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


def hexadecimal(char: str, sign: str, width: int) -> str:
    return f"{sign}{ord(char):0{width}x}"


SPELLINGS: dict[str, Callable[[str], str]] = {
    "XML text": escape,
    "an XML attribute": lambda text: quoteattr(text)[1:-1],
    "encodeURIComponent": lambda text: quote(text, safe="!'()*"),
    "every byte in a URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "the same in small letters": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "a URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "Latin-1 in a URL": lambda text: quote(text, safe="", encoding="latin-1"),
    "every character in JSON": lambda text: "".join(hexadecimal(char, "\\u", 4) for char in text),
    "decimal entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "hexadecimal entities": lambda text: "".join(hexadecimal(char, "&#x", 1) + ";" for char in text),
    "entities with zeros": lambda text: "".join(f"&#{ord(char):06};" for char in text),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON in HTML": lambda text: escape(json.dumps(text)[1:-1], {'"': "&quot;"}),
    "bytes in Python": lambda text: repr(text.encode())[2:-1],
    "every character in Python": lambda text: "".join(hexadecimal(char, "\\x", 2) for char in text),
    "a form": lambda text: text.replace(" ", "+"),
    "one character in a URL": lambda text: text.replace("t", "%74"),
}
SECRETS = {
    "odd": "ü\"s3/cr t&%<7>'(!)*",
    "with backslashes": 'a\\\\b"é t',
    "a word": "correcthorse",
    "a line": "one\ntwo t",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_known_however_each_of_its_characters_is_written(secret: str, spell: Callable[[str], str]) -> None:
    protect(secret)
    for between in (" {} ", "'{}'", "?password={}&", "%3D{}%26", ">{}<"):
        assert redact(between.format(spell(secret))) == between.format(REDACTED)


def test_it_is_fast() -> None:
    for number in range(5):
        protect(f"{SECRET}{number}")
    line = "res.partner: 20 rows were written since 2026-01-01 00:00:00 UTC, " * 16
    hostile = [sign * 1000 for sign in ("\\", "%25", "&#0000", "\\u00", "%C3")]
    began = time.perf_counter()
    for text in (line, *hostile):
        redact(text)
    assert time.perf_counter() - began < 1


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
    ("secret", "text"),
    [
        ("marmalade", "the marmalades"),
        ("quince", "a_quince_tree"),
        ("20770101", "run 207701012"),
    ],
)
def test_a_secret_that_is_a_word_does_not_hide_longer_words(secret: str, text: str) -> None:
    protect(secret)
    assert redact(text) == text
    assert redact(f"key={secret}, {secret}.") == f"key={REDACTED}, {REDACTED}."


def test_a_secret_that_looks_random_is_replaced_wherever_it_stands() -> None:
    protect("9f86d081884c7d65")
    assert redact("id9f86d081884c7d65x") == f"id{REDACTED}x"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://db.example.com/postgres?oauth_client_secret=of-a-client&x=y", "of-a-client"),
        ("postgresql://db.example.com/postgres?x=y&passfile=/run/secrets/pass-file", "/run/secrets/pass-file"),
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


@pytest.mark.parametrize("place", range(LONGEST - 30, LONGEST + 1))
def test_no_cut_leaves_half_a_secret(place: int) -> None:
    for text in (SECRET, quote(SECRET), "".join(f"&#{ord(char)};" for char in SECRET)):
        told = shown(f"{SECRET} " + "." * (place - len(SECRET) - 1) + text + "." * LONGEST)
        assert set(told) <= set(f"{REDACTED} .…") and told.endswith("…")


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    text = f"{SECRET}%20" * (20 * 2**20 // len(SECRET))
    began = time.perf_counter()
    assert len(shown(text)) <= LONGEST + 1
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "##vso[task.setvariable variable=x]y",
        "##teamcity[buildStatus text='x']",
        "##[error]x",
        "::set-output name=x::y",
        "said: ::error::x",
        "a\t ::warning file=x::y",
        "::group::x",
        "x::endgroup::",
    ],
)
def test_nothing_is_left_that_a_ci_job_obeys(text: str) -> None:
    for around in ("{}", "Odoo said {}", " {}"):
        told = shown(around.format(text))
        assert "##" not in told and " ::" not in told and not told.startswith("::") and "::group::" not in told


@pytest.mark.parametrize("text", ["std::vector", "## title", "a :: b", "C::D", "10::int"])
def test_what_only_looks_like_a_command_stays(text: str) -> None:
    assert shown(text) == text


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
    log = logger("odoo_shadow.test_text")
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


def test_one_of_something_is_not_several() -> None:
    assert [counted(number, "row") for number in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert [counted(number, "is", "are") for number in (1, 2)] == ["1 is", "2 are"]
