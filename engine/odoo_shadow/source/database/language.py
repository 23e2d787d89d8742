"""Translated texts, as Odoo keeps them from 16 on: `{language: text}` in a column of type jsonb."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql


def in_language(column: LiteralString, lang: str) -> sql.Composed:
    """Return the text of a translated column: in a language, or in English where that is missing."""
    return sql.SQL("coalesce(" + column + " ->> {}, " + column + " ->> 'en_US')").format(lang)
