"""Plain text of HTML, whatever it contains, in a time that grows with its length alone."""

from __future__ import annotations

import pytest

from odoo_shadow.text.html import text_of_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two <b>bold</b></p>", "One\nTwo bold"),
        ("<ul><li>a</li><li>b</li></ul>c", "- a\n- b\nc"),
        ("a<br/>b<br>c", "a\nb\nc"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<script>alert('<p>')</script><STYLE>p {}</Style>x<!-- <p>y -->z", "xz"),
        ("<head><title>no</title></head><svg><path/></svg>yes", "yes"),
        ("1 &lt; 2 &amp;&nbsp;3 < 4 <5", "1 < 2 & 3 < 4 <5"),
        ("<!DOCTYPE html><?xml v?>a", "a"),
        ("<p title='>'>a</p>", "'>a"),
        ("a <!-- never closed", "a"),
        ("plain & simple", "plain & simple"),
        ("", ""),
    ],
)
def test_text_is_what_a_browser_shows(html: str, text: str) -> None:
    assert text_of_html(html) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["<a ", "<a b='", '<a href="', "<!--", "<svg>", "<script>", "</", "<", "<!", "&lt;", "<p>", "&#x"]
)
def test_hostile_markup_takes_no_longer_than_other_text(piece: str) -> None:
    """A parser that goes back at each `<` takes minutes for 100,000 characters, and hours for these."""
    assert len(text_of_html(piece * (1_000_000 // len(piece)))) <= 1_000_000
