"""The words of a statement as PostgreSQL reads them; whatever another reader could read otherwise is refused.

The gate reads a statement by a parser that is not PostgreSQL's own. What the two could split into words in different
ways (escapes in strings, nested comments, dollar quotes, characters that only one takes for a space) does not pass, and
comments are removed before anything reads the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from odoo_shadow.knowledge.mcp.errors import RefusedError

DEEPEST = 40
"""Parentheses and brackets within each other."""

MOST_WORDS = 4_000

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n]+)
    |(?P<comment>--[^\n]*)
    |(?P<block>/\*(?:(?!/\*|\*/).)*\*/)
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_$]*)
    |(?P<symbol>[-()\[\],.;:=<>+*/%^|&~!@\#?])""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_TEXT = "write plain SQL: 'text' with '' for a quote, \"name\", -- comments, and letters of ASCII outside quotes"


class Kind(StrEnum):
    """What a word is."""

    STRING = "string"
    QUOTED = "quoted"
    NUMBER = "number"
    WORD = "word"
    SYMBOL = "symbol"


_KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True)
class Token:
    """A word, a quoted name, a string, a number or a sign.

    :param text: without its quotes; a word that is not quoted in lower case, as PostgreSQL takes it.
    """

    kind: Kind
    text: str


@dataclass(frozen=True)
class StatementText:
    """A statement without comments, and its words."""

    text: str
    tokens: tuple[Token, ...]


def read_statement(given: str, longest: int) -> StatementText:
    """Read a statement; one semicolon at its end is left out.

    :param longest: characters that it may have.
    :raises RefusedError: it is empty, too long, or written in a way that is not read here.
    """
    if len(given) > longest:
        raise RefusedError(f"The statement has {len(given)} characters, and at most {longest} are read: shorten it.")
    pieces, tokens = [], []
    for kind, piece in _split(given.replace("\r\n", "\n")):
        pieces.append(" " if kind == "comment" else piece)
        if kind in _KINDS:
            tokens.append(_token(Kind(kind), piece))
    text = "".join(pieces).strip()
    if tokens and tokens[-1] == Token(Kind.SYMBOL, ";"):
        del tokens[-1]
        text = text[:-1].rstrip()
    _check(tokens)
    return StatementText(text, tuple(tokens))


def _split(text: str) -> Iterator[tuple[str, str]]:
    at, before = 0, ""
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or not (kind := found.lastgroup):
            raise RefusedError(f"The statement cannot be read from {text[at : at + 20]!r} on: {_PLAIN_TEXT}.")
        if kind == "number" and found.end() < len(text) and re.match(r"[A-Za-z_0-9]", text[found.end()]):
            raise RefusedError(f"The statement cannot be read from {text[at : at + 20]!r} on: {_PLAIN_TEXT}.")
        # E'…', U&'…' and the like, whose backslashes mean something, and 'a'"b", which readers could split otherwise.
        if kind in {"string", "quoted"} and before in {"word", "string", "quoted", "number"}:
            raise RefusedError(f"The statement cannot be read from {text[at : at + 20]!r} on: {_PLAIN_TEXT}.")
        if kind == "quoted" and "\0" in found.group():
            raise RefusedError(f"The statement contains a character that no name has: {_PLAIN_TEXT}.")
        before = "word" if found.group() == "&" and before == "word" else kind
        yield ("comment" if kind == "block" else kind), found.group()
        at = found.end()


def _token(kind: Kind, piece: str) -> Token:
    match kind:
        case Kind.STRING:
            return Token(kind, piece[1:-1].replace("''", "'"))
        case Kind.QUOTED:
            return Token(kind, piece[1:-1].replace('""', '"'))
        case _:
            return Token(kind, piece.lower())


def _check(tokens: list[Token]) -> None:
    if not tokens:
        raise RefusedError("The statement is empty: write one SELECT.")
    if len(tokens) > MOST_WORDS:
        raise RefusedError(f"The statement has {len(tokens)} words, and at most {MOST_WORDS} are read: shorten it.")
    depth = 0
    for token in tokens:
        if token.kind is Kind.SYMBOL:
            depth += (token.text in "([") - (token.text in ")]")
            if depth > DEEPEST:
                raise RefusedError(f"More than {DEEPEST} parentheses are within each other: write it as WITH queries.")
            if token.text == ";":
                raise RefusedError("Only one statement is run at a time: leave out the semicolon within it.")
