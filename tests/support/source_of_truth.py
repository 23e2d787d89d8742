"""What a shadow should hold, worked out from the stand-in's own PostgreSQL tables, cell by cell.

Written without the engine's conversions, from `docs/reference/tables.md` and `docs/explanation/odoo.md`, so that it can
contradict them; only the names of columns are the engine's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from odoo_shadow.shadow.names import WRITE_DATE, column_name
from odoo_stand_in import Field, Model, StandIn
from odoo_stand_in.orm.query import source

Rows = dict[int, dict[str, Any]]

NO_COLUMN = ("one2many", "binary", "image")
SECRETS = frozenset(
    {"access_token", "signup_token", "password", "totp_secret", "oauth_access_token", "x_secret", "session_identifier"}
    | {"html_field_history"}
)
SECRETS_OF_MODELS = frozenset({("hr.employee", "barcode"), ("hr.employee", "pin")})
OWN_COLUMNS = ("_synced_at", "_sync_hash")
ADMIN = 2
TYPES = {
    **dict.fromkeys(("char", "text", "html", "selection", "reference"), "text"),
    **dict.fromkeys(("integer", "many2one", "many2one_reference"), "bigint"),
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp with time zone",
    "monetary": "numeric",
    "many2many": "bigint[]",
}
COMPUTED_NAMES = ("account.move", "product.product", "product.template", "purchase.order", "sale.order.line")


def mirrored_fields(odoo: StandIn, model: str) -> list[Field]:
    """The fields that have a column, besides `id` and `write_date`."""
    return [
        field
        for field in odoo.registry.models[model].fields.values()
        if (field.store or field.company_dependent)
        and field.type not in NO_COLUMN
        and field.name not in SECRETS
        and (model, field.name) not in SECRETS_OF_MODELS
        and field.name not in ("id", "write_date")
    ]


def name_types(odoo: StandIn, model: str) -> dict[str, str]:
    """The columns for names that Odoo computes, with their types."""
    if model == "account.account" and odoo.flavour == "19":
        return {"code": "text", "code__companies": "jsonb"}
    return {"display_name": "text"} if model in COMPUTED_NAMES else {}


def column_types(odoo: StandIn, model: str) -> dict[str, str]:
    """The columns that a model's table should have, with their types."""
    types = {column_name(field.name): _type(field) for field in mirrored_fields(odoo, model)}
    own = {"_odoo_write_date": "timestamp with time zone", "_synced_at": "timestamp with time zone"}
    return {"id": "bigint", **types, **name_types(odoo, model), **own, "_sync_hash": "text"}


def _type(field: Field) -> str:
    if field.type == "float":
        return "double precision" if field.digits is None else "numeric"
    return TYPES.get(field.type, "jsonb")


def expected_rows(
    odoo: StandIn, model: str, lang: str = "en_US", company: int | None = None, *, by_field: bool = False
) -> Rows:
    """All rows of a model, archived ones and those of every company too, as the shadow should have them.

    :param company: whose values the company-dependent fields have; None for the administrator's own.
    :param by_field: cells by the fields' names, rather than by the columns'; without `_odoo_write_date`.
    """
    described = odoo.registry.models[model]
    with psycopg.connect(odoo.dsn, row_factory=dict_row) as connection:
        found = connection.execute(sql.SQL("SELECT * FROM {}").format(source(described))).fetchall()
        if company is None:
            company = int(_one(connection, "SELECT company_id AS value FROM res_users WHERE id = %s", ADMIN))
        read = {
            (field.name if by_field else column_name(field.name)): _reader(
                odoo, connection, described, field, lang, company
            )
            for field in mirrored_fields(odoo, model)
        }
        rows = {row["id"]: {name: get(row) for name, get in read.items()} for row in found}
        for row in found:
            own = {"id": row["id"]} if by_field else {"id": row["id"], WRITE_DATE: _moment(row.get("write_date"))}
            rows[row["id"]].update(own)
        return rows


