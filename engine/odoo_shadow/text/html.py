"""Plain text of HTML, as Odoo's html fields hold it: for reading and searching, never to be shown as markup.

It takes time in proportion to the text, whatever that is: a parser that goes back does not.
"""

from __future__ import annotations

import re
from html import unescape

_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
        *("table", "tbody", "tfoot", "thead", "tr", "ul"),
    }
)
_WITHOUT_END = frozenset({"br", "hr"})
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg"})
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})((?:[\s/][^<>]{0,10000})?)>")
_DECLARATION = re.compile(r"<[!?][^<>]{0,1000}>")
_COMMENT, _COMMENT_END = "<!--", "-->"
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


def text_of_html(html: str) -> str:
    """Return the text that a browser would show, with line breaks between blocks; scripts and styles are left out."""
    parts: list[str] = []
    unclosed: set[str] = set()
    place, end = 0, len(html)
    while place < end:
        start = html.find("<", place)
        start = end if start < 0 else start
        parts.append(unescape(html[place:start]).replace("\n", " "))
        place = start if start == end else _after_tag(html, start, parts, unclosed)
    return _LINES.sub("\n", _BLANKS.sub(" ", "".join(parts))).strip()


def _after_tag(html: str, start: int, parts: list[str], unclosed: set[str]) -> int:
    """Add what a tag means to the text; return the place after it and after what it hides.

    :param unclosed: tags that hide what follows, and whose end is not there: it is not looked for again.
    """
    if html.startswith(_COMMENT, start):
        found = html.find(_COMMENT_END, start)
        return len(html) if found < 0 else found + len(_COMMENT_END)
    tag = _TAG.match(html, start)
    if tag is None:
        declaration = _DECLARATION.match(html, start)
        if declaration is None:
            parts.append("<")
        return start + 1 if declaration is None else declaration.end()
    is_end, name = bool(tag.group(1)), tag.group(2).lower()
    if name in _UNSEEN and not is_end and not tag.group(3).endswith("/") and name not in unclosed:
        closing = re.compile(f"</{name}", re.IGNORECASE).search(html, tag.end())
        if closing is not None:
            return closing.start()
        unclosed.add(name)
    if name in _BLOCKS and not (is_end and name in _WITHOUT_END):
        parts.append("\n- " if name == "li" and not is_end else "\n")
    elif name in _CELLS:
        parts.append(" ")
    return tag.end()
