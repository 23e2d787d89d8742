"""Nothing in a message notifies anybody, leads elsewhere or formats the text."""

from __future__ import annotations

import pytest

from odoo_shadow.webhook.message import LONGEST, message, name, plain

MENTIONS = ("@all", "@here", "@channel", "@john", "<!channel>", "<!here|x>", "<@U024BE7LH>", "<!subteam^S1>")
LINKS = ("https://evil.example", "HTTP://evil.example", "www.evil.example", "[x](javascript:1)", "<https://x|y>")
MARKUP = ("*bold*", "~~gone~~", "# Title", "`code`", "```", "|table|", "![x](y)", "~town-square")


@pytest.mark.parametrize("text", [*MENTIONS, *LINKS, *MARKUP])
def test_text_stays_text(text: str) -> None:
    for safe in (plain(f"a {text} b"), plain(text), name(text)[1:-1]):
        assert not any(sign in safe for sign in ("@", "<", ">", "`", "*", "~", "#", "[", "]", "|", "://"))
        assert "www.evil" not in safe


def test_words_that_mean_nothing_to_a_chat_are_unchanged() -> None:
    said = "models: 12 mirrored, 1 failed (odoo_shadow_sale_order); rows: 3 inserted."
    assert plain(said) == said
    assert plain("Müller & Söhne <x>") == "Müller &amp; Söhne &lt;x&gt;"


def test_control_characters_are_shown() -> None:
    assert plain("a\x1b[31m\u202eb\nc") == r"a\x1b(31m\u202eb\x0ac"


@pytest.mark.parametrize("length", [0, 10, LONGEST - 30, LONGEST, 5 * LONGEST])
def test_a_message_is_short_and_its_link_whole(length: int) -> None:
    link = "https://airflow.example.com/dags/own_sync"
    for text in ("x" * length, "&amp;" * length):
        made = message(text, link)
        assert len(made) <= LONGEST
        assert made.endswith(f"\n{link}")
        assert made.removesuffix(f"…\n{link}").count("&") == made.count(";")


def test_a_name_is_short() -> None:
    assert len(name("x" * 10_000)) < 200
