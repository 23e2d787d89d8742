"""Look-alikes in `public` of everything that the project's SQL calls, found from the SQL itself.

Each leaves a trace that no rollback takes back: it draws from a sequence.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import islice, product
from pathlib import Path

import psycopg
from psycopg import sql

PACKAGE = Path(__file__).parents[2] / "engine" / "odoo_shadow"
_IS_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|SET|BEGIN|AND|OR|ON|AS)\b")
_CALL = re.compile(r"\b([a-z_][a-z0-9_]*)\s*\(")
_WORD = re.compile(r"\b[a-z_][a-z0-9_]*\b")
_OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|`?]+")
_MOST_VARIANTS = 8
# What else a caller's argument may be taken for.
_ALIKE = {
    "bigint": ("bigint", "integer"),
    "integer": ("integer", "bigint"),
    "text": ("text", "character varying", "name"),
    "name": ("name", "text"),
    "oid": ("oid", "integer"),
    "regclass": ("regclass", "text"),
    "timestamp with time zone": ("timestamp with time zone", "timestamp without time zone"),
    "anyelement": ("text", "bigint", "boolean", "jsonb"),
    '"any"': ("text", "bigint", "name", "jsonb"),
    "anyarray": ("text[]", "bigint[]"),
    "anycompatiblearray": ("text[]", "bigint[]"),
    "anycompatible": ("text", "bigint"),
}
_OPERANDS = (
    "text",
    "name",
    "bigint",
    "integer",
    "boolean",
    "oid",
    "timestamp with time zone",
    "jsonb",
    "bytea",
    "uuid",
)


def statements_of_the_project() -> list[str]:
    """Return all texts of the package that are SQL, or a part of it."""
    found: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found += [text for text in texts if isinstance(text, str) and (_IS_SQL.search(text) or "::" in text)]
    return found


def set_traps(url: str) -> dict[str, int]:
    """Make the look-alikes as the role of a URL; return how many of each kind."""
    texts = statements_of_the_project()
    called = {name for text in texts for name in _CALL.findall(text)}
    words = {word for text in texts for word in _WORD.findall(text)}
    operators = {symbol for text in texts for symbol in _OPERATOR.findall(text)}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE public.trap")
        connection.execute("GRANT USAGE ON SEQUENCE public.trap TO PUBLIC")
        counts = {"functions": _functions(connection, called)}
        counts["relations"] = _relations(connection, words)
        counts["types"] = _types(connection, words)
        counts["operators"] = _operators(connection, operators)
    return counts


def sprung(url: str) -> int:
    """Return how often a trap was stepped into."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.trap").fetchone()
        return int(row[0]) if row else 0


_BODY = "BEGIN PERFORM pg_catalog.nextval('public.trap'); RETURN NULL; END"


def _functions(connection: psycopg.Connection, names: Iterable[str]) -> int:
    rows = connection.execute(
        "SELECT proname::text, array(SELECT format_type(t, NULL) FROM unnest(proargtypes) WITH ORDINALITY a (t, n)"
        " ORDER BY n), format_type(prorettype, NULL) FROM pg_catalog.pg_proc"
        " WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY(%s) AND pronargs <= 6",
        [list(names)],
    ).fetchall()
    made = 0
    for name, arguments, returned in rows:
        for variant in islice(product(*(_ALIKE.get(kind, (kind,)) for kind in arguments)), _MOST_VARIANTS):
            result = (
                "text" if returned.startswith(("any", '"any', "internal", "trigger", "record", "SETOF")) else returned
            )
            made += _try(connection, _function(name, variant, result))
    return made


def _function(name: str, arguments: Iterable[str], returned: str) -> sql.Composed:
    return sql.SQL("CREATE OR REPLACE FUNCTION public.{}({}) RETURNS {} LANGUAGE plpgsql AS {}").format(
        sql.Identifier(name), sql.SQL(", ").join(_plain(kind) for kind in arguments), _plain(returned), _BODY
    )


def _plain(kind: str) -> sql.Composable:
    return sql.Composed([sql.SQL(kind)])  # as format_type writes it


def _relations(connection: psycopg.Connection, words: Iterable[str]) -> int:
    rows = connection.execute(
        "SELECT relname::text FROM pg_catalog.pg_class WHERE relnamespace = 'pg_catalog'::regnamespace"
        " AND relkind IN ('r', 'v') AND relname = ANY(%s)",
        [list(words)],
    ).fetchall()
    statement = sql.SQL(
        "CREATE VIEW public.{0} AS SELECT *, pg_catalog.nextval('public.trap') AS t FROM pg_catalog.{0}"
    )
    made = 0
    for (name,) in rows:
        is_made = _try(connection, statement.format(sql.Identifier(name)))
        if is_made:
            connection.execute(sql.SQL("GRANT SELECT ON public.{} TO PUBLIC").format(sql.Identifier(name)))
        made += is_made
    return made


def _types(connection: psycopg.Connection, words: Iterable[str]) -> int:
    rows = connection.execute(
        "SELECT typname::text FROM pg_catalog.pg_type WHERE typnamespace = 'pg_catalog'::regnamespace"
        " AND typtype = 'b' AND typname = ANY(%s)",
        [list(words)],
    ).fetchall()
    check = "CHECK (pg_catalog.nextval('public.trap') > 0)"
    return sum(
        _try(
            connection, sql.SQL(f"CREATE DOMAIN public.{{0}} AS pg_catalog.{{0}} {check}").format(sql.Identifier(name))
        )
        for (name,) in rows
    )


def _operators(connection: psycopg.Connection, symbols: Iterable[str]) -> int:
    known = {
        str(name) for (name,) in connection.execute("SELECT DISTINCT oprname FROM pg_catalog.pg_operator").fetchall()
    }
    wanted = sorted(known & set(symbols))
    made = 0
    for left, right in product(_OPERANDS, repeat=2):
        if _try(connection, _function("trapped", (left, right), "boolean")):
            made += sum(_try(connection, _operator(symbol, left, right)) for symbol in wanted)
    return made


def _operator(symbol: str, left: str, right: str) -> sql.Composed:
    return sql.SQL("CREATE OPERATOR public.{} (FUNCTION = public.trapped, LEFTARG = {}, RIGHTARG = {})").format(
        _plain(symbol), _plain(left), _plain(right)
    )


def _try(connection: psycopg.Connection, statement: sql.Composed) -> bool:
    """Run a statement; what PostgreSQL does not allow cannot be an attack."""
    try:
        connection.execute(statement)
    except psycopg.Error:
        return False
    return True


def trap_names(url: str) -> Iterator[str]:
    """Yield what the traps are called."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT DISTINCT proname::text FROM pg_catalog.pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
    yield from (str(name) for (name,) in rows)
