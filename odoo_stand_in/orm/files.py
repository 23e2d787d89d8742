"""Binary values without a column: Odoo keeps them as files beside PostgreSQL, the stand-in in a table of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from odoo_stand_in.declared.schema import Field, Model

Connection = psycopg.Connection[Any]


def content(model: Model, field: Field, alias: str) -> sql.Composable:
    """Return a record's file, NULL if there is none."""
    return sql.SQL(
        "(SELECT s.content FROM file_store s WHERE s.res_model = {} AND s.res_field = {} AND s.res_id = {})"
    ).format(sql.Literal(model.name), sql.Literal(field.name), sql.Identifier(alias, "id"))


def put(connection: Connection, model: Model, field: Field, ids: Sequence[int], given: bytes | None) -> None:
    """Write the file of some records; None takes it away."""
    connection.execute(
        "DELETE FROM file_store WHERE res_model = %s AND res_field = %s AND res_id = ANY(%s)",
        [model.name, field.name, list(ids)],
    )
    if given is not None:
        load(connection, model, field, ((one, given) for one in ids))


def load(connection: Connection, model: Model, field: Field, given: Iterable[tuple[int, bytes | None]]) -> None:
    """Write the files of records that have none."""
    with connection.cursor().copy("COPY file_store (res_model, res_field, res_id, content) FROM STDIN") as copy:
        for record, one in given:
            if one is not None:
                copy.write_row([model.name, field.name, record, one])


def forget(connection: Connection, model: Model, ids: Sequence[int]) -> None:
    """Take away the files of deleted records."""
    connection.execute("DELETE FROM file_store WHERE res_model = %s AND res_id = ANY(%s)", [model.name, list(ids)])
