"""Stored computed fields: what else changes, with its write_date, when a record is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from psycopg import sql

from odoo_stand_in.declared.schema import Field, Model
from odoo_stand_in.orm.environment import Environment

Fields = set[str] | None
"""The written fields; None stands for all (a new record)."""

_COMMERCIAL_PARTNER = sql.SQL(
    "CASE WHEN o.is_company OR o.parent_id IS NULL THEN o.id"
    " ELSE (SELECT p.commercial_partner_id FROM res_partner p WHERE p.id = o.parent_id) END"
)
_COMMERCIAL_NAME = sql.SQL(
    "COALESCE((SELECT p.name FROM res_partner p WHERE p.id = o.commercial_partner_id AND p.is_company), o.company_name)"
)
_COMPLETE_NAME = sql.SQL(
    "CASE WHEN NOT COALESCE(o.is_company, FALSE) AND (o.parent_id IS NOT NULL OR o.company_name IS NOT NULL)"
    " THEN concat_ws(', ', COALESCE(o.commercial_company_name,"
    " (SELECT p.name FROM res_partner p WHERE p.id = o.parent_id)), o.name) ELSE COALESCE(o.name, '') END"
)
# What contacts take over from their company; Odoo 19 added the website.
_COMMERCIAL_FIELDS = {"17": ("vat", "company_registry", "industry_id"), "19": ("vat", "company_registry", "website")}


def after(env: Environment, model: Model, ids: Sequence[int], written: Fields, depth: int = 0) -> None:
    """Bring what depends on these records up to date; only rows whose value differs are touched."""
    if not ids or depth > 5:
        return
    hook = HOOKS.get(model.name)
    if hook is not None:
        hook(env, model, ids, written, depth)
    for other in env.registry.models.values():
        if other.has_table:
            _related(env, model, other, ids, written, depth)
    product = env.registry.models.get("product.product")
    if product is not None and model.name in product.inherits:
        # Only products take over the write_date of their template.
        env.execute(
            sql.SQL(
                "UPDATE {} AS c SET write_date = p.write_date FROM {} AS p"
                " WHERE p.id = c.{} AND p.id = ANY({}) AND c.write_date < p.write_date"
            ).format(
                sql.Identifier(product.table),
                sql.Identifier(model.table),
                sql.Identifier(product.inherits[model.name]),
                sql.Literal(list(ids)),
            )
        )


def _related(env: Environment, model: Model, other: Model, ids: Sequence[int], written: Fields, depth: int) -> None:
    """Recompute stored related fields (`move_id.state`) of `other`, of the written records or looking at them."""
    changed: dict[int, set[str]] = {}
    for field in other.fields.values():
        found = _source(env, other, field)
        if found is None:
            continue
        link, source_model, source = found
        if other is model and (written is None or link.name in written):
            where = sql.SQL("o.id = ANY({})").format(sql.Literal(list(ids)))
        elif source_model is model and written is not None and source.name in written:
            where = sql.SQL("o.{} = ANY({})").format(sql.Identifier(link.name), sql.Literal(list(ids)))
        else:
            continue
        value = sql.SQL("(SELECT s.{} FROM {} s WHERE s.id = o.{})").format(
            sql.Identifier(source.name), sql.Identifier(source_model.table), sql.Identifier(link.name)
        )
        for one in _assign(env, other, field.name, value, where):
            changed.setdefault(one, set()).add(field.name)
    if changed:
        after(env, other, list(changed), set().union(*changed.values()), depth + 1)


def _source(env: Environment, other: Model, field: Field) -> tuple[Field, Model, Field] | None:
    """For a stored related field: the many2one that it follows, and the model and column that it copies."""
    if not field.column or not field.related or field.company_dependent or field.related.count(".") != 1:
        return None
    link_name, source_name = field.related.split(".")
    link = other.fields.get(link_name)
    if link is None or not link.column or link.relation not in env.registry.models:
        return None
    source_model = env.registry.models[link.relation]
    source = source_model.fields.get(source_name)
    return (link, source_model, source) if source is not None and source.column else None


def _assign(env: Environment, model: Model, name: str, value: sql.Composable, where: sql.Composable) -> list[int]:
    """Set a computed column where it differs, and write_date with it."""
    logged: sql.Composable = sql.SQL("")
    if model.log_access:
        logged = sql.SQL(", write_date = now() AT TIME ZONE 'UTC', write_uid = {}").format(sql.Literal(env.user.id))
    statement = sql.SQL(
        "UPDATE {table} AS o SET {name} = {value}{logged}"
        " WHERE {where} AND o.{name} IS DISTINCT FROM {value} RETURNING o.id"
    ).format(table=sql.Identifier(model.table), name=sql.Identifier(name), value=value, logged=logged, where=where)
    return [row[0] for row in env.rows(statement)]


def _touches(written: Fields, *names: str) -> bool:
    return written is None or not written.isdisjoint(names)


def _among(ids: Sequence[int]) -> sql.Composable:
    return sql.SQL("o.id = ANY({})").format(sql.Literal(list(ids)))


def _ids(env: Environment, model: Model, wanted: str, where: str, ids: Sequence[int]) -> list[int]:
    """One column of the rows whose other column is among the ids."""
    statement = sql.SQL("SELECT DISTINCT {0} FROM {1} WHERE {2} = ANY({3}) AND {0} IS NOT NULL").format(
        sql.Identifier(wanted), sql.Identifier(model.table), sql.Identifier(where), sql.Literal(list(ids))
    )
    return [row[0] for row in env.rows(statement)]


def _partner(env: Environment, model: Model, ids: Sequence[int], written: Fields, depth: int) -> None:
    """Company of a contact, its name, the full name, and what is common to a company, down the tree of contacts."""
    shared = [name for name in _COMMERCIAL_FIELDS[env.registry.flavour] if written is not None and name in written]
    for name in shared:
        value = sql.SQL("(SELECT p.{} FROM res_partner p WHERE p.id = o.commercial_partner_id)").format(
            sql.Identifier(name)
        )
        below = sql.SQL("o.commercial_partner_id = ANY({})").format(sql.Literal(list(ids)))
        _assign(env, model, name, value, below)
    if not _touches(written, "name", "parent_id", "is_company", "company_name", "type"):
        return
    changed = set(_assign(env, model, "commercial_partner_id", _COMMERCIAL_PARTNER, _among(ids)))
    changed |= set(_assign(env, model, "commercial_company_name", _COMMERCIAL_NAME, _among(ids)))
    changed |= set(_assign(env, model, "complete_name", _COMPLETE_NAME, _among(ids)))
    children = [one for one in _ids(env, model, "id", "parent_id", ids) if one not in ids]
    after(env, model, children, {"parent_id"}, depth + 1)
    if changed:
        names = {"commercial_partner_id", "complete_name", "commercial_company_name"}
        for other in env.registry.models.values():
            if other.has_table:
                _related(env, model, other, list(changed), names, depth)


def _order_line(env: Environment, model: Model, ids: Sequence[int], written: Fields, _depth: int) -> None:
    """Amounts of order lines and the totals of their orders."""
    quantity = "product_uom_qty" if model.name == "sale.order.line" else "product_qty"
    if not _touches(written, quantity, "price_unit", "discount", "price_subtotal", "order_id"):
        return
    amount = sql.SQL(
        "round(COALESCE(o.{}, 0) * COALESCE(o.price_unit, 0) * (1 - COALESCE(o.discount, 0) / 100), 2)"
    ).format(sql.Identifier(quantity))
    _assign(env, model, "price_subtotal", amount, _among(ids))
    total = sql.SQL("COALESCE(o.price_subtotal, 0) + COALESCE(o.price_tax::numeric, 0)")
    _assign(env, model, "price_total", total, _among(ids))
    _order_totals(env, model, _ids(env, model, "order_id", "id", ids))


def _order_totals(env: Environment, line: Model, orders: Sequence[int]) -> None:
    order = env.model(line.fields["order_id"].relation or "")
    for name, column in (
        ("amount_untaxed", "price_subtotal"),
        ("amount_tax", "price_tax"),
        ("amount_total", "price_total"),
    ):
        value = sql.SQL("(SELECT COALESCE(sum(l.{}), 0)::numeric FROM {} l WHERE l.order_id = o.id)").format(
            sql.Identifier(column), sql.Identifier(line.table)
        )
        _assign(env, order, name, value, _among(orders))


def _move_line(env: Environment, model: Model, ids: Sequence[int], written: Fields, _depth: int) -> None:
    """Balance of a journal item from its debit and credit."""
    if _touches(written, "debit", "credit"):
        _assign(env, model, "balance", sql.SQL("COALESCE(o.debit, 0) - COALESCE(o.credit, 0)"), _among(ids))


def before_unlink(env: Environment, model: Model, ids: Sequence[int]) -> Callable[[], None]:
    """Note what depends on records that are about to go; the result brings it up to date afterwards."""
    if model.name in ("sale.order.line", "purchase.order.line"):
        orders = _ids(env, model, "order_id", "id", ids)
        return lambda: _order_totals(env, model, orders)
    if model.name == "res.partner":
        children = [one for one in _ids(env, model, "id", "parent_id", ids) if one not in ids]
        return lambda: after(env, model, children, {"parent_id"})
    return lambda: None


Hook = Callable[[Environment, Model, Sequence[int], Fields, int], None]
HOOKS: Mapping[str, Hook] = {
    "res.partner": _partner,
    "sale.order.line": _order_line,
    "purchase.order.line": _order_line,
    "account.move.line": _move_line,
}
