"""`odoo_shadow_meta`: which model has which table, and how its last run went."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.relations import FIELD, META, PROOF, TABLE_STATE, WATERMARK
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.state.watermarks import LATEST, NEVER


@dataclass(frozen=True)
class TableStatus:
    """One line of `status`.

    :param created_at: when the table was registered.
    :param proven_up_to: each row has been compared with Odoo, cell by cell, since then.
    :param rows_per_second: the speed of the last comparison, None for a reader of the shadow.
    :param unreadable_fields: fields that are left out, since Odoo does not give records together with them.
    """

    table: str
    model: str
    row_count: int
    last_sync_at: datetime | None
    watermark: datetime | None
    sync_errors: int
    last_error: str | None
    created_at: datetime
    proven_up_to: datetime | None
    rows_per_second: float | None
    unreadable_fields: list[str]

    @property
    def has_been_mirrored(self) -> bool:
        """Whether some run has written rows, or found that there are none."""
        return self.last_sync_at is not None or self.row_count > 0


def find_table(tx: Transaction, model: str) -> str | None:
    """Return a model's registered table."""
    rows = tx.run("SELECT table_name FROM {meta} WHERE odoo_model = {model}", meta=tx.own(META), model=model)
    return str(rows[0][0]) if rows else None


def name_table(tx: Transaction, model: str) -> str:
    """Return a model's table: the registered one, or the one that it would get."""
    registered = find_table(tx, model)
    if registered is not None:
        return registered
    candidates = names.table_names(model, names.table_name(model))
    return next(name for name in candidates if not _is_taken(tx, name))


def _is_taken(tx: Transaction, name: str) -> bool:
    """Say whether another model has this table, or something else in the schema has this name.

    A mirror's table that is not registered is free: somebody has emptied the registry.
    """
    ((taken,),) = tx.run(
        "SELECT EXISTS (SELECT FROM {meta} WHERE table_name = {name})"
        " OR EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
        " WHERE n.nspname = {schema} AND t.typname = {name} AND t.typrelid = 0)"
        " OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {name} AND NOT (c.relkind IN ('r', 'p') AND 3 ="
        " (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped"
        " AND a.attname IN ({id}, {write_date}, {hash}))))",
        meta=tx.own(META),
        schema=tx.schema,
        name=name,
        id=names.ID,
        write_date=names.WRITE_DATE,
        hash=names.HASH,
    )
    return bool(taken)


def register_table(tx: Transaction, model: str) -> str:
    """Return a model's table; if it is new, register it, and point the fields of other tables to it."""
    registered = find_table(tx, model)
    if registered is not None:
        return registered
    lock_schema(tx)
    table = name_table(tx, model)
    tx.run_all([registration_statement(tx.schema, table, model), pointing_statement(tx.schema, model=model)])
    return table


def registration_statement(schema: str, table: str, model: str, field_count: int = 0) -> sql.Composed:
    """Return the statement that registers a model's table, if it is not registered."""
    return sql.SQL(
        "INSERT INTO {meta} (table_name, odoo_model, field_count) VALUES ({table}, {model}, {count})"
        " ON CONFLICT DO NOTHING"
    ).format(meta=sql.Identifier(schema, META), table=table, model=model, count=field_count)


_POINTING: LiteralString = """WITH pointed AS (
    UPDATE {field} f SET updated_at = now(),
        relation_table = (SELECT m.table_name FROM {meta} m WHERE m.odoo_model = f.relation)
    WHERE {chosen} AND f.relation_table IS DISTINCT FROM
        (SELECT m.table_name FROM {meta} m WHERE m.odoo_model = f.relation)
    RETURNING f.table_name)
UPDATE {meta} SET view_is_due = true WHERE table_name IN (SELECT table_name FROM pointed)"""


def pointing_statement(schema: str, *, table: str | None = None, model: str | None = None) -> sql.Composed:
    """Return the statement that corrects `relation_table`, the table of the model that a field points to.

    :param table: only the fields of this table.
    :param model: only those that point to this model.
    """
    chosen: list[sql.Composable] = [sql.SQL("true")]
    if table is not None:
        chosen.append(sql.SQL("f.table_name = {}").format(table))
    if model is not None:
        chosen.append(sql.SQL("f.relation = {}").format(model))
    return sql.SQL(_POINTING).format(
        meta=sql.Identifier(schema, META), field=sql.Identifier(schema, FIELD), chosen=sql.SQL(" AND ").join(chosen)
    )


