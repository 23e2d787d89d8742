"""What one answer may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds of one request, and of all together.

    :param seconds: of a statement.
    :param rows: of an answer, unless fewer are asked for.
    :param characters: of an answer, as JSON.
    :param value_characters: of one value; longer ones are cut by PostgreSQL.
    :param columns: of an answer.
    :param statement_characters: of a query.
    :param at_once: requests that ask the database at the same time.
    :param waiting: requests that wait for their turn; more are refused.
    """

    seconds: float = 15.0
    rows: int = 1_000
    characters: int = 60_000
    value_characters: int = 2_000
    columns: int = 200
    statement_characters: int = 20_000
    at_once: int = 4
    waiting: int = 32


DEFAULT_ROWS = 100
"""Rows of an answer for which no number is asked."""
