"""What Odoo's own database says of its models: tables, columns, fields, and what `fields_get` adds to that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.types import Json

Connection: TypeAlias = psycopg.Connection[TupleRow]

# Models of Odoo 17.0 and 19.0 whose `_table` is not their name with underscores.
_OTHER_TABLES = {
    "ir.actions.actions": "ir_actions",
    "ir.actions.act_window": "ir_act_window",
    "ir.actions.act_window.view": "ir_act_window_view",
    "ir.actions.act_window_close": "ir_actions",
    "ir.actions.act_url": "ir_act_url",
    "ir.actions.server": "ir_act_server",
    "ir.actions.client": "ir_act_client",
    "ir.actions.report": "ir_act_report_xml",
    "project.task.stage.personal": "project_task_user_rel",
}
_CLOCK = re.compile(r"\bnow\(\)|\bCURRENT_(DATE|TIMESTAMP)\b", re.IGNORECASE)
_ASKED = ("company_dependent", "domain", "context", "definition_record", "definition_record_field")


@dataclass(frozen=True)
class OdooField:
    """A field, as `ir_model_fields` and `fields_get` tell of it.

    :param description: what `fields_get` says; empty when there is no login to ask, or it may not read the field.
    """

    model: str
    name: str
    type: str
    relation: str = ""
    relation_table: str | None = None
    own_column: str = ""
    other_column: str = ""
    is_company_dependent: bool = False
    description: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class OdooModel:
    """A model and its table.

    :param table: None when Odoo's database has no such table or view: the model is made of a query.
    :param tells_the_time: a view whose rows depend on when it is read.
    """

    name: str
    table: str | None
    tells_the_time: bool
    columns: Mapping[str, str]
    fields: Mapping[str, OdooField]


def read_model(odoo: Connection, name: str, login: OdooClient | None) -> OdooModel:
    """Look a model up."""
    table = table_of(name)
    rows = odoo.execute(
        "SELECT CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) ELSE '' END FROM pg_class WHERE oid = to_regclass(%s)",
        [f'public."{table}"'],
    ).fetchall()
    described = login.fields_get(name, _ASKED) if login else {}
    return OdooModel(
        name,
        table if rows else None,
        bool(rows) and _CLOCK.search(str(rows[0][0])) is not None,
        columns_of(odoo, "public", table),
        _fields(odoo, name, described),
    )


def made_since(odoo: Connection, model: OdooModel, moment: datetime) -> set[int]:
    """Return the records that were made at or after a moment."""
    if model.table is None or "create_date" not in model.columns:
        return set()
    query = sql.SQL("SELECT id FROM {} WHERE create_date >= %s").format(sql.Identifier(model.table))
    return {int(row[0]) for row in odoo.execute(query, [moment.astimezone(UTC).replace(tzinfo=None)])}


def table_of(model: str) -> str:
    """Return the table that Odoo keeps a model in."""
    return _OTHER_TABLES.get(model, model.replace(".", "_"))


def columns_of(connection: Connection, schema: str, table: str) -> dict[str, str]:
    """Return the columns of a table or view, by name, with their types."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY column_name",
        [schema, table],
    )
    return {str(name): str(kind) for name, kind in rows}


def _fields(odoo: Connection, model: str, described: Mapping[str, dict[str, Json]]) -> dict[str, OdooField]:
    knows_companies = "company_dependent" in columns_of(odoo, "public", "ir_model_fields")  # from Odoo 18 on
    rows = odoo.execute(
        sql.SQL(
            "SELECT name, ttype, coalesce(relation, ''), relation_table, coalesce(column1, ''), coalesce(column2, ''),"
            " coalesce({}, false) FROM ir_model_fields WHERE model = %s"
        ).format(sql.SQL("company_dependent" if knows_companies else "false")),
        [model],
    )
    found = {}
    for name, kind, relation, relation_table, own, other, by_company in rows:
        description = described.get(name, {})
        is_company_dependent = bool(by_company or description.get("company_dependent"))
        found[str(name)] = OdooField(
            model, str(name), str(kind), relation, relation_table, own, other, is_company_dependent, description
        )
    return found
