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
    with psycopg.connect(url) as connection:
        relations = connection.execute(_RELATIONS).fetchall()
        found = set()
        for schema, name in relations:
            rows = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, name))
            if _occurs(connection, rows, text):
                found.add(f"{schema}.{name}")
        return found | {kind for kind, words in _WORDS.items() if _occurs(connection, sql.SQL(words), text)}


def _occurs(connection: psycopg.Connection[tuple[object, ...]], rows: sql.Composable, text: str) -> bool:
    query = sql.SQL("SELECT EXISTS (SELECT FROM ({}) AS s (word) WHERE strpos(word, {}) > 0)").format(rows, text)
    found = connection.execute(query).fetchone()
    return bool(found and found[0])
