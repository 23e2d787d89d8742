"""A second opinion on `rows_version`: whether each transaction that changed a mirrored table's rows let it grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction

_WHOLE = sql.SQL("SELECT coalesce(md5(string_agg(to_jsonb(t)::text, '' ORDER BY id)), '') FROM {} AS t")
_COLUMNS = (
    "SELECT coalesce(string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attnum), '')"
    " FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
)


def seen(connection: psycopg.Connection, schema: str) -> dict[str, tuple[int, str]]:
    """Return each registered table's version, and a digest of all that a reader gets of it."""
    meta = sql.Identifier(schema, "odoo_shadow_meta")
    has_version = connection.execute(
        "SELECT 1 FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = 'odoo_shadow_meta' AND column_name = 'rows_version'",
        (schema,),
    ).fetchall()
    if not has_version:
        return {}
    found = {}
    for table, version in connection.execute(
        sql.SQL("SELECT table_name, rows_version FROM {}").format(meta)
    ).fetchall():
        name = sql.Identifier(schema, table)
        ((columns,),) = connection.execute(_COLUMNS, (name.as_string(),)).fetchall()
        rows = "" if not columns else str(connection.execute(_WHOLE.format(name)).fetchall())
        found[str(table)] = int(version), f"{columns} {rows}"
    return found


@contextmanager
def witnessing(monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[list[str]]:
    """Look at all rows before and after each transaction; yield the tables that have changed, in order.

    A version grows in exactly those transactions that change a table.
    """
    changed: list[str] = []
    original = ShadowDatabase.transaction

    @contextmanager
    def transaction(self: ShadowDatabase) -> Iterator[Transaction]:
        before = seen(other, self.schema)
        with original(self) as tx:
            yield tx
        after = seen(other, self.schema)
        for table, (version, rows) in after.items():
            known = before.get(table, (0, " "))
            assert (version > known[0]) is (rows != known[1]), f"{table}: version {known[0]} to {version}"
            changed.extend([table] if rows != known[1] else [])

    with psycopg.connect(database, autocommit=True) as other, monkeypatch.context() as patch:
        patch.setattr(ShadowDatabase, "transaction", transaction)
        yield changed