def shadow_rows(url: str, table: str, schema: str = "odoo_shadow") -> Rows:
    """All rows of a shadow table."""
    with psycopg.connect(url, row_factory=dict_row, options="-c TimeZone=UTC") as connection:
        found = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))).fetchall()
    return {row["id"]: {name: cell for name, cell in row.items() if name not in OWN_COLUMNS} for row in found}


def assert_equal(
    odoo: StandIn,
    shadow_url: str,
    models: Iterable[str],
    *,
    schema: str = "odoo_shadow",
    lang: str = "en_US",
) -> int:
    """Compare models cell by cell; return how many cells agreed."""
    cells = 0
    for model in models:
        wanted = expected_rows(odoo, model, lang)
        found = shadow_rows(shadow_url, "odoo_shadow_" + model.replace(".", "_"), schema)
        assert found.keys() == wanted.keys(), f"{model}: other rows"
        for number, row in wanted.items():
            different = {name: (found[number].get(name), cell) for name, cell in row.items()
                         if not is_same(found[number][name], cell)}  # fmt: skip
            assert not different, f"{model} {number}: (shadow, Odoo) {different}"
            cells += len(row)
    return cells


def is_same(found: Any, wanted: Any) -> bool:
    """Say whether a cell is what it should be, of the right type."""
    if isinstance(wanted, float) and found is not None:
        return float(found) == wanted
    return type(found) is type(wanted) and bool(found == wanted)


def _one(connection: psycopg.Connection[dict[str, Any]], query: LiteralString, *values: Any) -> Any:
    (row,) = connection.execute(query, values).fetchall()
    return row["value"]


def _reader(
    odoo: StandIn,
    connection: psycopg.Connection[dict[str, Any]],
    model: Model,
    field: Field,
    lang: str,
    company: int,
) -> Callable[[dict[str, Any]], Any]:
    """Return what takes a field's value out of a row of Odoo's table."""
    if field.type == "many2many":
        linked = _linked(odoo, connection, field)
        return lambda row: linked.get(row["id"], [])
    if field.company_dependent:
        told = _pointing(odoo, connection, field)
        if not field.store:
            kept = _properties_of_17(connection, model, field, company)
            default = kept.get(None)
            return lambda row: _value(field, told(kept.get(row["id"], default)))
        default = _default_of_18(connection, model, field, company)
        return lambda row: _value(field, told((row[field.column_name] or {}).get(str(company), default)))
    if field.translate:
        return lambda row: _value(field, _translated(row[field.column_name], lang))
    if field.type == "properties":
        told = _definitions(connection, model, field, leave_out_empty=odoo.flavour == "19")
        return lambda row: _by_name(told(row))
    return lambda row: _value(field, row[field.column_name])


def _linked(odoo: StandIn, connection: psycopg.Connection[dict[str, Any]], field: Field) -> dict[int, list[int]]:
    """The ids behind a many2many, without archived records, as Odoo's `search_read` tells them."""
    comodel = odoo.registry.models[field.relation or ""]
    table, own, other = str(field.rel_table), str(field.rel_own), str(field.rel_other)
    active = sql.SQL(" WHERE c.active") if "active" in comodel.fields else sql.SQL("")
    found = connection.execute(
        sql.SQL(
            "SELECT r.{own} AS own, array_agg(r.{other} ORDER BY r.{other}) AS ids"
            " FROM {table} AS r JOIN {comodel} AS c ON c.id = r.{other}{active} GROUP BY r.{own}"
        ).format(
            own=sql.Identifier(own),
            other=sql.Identifier(other),
            table=sql.Identifier(table),
            comodel=sql.Identifier(comodel.table),
            active=active,
        )
    )
    return {row["own"]: row["ids"] for row in found}


def _by_name(told: Any) -> Any:
    """Properties without their definitions."""
    return {item["name"]: item["value"] for item in told if "value" in item} if isinstance(told, list) else told


