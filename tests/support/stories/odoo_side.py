"""The Odoo side: a stand-in with a few small models, and a clock that stands still until it is told to go on.

PostgreSQL's `now()` is overruled in the stand-in's database by a function that reads this clock. So `write_date` is the
start of the transaction, to the microsecond, hours pass in no time, and every example runs the same way again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import sql

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_stand_in import Caller, Declaration, Flavour, StandIn, UserError
from odoo_stand_in.orm import ddl
from odoo_stand_in.orm.reflecting import reflect

THING, TAG, PLAIN = "x_thing", "x_tag", "x_plain"
PRODUCT, TEMPLATE = "product.product", "product.template"
TABLES = {THING: "x_thing", TAG: "x_tag", PLAIN: "x_plain", PRODUCT: "product_product", TEMPLATE: "product_template"}

_MODELS = (
    Declaration(
        THING,
        "Thing",
        """
        x_name: char
        active: boolean
        x_parent_id: many2one x_thing ondelete=cascade
        x_tag_id: many2one x_tag
        x_next_id: many2one x_thing
        x_tag_ids: many2many x_tag rel=x_tag_x_thing_rel/thing_id/tag_id
        x_title: char translate
        x_rate: float
        x_price: float digits=16,4
        x_day: date
        x_moment: datetime
        x_data: json
        """,
        rec_name="x_name",
    ),
    Declaration(
        TAG,
        "Tag",
        """
        x_name: char
        x_thing_ids: many2many x_thing rel=x_tag_x_thing_rel/tag_id/thing_id
        """,
        rec_name="x_name",
    ),
    Declaration(
        PLAIN,
        "Thing without write_date",
        """
        x_name: char
        x_thing_id: many2one x_thing ondelete=cascade
        """,
        rec_name="x_name",
        log_access=False,
    ),
)
_RELATION: LiteralString = """
ALTER TABLE x_tag_x_thing_rel ADD FOREIGN KEY (thing_id) REFERENCES x_thing ON DELETE CASCADE,
    ADD FOREIGN KEY (tag_id) REFERENCES x_tag ON DELETE CASCADE
