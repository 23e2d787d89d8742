"""Looks for a text in everything that a database holds."""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

_RELATIONS: LiteralString = (
    "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE relkind IN ('r', 'p', 'v', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema'"
)
# What a database says besides rows: every comment, the text of every view and function, what columns are called.
_WORDS: dict[str, LiteralString] = {
    "comment": "SELECT description FROM pg_description",
    "view": "SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind IN ('v', 'm')",
    "function": "SELECT prosrc FROM pg_proc",
    "column": "SELECT attname::text FROM pg_attribute",
}


def places_of(url: str, text: str) -> set[str]:
    """Return where a text occurs: `schema.relation` for rows of any table or view, else the kind of place."""
    return {place for place, _ in _matches(url, text)}


def words_of(url: str, pattern: str) -> set[str]:
    """Return all words anywhere that match a regular expression."""
    return {word for _, word in _matches(url, pattern)}


def _matches(url: str, pattern: str) -> set[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        relations = connection.execute(_RELATIONS).fetchall()
        places: dict[str, sql.Composable] = {kind: sql.SQL(words) for kind, words in _WORDS.items()}
        for schema, name in relations:
            places[f"{schema}.{name}"] = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, name))
        return {
            (place, str(word))
            for place, rows in places.items()
            for (word,) in connection.execute(
                sql.SQL("SELECT DISTINCT (regexp_matches(word, {}, 'g'))[1] FROM ({}) AS s (word)").format(
                    sql.Literal(f"({pattern})"), rows
                )
            )
        }
