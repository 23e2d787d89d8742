"""The schema as SQL files, for `psql -f` and `supabase db push`: the same statements that a sync runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count

from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.base import META, base_statements
from airflow_provider_odoo_shadow.target.public_views import BOOKS, function_statements, view_statements
from airflow_provider_odoo_shadow.target.tables import Column, create_statements

BASE_FILE = "0001_odoo_shadow_base.sql"
TABLES_FILE = "0002_odoo_shadow_tables.sql"


@dataclass(frozen=True)
class ModelTable:
    """A model and the columns of its table."""

    model: str
    columns: tuple[Column, ...]

    @property
    def plain_table(self) -> str:
        """The table's name, if no other model has it."""
        return names.table_name(self.model)


def base_migration(schema: str) -> str:
    """Return the text of the file that makes the schema, its own tables and functions. May run twice."""
    views = [statement for table in BOOKS for statement in view_statements(schema, table)]
    return _file(
        f"The books of the Odoo shadow in schema {schema}.",
        base_statements(schema),
        [*views, *function_statements(schema)],
    )


def tables_migration(schema: str, models: Iterable[ModelTable]) -> str:
    """Return the text of the file that makes the models' tables, by model name. May run twice."""
    statements: list[sql.Composed] = []
    views: list[sql.Composed] = []
    taken: set[str] = set()
    for item in sorted(models, key=lambda item: item.model):
        table = _free_table(item, taken)
        taken.add(table)
        statements += create_statements(schema, table, item.columns)
        statements.append(_registration(schema, table, item))
        views += view_statements(schema, table)
    return _file(f"The mirrored tables of the Odoo shadow in schema {schema}.", statements, views)


def _free_table(item: ModelTable, taken: Collection[str]) -> str:
    numbered = (names.distinct_table_name(f"{item.model} {number}") for number in count(2))
    candidates = chain([item.plain_table, names.distinct_table_name(item.model)], numbered)
    return next(table for table in candidates if table not in taken)


def _registration(schema: str, table: str, item: ModelTable) -> sql.Composed:
    return sql.SQL(
        "INSERT INTO {meta} (table_name, odoo_model, field_count) VALUES ({table}, {model}, {count})"
        " ON CONFLICT DO NOTHING"
    ).format(meta=sql.Identifier(schema, META), table=table, model=item.model, count=len(item.columns))


def _file(title: str, statements: Sequence[sql.Composed], views: Sequence[sql.Composed]) -> str:
    lines = [f"-- {' '.join(title.split())}", "-- Written by odoo-shadow ddl; running it twice does no harm.", ""]
    lines += [f"{statement.as_string()};\n" for statement in statements]
    if views:
        lines += ["-- Views with the caller's rights exist from PostgreSQL 15 on.", _from_15_on(views), ""]
    return "\n".join(lines)


def _from_15_on(statements: Sequence[sql.Composed]) -> str:
    calls = "\n".join(f"        EXECUTE {sql.Literal(item.as_string()).as_string()};" for item in statements)
    condition = "current_setting('server_version_num')::integer >= 150000"
    # Quoted as a text, the block cannot end early, whatever the schema is called.
    return f"DO {sql.Literal(f'BEGIN IF {condition} THEN{chr(10)}{calls}{chr(10)}END IF; END').as_string()};"
