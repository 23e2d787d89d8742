"""The statements that make or upgrade a mirror's two schemas: the SQL files in `migrations`.

`<schema>` holds what readers may see. `<schema>_internal` holds what only the sync's role may use: addresses, logins,
host names, error texts and the key of the rows' hashes.

`0000_schemas.sql` runs first, every time. Each other numbered file leads to the version of its number, and runs once;
the first is what version 0.1.0 had. `recognize.sql` runs last, every time. A new version is one more file. It runs in a
PL/pgSQL block, so a query whose rows are not used is a `PERFORM` there.

In the files, `{schema}` and `{internal}` stand for the schemas' names as identifiers, `{schema_name}` and
`{internal_name}` for the same names as literals, and the text between two `$body$` is quoted as a literal once the
names are filled in.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import LiteralString, cast

from psycopg import sql

from odoo_shadow.shadow.names import OWN_COLUMNS, internal_schema
from odoo_shadow.shadow.relations import CONTROL_TABLES

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
"""The files by the version that they lead to."""

VERSION = max(_MIGRATIONS)

# Two upgrades at once take turns by the row's lock, wherever the statement runs.
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
    """Return all statements that create or upgrade the schemas; running them twice does no harm."""
    return [opening_statement(schema), *upgrade_statements(schema)]


def opening_statement(schema: str) -> sql.Composed:
    """Return the statement that creates both schemas and the table whose only row is the lock for everything else."""
    return _read(_OPENING, schema)


def upgrade_statements(schema: str) -> list[sql.Composed]:
    """Return the statements that create or upgrade everything else, from any version."""
    return [*(_migration(schema, version) for version in _MIGRATIONS), recognize_statement(schema)]


def recognize_statement(schema: str) -> sql.Composed:
    """Return the statement that corrects the recorded numbers of the mirror's tables and columns.

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
        "control_tables": sql.SQL(", ").join(map(sql.Literal, CONTROL_TABLES)),
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
    """Quote a block or a function's body as a literal, which cannot end early, whatever a schema is called."""
    return sql.Literal(body.as_string())