def recount_rows(tx: Transaction, table: str, count: int) -> None:
    """Set a table's row count to a number that was counted."""
    tx.run(
        "UPDATE {meta} SET row_count = {count} WHERE table_name = {table}", meta=tx.own(META), count=count, table=table
    )


def count_rows(tx: Transaction, table: str, added: int) -> None:
    """Add to a table's row count, in the transaction that adds the rows (or removes them, with a negative number)."""
    if added:
        tx.run(
            "UPDATE {meta} SET row_count = row_count + {added} WHERE table_name = {table}",
            meta=tx.own(META),
            added=added,
            table=table,
        )


def count_fields(tx: Transaction, table: str, count: int) -> None:
    """Record how many fields a table mirrors."""
    tx.run(
        "UPDATE {meta} SET field_count = {count} WHERE table_name = {table}",
        meta=tx.own(META),
        count=count,
        table=table,
    )


@dataclass(frozen=True)
class ReadSettings:
    """How the last run read and kept a table.

    :param read_as: what determines which values Odoo returns: login, language, companies. None before the first run.
    :param on_delete: what happens to rows that are gone from Odoo.
    :param settings: how the model is mirrored, where that differs from the default; the mirror's own text.
    :param unreadable: models that the login has no right to read, so many2many fields to them are not mirrored.
    :param unreadable_fields: fields that are not mirrored, since Odoo does not give records together with them.
    :param variants: the other languages and companies that it was read in; the mirror's own text.
    :param has_failed: whether that run failed.
    """

    read_as: str | None
    on_delete: OnDelete = OnDelete.DELETE
    settings: str | None = None
    unreadable: frozenset[str] = frozenset()
    variants: str | None = None
    has_failed: bool = field(default=False, compare=False)
    unreadable_fields: frozenset[str] = frozenset()


def read_settings(tx: Transaction, table: str) -> ReadSettings:
    """Return a table's settings."""
    rows = tx.run(
        "SELECT s.read_as, m.on_delete, s.settings, m.unreadable_models, m.variants, m.sync_errors > 0,"
        " m.unreadable_fields"
        " FROM {meta} m LEFT JOIN {state} s USING (table_name) WHERE m.table_name = {table}",
        meta=tx.own(META),
        state=tx.internal(TABLE_STATE),
        table=table,
    )
    return to_settings(*rows[0]) if rows else ReadSettings(None)


def to_settings(
    read_as: str | None,
    on_delete: str | None,
    settings: str | None,
    unreadable: Sequence[str],
    variants: str | None,
    has_failed: bool,
    unreadable_fields: Sequence[str],
) -> ReadSettings:
    """Build the settings from the columns of the control tables."""
    kept = OnDelete(on_delete or OnDelete.DELETE)
    return ReadSettings(
        read_as, kept, settings, frozenset(unreadable), variants, has_failed, frozenset(unreadable_fields)
    )


def note_unreadable_fields(tx: Transaction, table: str, fields: Collection[str]) -> None:
    """Let the next run mirror a table without these fields, and with all others."""
    tx.run(
        "UPDATE {meta} SET unreadable_fields = {fields}, fields_digest = NULL WHERE table_name = {table}",
        meta=tx.own(META),
        fields=sorted(fields),
        table=table,
    )


def read_lost_fields(tx: Transaction, table: str) -> frozenset[str]:
    """Return the fields that `note_lost_fields` has recorded."""
    rows = tx.run(
        "SELECT lost_fields FROM {state} WHERE table_name = {table}", state=tx.internal(TABLE_STATE), table=table
    )
    return frozenset(rows[0][0]) if rows else frozenset()


def note_lost_fields(tx: Transaction, table: str, fields: Collection[str]) -> None:
    """Record fields that were mirrored and are now refused, and that have not been reported yet."""
    tx.run(
        "UPDATE {state} SET lost_fields = {fields} WHERE table_name = {table} AND lost_fields <> {fields}",
        state=tx.internal(TABLE_STATE),
        fields=sorted(fields),
        table=table,
    )


def note_settings(tx: Transaction, table: str, settings: ReadSettings) -> None:
    """Save a table's settings."""
    tx.run(
        "UPDATE {meta} SET on_delete = {on_delete}, unreadable_models = {unreadable}, variants = {variants},"
        " unreadable_fields = {fields} WHERE table_name = {table}",
        meta=tx.own(META),
        on_delete=str(settings.on_delete),
        unreadable=sorted(settings.unreadable),
        variants=settings.variants,
        fields=sorted(settings.unreadable_fields),
        table=table,
    )
    tx.run(
        "INSERT INTO {state} AS s (table_name, read_as, settings) VALUES ({table}, {read_as}, {settings})"
        " ON CONFLICT (table_name) DO UPDATE SET read_as = excluded.read_as, settings = excluded.settings",
        state=tx.internal(TABLE_STATE),
        table=table,
        read_as=settings.read_as,
        settings=settings.settings,
    )