"""
_CLOCK: LiteralString = """
CREATE TABLE clock (at timestamptz NOT NULL);
INSERT INTO clock VALUES ({start});
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM public.clock';
ALTER DATABASE {database} SET search_path = public, pg_catalog;
ALTER DATABASE {database} SET lock_timeout = '20ms';
ALTER DATABASE {database} SET synchronous_commit = off
"""
_EMPTY: LiteralString = """
DELETE FROM x_plain; DELETE FROM x_thing; DELETE FROM x_tag;
DELETE FROM product_product; DELETE FROM product_template;
ALTER SEQUENCE x_plain_id_seq RESTART; ALTER SEQUENCE x_thing_id_seq RESTART; ALTER SEQUENCE x_tag_id_seq RESTART;
ALTER SEQUENCE product_product_id_seq RESTART; ALTER SEQUENCE product_template_id_seq RESTART;
INSERT INTO x_tag (x_name) VALUES ('red'), ('green');
UPDATE clock SET at = {start}
"""
_NO_PROPERTIES: LiteralString = "DELETE FROM ir_property WHERE res_id LIKE 'product.%'"
_BACKED_UP = ("x_thing", "x_plain", "x_tag_x_thing_rel")
REFUSALS = (UserError, psycopg.Error)
"""What Odoo may answer to a write that meets another one: nothing has happened then."""


class Calls(Protocol):
    """Where a write goes: a transaction of its own, or one that is open."""

    def execute(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any: ...


@dataclass
class OpenTransaction:
    """A transaction in Odoo that has begun and not ended."""

    began: datetime
    calls: Caller
    context: AbstractContextManager[Caller]

    def end(self, *, commit: bool) -> bool:
        """Commit or roll back; say whether it was committed."""
        if not commit:
            rollback = psycopg.Rollback()
            self.context.__exit__(psycopg.Rollback, rollback, rollback.__traceback__)
            return False
        self.context.__exit__(None, None, None)
        return True


class OdooSide:
    """A stand-in Odoo with its clock and the transactions that are open in it."""

    def __init__(self, postgres: str, flavour: Flavour) -> None:
        # By the shadow's clock nothing of the story lies ahead; stories last for days.
        self.start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=30)
        self.now = self.start
        self.schema_changes = 0
        self.hidden: dict[str, set[int]] = {}
        self.set_back: set[str] = set()
        self._fields_at_backup: frozenset[str] | None = None
        self.odoo = StandIn(postgres, flavour=flavour, database=f"property{flavour}", scale=0.1)
        self._admin = psycopg.connect(self.odoo.dsn, autocommit=True, prepare_threshold=None)
        self._declare()
        self._run(_CLOCK, start=self.start, database=sql.Identifier(self.odoo.database))
        self._admin.close()
        self._admin = psycopg.connect(self.odoo.dsn, autocommit=True, prepare_threshold=None)
        self.open: list[OpenTransaction] = []
        self.added: set[str] = set()
        self.removed: set[str] = set()
        self.odoo.start()

    def close(self) -> None:
        """End everything."""
        self.end_all(commit=False)
        self._admin.close()
        self.odoo.stop()

    def reset(self) -> None:
        """Begin another story: no rows, no fields of its own, the clock at its start."""
        self.end_all(commit=False)
        for name in self.added:
            self.odoo.remove_field(THING, name)
        self.added, self.removed = set(), set()
        self.now, self.schema_changes, self.hidden, self.set_back = self.start, 0, {}, set()
        self._fields_at_backup = None
        self._run(_EMPTY, start=self.start)
        if self.odoo.flavour == "17":
            self._run(_NO_PROPERTIES)

    def _declare(self) -> None:
        registry = self.odoo.registry
        for model in registry.declare(_MODELS):
            self._admin.execute(ddl.create_table(model))
        for declaration in _MODELS:
            model = registry.models[declaration.name]
            for field in model.fields.values():
                if field.type == "many2many":
                    self._admin.execute(ddl.create_relation(field))
        for declaration in _MODELS:
            model = registry.models[declaration.name]
            for key in ddl.foreign_keys(registry, model):
                self._run("ALTER TABLE {table} {key}", table=sql.Identifier(model.table), key=key)
        self._run(_RELATION)
        reflect(self._admin, registry, [registry.models[declaration.name] for declaration in _MODELS])
        self._forget_products()

    def _forget_products(self) -> None:
        """Let go of the generated products, and of all that points to them."""
        self._admin.execute("SET session_replication_role = replica")
        pointing = self._admin.execute(
            "SELECT c.conrelid::regclass::text, a.attname, a.attnotnull FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'f' AND c.confrelid IN ('product_product'::regclass, 'product_template'::regclass)"
        ).fetchall()
        for table, column, is_required in pointing:
            parts = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
            if is_required:
                self._run("DELETE FROM {table}", **parts)
            else:
                self._run("UPDATE {table} SET {column} = NULL", **parts)
        self._run("DELETE FROM product_product; DELETE FROM product_template")
        self._admin.execute("SET session_replication_role = origin")

    def _run(self, statement: LiteralString, **parts: Any) -> None:
        self._admin.execute(sql.SQL(statement).format(**parts))

    def tick(self, by: timedelta, *, patient: bool = False) -> None:
        """Let time pass.

        No transaction becomes longer than the look-back, which is what a mirror is promised: then it is committed, or,
        if somebody is patient, no more time passes.
        """
        until = self.now + by
        for transaction in sorted(self.open, key=lambda one: one.began):
            end = transaction.began + DEFAULT_LOOK_BACK
            if end < until:
                self._set_clock(end)
                if patient:
                    return
                self.end(transaction, commit=True)
        self._set_clock(until)

    def _set_clock(self, now: datetime) -> None:
        self.now = now
        self._run("UPDATE clock SET at = {at}", at=now)

    def begin(self) -> OpenTransaction:
        """Open a transaction."""
        context = self.odoo.transaction()
        transaction = OpenTransaction(self.now, context.__enter__(), context)
        self.open.append(transaction)
        return transaction

    def end(self, transaction: OpenTransaction, *, commit: bool) -> None:
        """End a transaction; one that cannot be committed is rolled back."""
        self.open.remove(transaction)
        with suppress(*REFUSALS):
            transaction.end(commit=commit)

    def end_all(self, *, commit: bool) -> None:
        """End all open transactions."""
        for transaction in list(self.open):
            self.end(transaction, commit=commit)

    def add_field(self, name: str, kind: str, default: Any) -> None:
        """Add a field. If no run has seen that one of this name was gone, its values changed without a trace."""
        if name in self.added:
            return
        with refused_or_done():
            self.odoo.add_field(THING, name, kind, **({} if default is None else {"default": default}))
            self.added.add(name)
            self.schema_changes += 1
            if name in self.removed:
                self.hide(THING, [int(record["id"]) for record in self.records(THING, ["id"])])

    def remove_field(self, name: str) -> None:
        """Remove a field that was added."""
        if name not in self.added:
            return
        with refused_or_done():
            self.odoo.remove_field(THING, name)
            self.added.remove(name)
            self.removed.add(name)
            self.schema_changes += 1

    def back_up(self) -> None:
        """Keep what is committed of the things."""
        self._fields_at_backup = frozenset(self.added)
        for table in _BACKED_UP:
            names = {"table": sql.Identifier(table), "kept": sql.Identifier(f"kept_{table}")}
            self._run("DROP TABLE IF EXISTS {kept}; CREATE TABLE {kept} AS SELECT * FROM {table}", **names)

    def restore(self) -> None:
        """Put a backup back in its place, if it has the fields that there are; whoever is at work is thrown out."""
        if self._fields_at_backup is None or self._fields_at_backup != frozenset(self.added):
            return
        self.end_all(commit=False)
        self.set_back |= {THING, PLAIN}
        tags = sql.SQL("UPDATE x_thing SET x_tag_id = NULL WHERE x_tag_id NOT IN (SELECT id FROM x_tag)")
        with self._admin.transaction():
            self._admin.execute("SET LOCAL session_replication_role = replica")
            for table in _BACKED_UP:
                names = {"table": sql.Identifier(table), "kept": sql.Identifier(f"kept_{table}")}
                self._run("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM {kept}", **names)
            self._admin.execute(tags)
            self._run("DELETE FROM x_tag_x_thing_rel WHERE tag_id NOT IN (SELECT id FROM x_tag)")

    def hide(self, model: str, ids: Iterable[int]) -> None:
        """Note rows that changed without a new `write_date`: only a verification finds them."""
        self.hidden.setdefault(model, set()).update(ids)

    def sql(self, statement: LiteralString, **parts: Any) -> int:
        """Write past Odoo, in no time; return the number of rows."""
        return self._admin.execute(sql.SQL(statement).format(**parts)).rowcount

    def records(self, model: str, fields: list[str]) -> list[dict[str, Any]]:
        """Read everything that there is, in Odoo's own process."""
        context = {"active_test": False}
        found = self.odoo.execute(model, "search_read", [], fields, order="id", load=None, context=context)
        assert isinstance(found, list)
        return found


@contextmanager
def refused_or_done() -> Iterator[None]:
    """Take it as it comes when Odoo refuses a write."""
    with suppress(*REFUSALS):
        yield
