"""The state of a table at this moment, and which of its columns are the mirror's own.

A name proves nothing: somebody may add a column before the mirror wants it, drop one and add another, rename it, or
replace the table that the control tables are about. So the control tables record which table it was (its object id) and
which of its columns (their numbers in PostgreSQL, which no other column of that table ever gets).

Restoring a dump gives all of them new numbers: `recognize` records those, since nobody changed anything in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, MIRROR, TABLE_STATE, WATERMARK
from odoo_shadow.shadow.state.indexes import HAS_INDEX, HAS_KEY
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.state.schema_statements import recognize_statement
from odoo_shadow.shadow.state.watermarks import NEVER


@dataclass(frozen=True)
class PresentColumn:
    """A column of a table at this moment.

    :param type: spelled as `format_type` does.
    :param oddity: what else determines its values, in words; empty for a column that holds just what is written.
    :param has_default: whether rows get a value without writing one.
    """

    name: str
    number: int
    type: str
    oddity: str
    has_default: bool


@dataclass(frozen=True)
class PresentTable:
    """A table at this moment.

    :param columns: by name; empty when there is no such table.
    :param is_known: whether it is the very table that the control tables are about.
    :param own_numbers: the recorded numbers of the project's own columns, such as `_synced_at`.
    :param has_key: whether a unique index keeps an `id` from occurring twice.
    :param has_index: whether `_odoo_write_date` has an index.
    :param is_loading: whether no load of all its rows has ended yet.
    """

    columns: Mapping[str, PresentColumn]
    is_known: bool
    own_numbers: Mapping[str, int]
    has_key: bool
    has_index: bool
    is_loading: bool

    @classmethod
    def of(cls, tx: Transaction, table: str) -> PresentTable:
        """Read a table's state from PostgreSQL's catalogue."""
        columns = {item.name: item for item in _columns(tx, table)}
        rows = tx.run(
            "SELECT coalesce(s.table_id = c.oid, false), coalesce(s.own_columns, '{{}}'), {has_key}, {has_index},"
            " NOT EXISTS (SELECT FROM {watermark} w WHERE w.table_name = {table} AND w.last_write_date > {never})"
            " FROM pg_class c LEFT JOIN {state} s ON s.table_name = {table} WHERE c.oid = to_regclass({name})",
            has_key=sql.SQL(HAS_KEY),
            has_index=sql.SQL(HAS_INDEX),
            state=tx.internal(TABLE_STATE),
            watermark=tx.own(WATERMARK),
            never=NEVER,
            table=table,
            name=tx.own(table).as_string(tx.cursor),
        )
        known, own, has_key, has_index, is_loading = rows[0] if rows else (False, {}, False, False, True)
        return cls(columns, bool(known), dict(own), bool(has_key), bool(has_index), bool(is_loading))

    def is_own(self, name: str) -> bool:
        """Say whether one of the project's own columns is still the one that the mirror created."""
        present = self.columns.get(name)
        return self.is_known and present is not None and self.own_numbers.get(name) == present.number

    def name_of(self, number: int | None) -> str | None:
        """Return the present name of the column with a number, None when it is gone."""
        found = (item.name for item in self.columns.values() if item.number == number)
        return next(found, None) if self.is_known else None


def _columns(tx: Transaction, table: str) -> Iterable[PresentColumn]:
    rows = tx.run(
        "SELECT a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.atthasdef, a.attnotnull,"
        " a.attgenerated <> '', a.attidentity <> '',"
        " EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND a.attnum = ANY(k.conkey))"
        " OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique"
        " AND a.attnum = ANY(i.indkey))"
        " FROM pg_attribute a WHERE a.attrelid = to_regclass({name}) AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum",
        name=tx.own(table).as_string(tx.cursor),
    )
    for name, number, kind, has_default, is_required, is_generated, is_identity, is_bound in rows:
        found = {
            "it is generated": is_generated,
            "it is an identity": is_identity,
            "it has a default": has_default and not is_generated,
            "it cannot be NULL": is_required and not is_identity,
            "it has a constraint": is_bound,
        }
        oddity = next((words for words, applies in found.items() if applies), "")
        yield PresentColumn(str(name), int(number), str(kind), oddity, bool(has_default or is_identity))


def present_columns(tx: Transaction, table: str) -> dict[str, str]:
    """Return the names and types of a table's columns, empty when there is no such table."""
    rows = tx.run(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {table} AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum",
        schema=tx.schema,
        table=table,
    )
    return {str(name): str(kind) for name, kind in rows}


def known_columns(tx: Transaction, table: str) -> set[str]:
    """Return those columns of fields that are the mirror's own: the others of these names are somebody else's."""
    rows = tx.run(
        "SELECT f.column_name FROM {field} f JOIN {state} s ON s.table_name = f.table_name"
        " JOIN pg_attribute a ON a.attrelid = s.table_id AND a.attname = f.column_name AND a.attnum = f.column_number"
        " WHERE f.table_name = {table} AND s.table_id = to_regclass({name}) AND NOT a.attisdropped",
        field=tx.own(FIELD),
        state=tx.internal(TABLE_STATE),
        table=table,
        name=tx.own(table).as_string(tx.cursor),
    )
    return {str(row[0]) for row in rows}


def has_rows(tx: Transaction, table: str) -> bool:
    """Say whether a table has any rows."""
    ((found,),) = tx.run("SELECT EXISTS (SELECT FROM {table})", table=tx.own(table))
    return bool(found)


def columns_with_values(tx: Transaction, table: str, columns: Sequence[str]) -> set[str]:
    """Return those columns in which not every row is empty."""
    if not columns:
        return set()
    looks = [
        sql.SQL("EXISTS (SELECT FROM {} WHERE {} IS NOT NULL)").format(tx.own(table), sql.Identifier(name))
        for name in columns
    ]
    (found,) = tx.run("SELECT {looks}", looks=sql.SQL(", ").join(looks))
    return {name for name, has_values in zip(columns, found, strict=True) if has_values}


def note_own_columns(tx: Transaction, table: str, columns: Iterable[str]) -> None:
    """Record which table this is, and that these of the project's own columns are the mirror's; others are not."""
    tx.run(
        "INSERT INTO {state} AS s (table_name, table_id, own_columns) SELECT {table}, to_regclass({name}),"
        " coalesce(jsonb_object_agg(a.attname, a.attnum), '{{}}') FROM pg_attribute a"
        " WHERE a.attrelid = to_regclass({name}) AND a.attname = ANY({columns}::name[]) AND NOT a.attisdropped"
        " ON CONFLICT (table_name) DO UPDATE SET table_id = excluded.table_id, own_columns = excluded.own_columns",
        state=tx.internal(TABLE_STATE),
        table=table,
        name=tx.own(table).as_string(tx.cursor),
        columns=sorted(columns),
    )


def recognize(tx: Transaction) -> None:
    """Record the numbers of tables and columns again if a dump of this database was restored, which changes them."""
    mirror = tx.internal(MIRROR)
    rows = tx.run(
        "SELECT 1 FROM {mirror} WHERE relation_id = to_regclass({name})",
        mirror=mirror,
        name=mirror.as_string(tx.cursor),
    )
    if not rows:
        lock_schema(tx)
        tx.cursor.execute(recognize_statement(tx.schema))
