"""The shadow side: one database for all stories, emptied in between, and how it compares with the source."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA
from tests.support.stories.odoo_side import TABLES, OdooSide

_UNMIRRORED = frozenset({"binary", "one2many"})
_INTERNAL = f"{DEFAULT_SCHEMA}_internal"
_BOOKS = (
    "odoo_shadow_meta",
    "odoo_shadow_watermark",
    "odoo_shadow_field",
    "odoo_shadow_schema_log",
    "odoo_shadow_sync_log",
    "odoo_shadow_verification",
)
_INTERNAL_BOOKS = ("table_state", "lease", "sync_detail", "proof", "due_row")


class ShadowSide:
    """Looks at the shadow from outside."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._admin = psycopg.connect(url, autocommit=True, prepare_threshold=None)
        database = sql.Identifier(self._admin.info.dbname)
        self._admin.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(database))

    def close(self) -> None:
        """Let go of the database."""
        self._admin.close()

    def sql(self, statement: LiteralString, **parts: Any) -> list[tuple[Any, ...]]:
        """Run a statement in the mirror's schema."""
        names = {"schema": sql.Identifier(DEFAULT_SCHEMA), "internal": sql.Identifier(_INTERNAL)}
        cursor = self._admin.execute(sql.SQL(statement).format(**names, **parts))
        return cursor.fetchall() if cursor.description else []

    def has_base(self) -> bool:
        """Whether the schema has been made."""
        ((there,),) = self.sql("SELECT to_regclass('odoo_shadow.odoo_shadow_meta') IS NOT NULL")
        return bool(there)

    def reset(self) -> None:
        """Forget all mirrors; the books stay, empty."""
        if not self.has_base():
            return
        doomed = [sql.Identifier(DEFAULT_SCHEMA, f"odoo_shadow_{table}") for table in TABLES.values()]
        books = [sql.Identifier(DEFAULT_SCHEMA, book) for book in _BOOKS]
        books += [sql.Identifier(_INTERNAL, book) for book in _INTERNAL_BOOKS]
        emptied = [sql.SQL("DELETE FROM {}").format(book) for book in books]
        drop = sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.SQL(", ").join(doomed))
        self._admin.execute(sql.SQL("; ").join([drop, *emptied]))

    def holder(self, model: str) -> str | None:
        """Return who holds a model's table with a lease that has not run out."""
        if not self.has_base():
            return None
        rows = self.sql(
            "SELECT held_by FROM {internal}.lease WHERE table_name = {table} AND held_until > clock_timestamp()",
            table=f"odoo_shadow_{TABLES[model]}",
        )
        return str(rows[0][0]) if rows else None

    def expire_leases(self) -> None:
        """Let as much time pass as a dead writer's lease lasts."""
        self.sql("UPDATE {internal}.lease SET held_until = clock_timestamp() - interval '1 second'")

    def rows(self, model: str) -> dict[int, dict[str, Any]]:
        """Return the rows of a model's table that are not marked as deleted."""
        table = sql.Identifier(DEFAULT_SCHEMA, f"odoo_shadow_{TABLES[model]}")
        with self._admin.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(sql.SQL("SELECT * FROM {}").format(table)).fetchall()
        return {int(row["id"]): row for row in found if row.get("_deleted_at") is None}


def differences(odoo: OdooSide, shadow: ShadowSide, model: str) -> dict[int, str]:
    """Compare a model's rows with Odoo's, cell by cell; return what differs, by id.

    Trusts nothing of the product: the fields' types are Odoo's, the cells are converted here.
    """
    described = odoo.odoo.execute(model, "fields_get", [], ["type", "store", "company_dependent"])
    fields = {
        name: str(told["type"])
        for name, told in described.items()
        if (told["store"] or told["company_dependent"]) and told["type"] not in _UNMIRRORED
    }
    theirs = {int(record["id"]): record for record in odoo.records(model, list(fields))}
    ours = shadow.rows(model)
    found = dict.fromkeys(theirs.keys() - ours.keys(), "is missing")
    found |= dict.fromkeys(ours.keys() - theirs.keys(), "is extra")
    for one in theirs.keys() & ours.keys():
        for name, kind in fields.items():
            column = "_odoo_write_date" if name == "write_date" else name
            expected = _from_api(kind, theirs[one][name])
            if column not in ours[one]:
                found[one] = f"has no column {column}"
            elif (actual := _from_table(ours[one][column])) != expected:
                found[one] = f"{name} is {actual!r}, but {expected!r} in Odoo"
    return found


def _from_api(kind: str, value: Any) -> Any:
    if kind == "boolean":
        return bool(value)
    if kind == "many2many":
        return json.dumps(sorted(value))
    if value is False:
        return None
    if kind == "properties":  # the definitions stand with the record that keeps them
        value = {one["name"]: one["value"] for one in value if "value" in one}
    if kind in ("float", "monetary", "integer", "many2one"):
        return float(value)
    if kind == "datetime":
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value


def _from_table(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return value if isinstance(value, str) else str(value)
