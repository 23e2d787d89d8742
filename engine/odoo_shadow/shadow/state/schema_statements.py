"""The statements that make or upgrade a mirror's two schemas: the SQL files in `migrations`.

`<schema>` holds what readers may see. `<schema>_internal` holds what only the sync's role may use: addresses, logins,
host names, error texts and the key of the rows' hashes.

`0000_schemas.sql` runs first, every time. Each other numbered file leads to the version of its number, and runs once;
the first is what version 0.1.0 had. `recognize.sql` runs last, every time. A new version is one more file. It runs in a
PL/pgSQL block, so a query whose rows nobody takes is a `PERFORM` there.

In the files, `{schema}` and `{internal}` stand for the schemas' names as identifiers, `{schema_name}` and
`{internal_name}` for the same as texts, and what stands between two `$body$` is quoted as a text when the names are in.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import LiteralString, cast

from psycopg import sql

from odoo_shadow.shadow.names import OWN_COLUMNS, internal_schema

_FILES = files("odoo_shadow.shadow.state") / "migrations"
_OPENING = "0000_schemas.sql"
_RECOGNIZE = "recognize.sql"
_NUMBERED = re.compile(r"\d{4}_\w+\.sql")
_BODY = re.compile(r"\$body\$(.*?)\$body\$", re.DOTALL)
_NAME = re.compile(r"\{(\w+)\}")

_MIGRATIONS = {
    int(name[:4]): name
    for name in sorted(item.name for item in _FILES.iterdir())
    if _NUMBERED.fullmatch(name) and name != _OPENING
}
"""By the version that a file leads to."""

VERSION = max(_MIGRATIONS)

# The row's lock lets two that upgrade at once take turns, wherever the statement runs.
_ONCE: LiteralString = """
BEGIN
    PERFORM FROM {internal}.mirror WHERE schema_version < {version} FOR UPDATE;
    IF FOUND THEN

{statements};

UPDATE {internal}.mirror SET schema_version = {version};

    END IF;
END
"""


def base_statements(schema: str) -> list[sql.Composed]:
    """Return all statements that make or upgrade the schemas; running them twice does no harm."""
    return [opening_statement(schema), *upgrade_statements(schema)]


def opening_statement(schema: str) -> sql.Composed:
    """Return what makes both schemas and the table of which a maker locks the only row."""
    return _read(_OPENING, schema)


def upgrade_statements(schema: str) -> list[sql.Composed]:
    """Return the statements that make or upgrade everything else, from whatever version is there."""
    return [*(_migration(schema, version) for version in _MIGRATIONS), recognize_statement(schema)]


def recognize_statement(schema: str) -> sql.Composed:
    """Return the statement that notes the numbers of the mirror's tables and columns where they are others than noted.

    Running it twice does no harm.
    """
    return _read(_RECOGNIZE, schema)


def _migration(schema: str, version: int) -> sql.Composed:
    body = sql.SQL(_ONCE).format(
        internal=sql.Identifier(internal_schema(schema)),
        version=version,
        statements=_read(_MIGRATIONS[version], schema),
    )
    return sql.SQL("DO {}").format(_text(body))


def _read(name: str, schema: str) -> sql.Composed:
    """Return the statements of a file, without the last semicolon."""
    internal = internal_schema(schema)
    own_columns = [sql.SQL("({}, {})").format(*item) for item in OWN_COLUMNS.items()]
    names = {
        "schema": sql.Identifier(schema),
        "schema_name": sql.Literal(schema),
        "internal": sql.Identifier(internal),
        "internal_name": sql.Literal(internal),
        "own_columns": sql.SQL(", ").join(own_columns),
    }
    return _with_bodies((_FILES / name).read_text(encoding="utf-8").rstrip().removesuffix(";"), names)


def _with_bodies(text: str, names: dict[str, sql.Composable]) -> sql.Composed:
    pieces = _BODY.split(text)  # every second one is a body
    filled = [_with_names(piece, names) for piece in pieces]
    return sql.Composed([_text(piece) if index % 2 else piece for index, piece in enumerate(filled)])


def _with_names(text: str, names: dict[str, sql.Composable]) -> sql.Composed:
    pieces = _NAME.split(text)  # every second one is a name; braces of values, such as '{}', hold none
    return sql.Composed(
        [names[piece] if index % 2 else sql.SQL(cast(LiteralString, piece)) for index, piece in enumerate(pieces)]
    )


def _text(body: sql.Composed) -> sql.Literal:
    """Quote a block or a function's body as a text, which cannot end early, whatever a schema is called."""
    return sql.Literal(body.as_string())