def _properties_of_17(
    connection: psycopg.Connection[dict[str, Any]], model: Model, field: Field, company: int
) -> dict[int | None, Any]:
    """Up to 17 company-dependent values are rows of a table of their own, defaults without a record."""
    found = connection.execute(
        "SELECT split_part(p.res_id, ',', 2) AS own, coalesce(nullif(p.value_text, ''), p.value_reference) AS text,"
        " coalesce(p.value_float, p.value_integer) AS number, p.value_datetime AS moment"
        " FROM ir_property p JOIN ir_model_fields f ON f.id = p.fields_id WHERE f.model = %s AND f.name = %s"
        " AND (p.company_id = %s OR p.company_id IS NULL) ORDER BY p.company_id NULLS FIRST",
        (model.name, field.name, company),
    )
    by_type = {"date": "moment", "datetime": "moment", **dict.fromkeys(("boolean", "integer", "float"), "number")}
    taken = by_type.get(field.type, "text")
    return {int(row["own"]) if row["own"] else None: row[taken] for row in found}


def _default_of_18(connection: psycopg.Connection[dict[str, Any]], model: Model, field: Field, company: int) -> Any:
    """From 18 on a record without a value of its own has the default of its company, or of all."""
    found = connection.execute(
        "SELECT d.json_value AS value FROM ir_default d JOIN ir_model_fields f ON f.id = d.field_id"
        " WHERE f.model = %s AND f.name = %s AND (d.company_id = %s OR d.company_id IS NULL)"
        " AND d.user_id IS NULL AND d.condition IS NULL ORDER BY d.company_id NULLS LAST LIMIT 1",
        (model.name, field.name, company),
    ).fetchall()
    value = json.loads(found[0]["value"]) if found else None
    return None if value is False and field.type != "boolean" else value


def _pointing(odoo: StandIn, connection: psycopg.Connection[dict[str, Any]], field: Field) -> Callable[[Any], Any]:
    """What a company-dependent value is told as: a many2one whose record is gone is empty."""
    if field.type != "many2one":
        return lambda value: value.date() if field.type == "date" and isinstance(value, datetime) else value
    table = odoo.registry.models[field.relation or ""].table
    there = {row["id"] for row in connection.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier(table)))}

    def told(value: Any) -> int | None:
        target = None if value is None else int(str(value).rpartition(",")[2])
        return target if target in there else None

    return told


def _translated(value: dict[str, str] | None, lang: str) -> str | None:
    return None if value is None else value.get(lang, value.get("en_US"))


def _definitions(
    connection: psycopg.Connection[dict[str, Any]], model: Model, field: Field, *, leave_out_empty: bool
) -> Callable[[dict[str, Any]], Any]:
    """Properties are told as the definition of the record that keeps it, with this record's values."""
    keeper = model.fields[field.definition_record or ""]
    table = sql.Identifier((keeper.relation or "").replace(".", "_"))
    column = sql.Identifier(field.definition_record_field or "")
    found = connection.execute(sql.SQL("SELECT id, {} AS definition FROM {}").format(column, table))
    definitions = {row["id"]: row["definition"] or [] for row in found}

    def read(row: dict[str, Any]) -> Any:
        values = row[field.column_name] or {}
        told = definitions.get(row[keeper.name], [])
        if leave_out_empty:
            return [one | ({"value": values[one["name"]]} if one["name"] in values else {}) for one in told]
        nothing = {one["name"]: False if one["type"] in ("boolean", "char") else None for one in told}
        return [one | {"value": values.get(one["name"], nothing[one["name"]])} for one in told]

    return read


def _value(field: Field, raw: Any) -> Any:
    if field.type == "boolean":
        return bool(raw)
    if field.type in ("integer", "many2one_reference"):
        return 0 if raw is None else int(raw)
    if field.type in ("float", "monetary"):
        return float(raw or 0)
    if field.type == "datetime":
        return _moment(datetime.fromisoformat(raw) if isinstance(raw, str) else raw)
    if field.type == "date" and isinstance(raw, str):
        return date.fromisoformat(raw)
    if field.type == "json":
        return None if raw is False else raw  # JSON's own `false` is told as "empty" is
    if field.type == "properties_definition":
        return raw or []
    return raw


def _moment(raw: datetime | None) -> datetime | None:
    return None if raw is None else raw.replace(microsecond=0, tzinfo=UTC)