def note_modules(tx: Transaction, table: str, modules: str | None) -> None:
    """Save which Odoo modules define or extend a table's model, as `ir.model` lists them."""
    tx.run(
        "UPDATE {meta} SET odoo_module = {modules} WHERE table_name = {table}",
        meta=tx.own(META),
        modules=modules,
        table=table,
    )


def note_success(tx: Transaction, table: str, duration_ms: int) -> None:
    """Record that a run has brought this table up to date."""
    tx.run(
        "UPDATE {meta} SET last_sync_at = now(), last_sync_duration_ms = {duration},"
        " sync_errors = 0, updated_at = now() WHERE table_name = {table}",
        meta=tx.own(META),
        duration=duration_ms,
        table=table,
    )
    _keep_error(tx, table, None)


def note_failure(tx: Transaction, table: str, message: str) -> None:
    """Record that a run of this table has failed; counts failures since the last successful run."""
    tx.run(
        "UPDATE {meta} SET sync_errors = sync_errors + 1, updated_at = now() WHERE table_name = {table}",
        meta=tx.own(META),
        table=table,
    )
    _keep_error(tx, table, message)


def _keep_error(tx: Transaction, table: str, message: str | None) -> None:
    """Save the last run's error where only the sync's role can read it: it may contain addresses and logins."""
    tx.run(
        "INSERT INTO {state} (table_name, last_error) VALUES ({table}, {message})"
        " ON CONFLICT (table_name) DO UPDATE SET last_error = excluded.last_error",
        state=tx.internal(TABLE_STATE),
        table=table,
        message=message,
    )


def list_tables(tx: Transaction, *, with_errors: bool = True, table: str | None = None) -> list[TableStatus]:
    """Return all registered tables with their watermarks, by model.

    :param table: only this one.
    :param with_errors: False for a reader of the shadow, who has no right to read the internal schema.
    """
    query = status_query(tx, internal=(TABLE_STATE, PROOF) if with_errors else (), table=table)
    return [TableStatus(*row) for row in tx.run("{query} ORDER BY odoo_model", query=query)]


def status_query(tx: Transaction, *, internal: Collection[str], table: str | None = None) -> sql.Composed:
    """Return the query for the values of `TableStatus`, without an order.

    :param internal: the tables of the internal schema that this role may read.
    :param table: only this one.
    """
    errors: sql.Composable = sql.SQL("SELECT NULL::text, NULL::text WHERE false")
    speeds: sql.Composable = sql.SQL("SELECT NULL::text, NULL::double precision WHERE false")
    if TABLE_STATE in internal:
        errors = sql.SQL("SELECT table_name, last_error FROM {}").format(tx.internal(TABLE_STATE))
    if PROOF in internal:
        speeds = sql.SQL("SELECT table_name, rows_a_second FROM {}").format(tx.internal(PROOF))
    return sql.SQL(
        "SELECT m.table_name, m.odoo_model, m.row_count, m.last_sync_at,"
        " CASE WHEN w.last_write_date > {never} THEN least(w.last_write_date, {latest}) END,"
        " m.sync_errors, s.last_error, m.created_at,"
        # A reader may meet a schema of an earlier version, which has no such columns.
        " (to_jsonb(m) ->> 'proven_up_to')::timestamptz, p.rows_a_second,"
        " ARRAY(SELECT jsonb_array_elements_text(coalesce(to_jsonb(m) -> 'unreadable_fields', '[]')))"
        " FROM {meta} m LEFT JOIN {watermark} w USING (table_name)"
        " LEFT JOIN ({errors}) AS s (table_name, last_error) USING (table_name)"
        " LEFT JOIN ({speeds}) AS p (table_name, rows_a_second) USING (table_name)"
        " WHERE {chosen}"
    ).format(
        meta=tx.own(META),
        watermark=tx.own(WATERMARK),
        errors=errors,
        speeds=speeds,
        never=NEVER,
        latest=LATEST,
        chosen=sql.SQL("true") if table is None else sql.SQL("m.table_name = {}").format(table),
    )


def read_status(tx: Transaction, table: str) -> TableStatus:
    """Return the status of a registered table."""
    (status,) = list_tables(tx, table=table)
    return status
