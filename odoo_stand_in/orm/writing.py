"""create, write and unlink: rows change, and write_date with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import errors as pg
from psycopg import sql

from odoo_stand_in.declared.schema import LOG_ACCESS, X2MANY, Field, Model
from odoo_stand_in.orm import access, company_values, defaults, files, recompute, values
from odoo_stand_in.orm.environment import Environment
from odoo_stand_in.orm.errors import ValidationError
from odoo_stand_in.orm.reading import check_hidden, search

# Models whose methods never look at the record that they write or delete: Odoo does not notice that it is gone.
LENIENT = frozenset({"res.partner.category", "res.currency", "product.tag", "project.tags", "uom.uom"})
LENIENT_UNLINK = frozenset({"product.product", "res.company"})
NOW = sql.SQL("now() AT TIME ZONE 'UTC'")


def create(env: Environment, model: Model, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """Create records; `_inherits` parents are made first."""
    access.check_model(env, model, "create")
    ids = [_create_one(env, model, vals) for vals in vals_list]
    recompute.after(env, model, ids, None)
    if model.name == "product.template":
        # A template without attributes has one variant from the start.
        create(env, env.model("product.product"), [{"product_tmpl_id": one} for one in ids])
    return ids


def _create_one(env: Environment, model: Model, vals: Mapping[str, Any]) -> int:
    _check_fields(env, model, vals)
    own, above, lists = _split(env, model, vals)
    for field in model.fields.values():
        if field.column and field.default is not None and field.name not in own:
            own[field.name] = values.stored(model.name, field, field.default, env.lang)
    defaults.fill(env, model, own)
    for parent_name, link in model.inherits.items():
        if own.get(link) is None:
            own[link] = _create_one(env.sudo(), env.model(parent_name), above[link])
            recompute.after(env, env.model(parent_name), [own[link]], None)
        elif above[link]:
            write(env.sudo(), env.model(parent_name), [own[link]], above[link])
    columns: dict[str, sql.Composable] = {name: sql.Literal(value) for name, value in own.items()}
    if model.log_access:
        columns.update(create_uid=sql.Literal(env.user.id), write_uid=sql.Literal(env.user.id))
        columns.update(create_date=NOW, write_date=NOW)
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
        sql.Identifier(model.table),
        sql.SQL(", ").join(sql.Identifier(_column_name(model, name)) for name in columns),
        sql.SQL(", ").join(columns.values()),
    )
    if not columns:
        statement = sql.SQL("INSERT INTO {} DEFAULT VALUES RETURNING id").format(sql.Identifier(model.table))
    new = int(_guarded(env, statement)[0][0])
    _beside_the_table(env, model, [new], vals)
    for field, commands in lists:
        _commands(env, field, [new], commands)
    return new


def write(env: Environment, model: Model, ids: Sequence[int], vals: Mapping[str, Any]) -> bool:
    """Change records; every one of them gets a new write_date, whether its values differ or not."""
    access.check_model(env, model, "write")
    if not ids:
        return True
    _check_fields(env, model, vals)
    check_hidden_all(env, model, ids, "write")
    own, above, lists = _split(env, model, vals)
    for parent_name, link in model.inherits.items():
        if above[link]:
            parents = env.rows(
                sql.SQL("SELECT DISTINCT {} FROM {} WHERE id = ANY({})").format(
                    sql.Identifier(link), sql.Identifier(model.table), sql.Literal(list(ids))
                )
            )
            write(env.sudo(), env.model(parent_name), [row[0] for row in parents], above[link])
    settings = [
        sql.SQL("{} = {}").format(sql.Identifier(_column_name(model, name)), _setting(env, model, name, value))
        for name, value in own.items()
    ]
    if model.log_access:
        settings += [sql.SQL("write_uid = {}").format(sql.Literal(env.user.id)), sql.SQL("write_date = {}").format(NOW)]
    if settings:
        statement = sql.SQL("UPDATE {} SET {} WHERE id = ANY({}) RETURNING id").format(
            sql.Identifier(model.table), sql.SQL(", ").join(settings), sql.Literal(list(ids))
        )
        changed = {row[0] for row in _guarded(env, statement)}
        missing = [one for one in ids if one not in changed]
        if missing and model.name not in LENIENT:
            raise access.missing(model.name, missing[:1], env.user.id)
    _beside_the_table(env, model, ids, vals)
    for field, commands in lists:
        _commands(env, field, ids, commands)
    recompute.after(env, model, list(ids), set(own))
    return True


def unlink(env: Environment, model: Model, ids: Sequence[int]) -> bool:
    """Delete records; nothing tells of it afterwards."""
    access.check_model(env, model, "unlink")
    if ids:
        check_hidden_all(env, model, ids, "unlink")
        finish = recompute.before_unlink(env, model, list(ids))
        gone = _guarded(
            env,
            sql.SQL("DELETE FROM {} WHERE id = ANY({}) RETURNING id").format(
                sql.Identifier(model.table), sql.Literal(list(ids))
            ),
        )
        if len(gone) < len(set(ids)) and model.name not in LENIENT | LENIENT_UNLINK:
            deleted = {row[0] for row in gone}
            raise access.missing(model.name, [one for one in ids if one not in deleted][:1], env.user.id)
        company_values.forget(env.connection, env.registry, model, ids)
        files.forget(env.connection, model, ids)
        finish()
    return True


def check_hidden_all(env: Environment, model: Model, ids: Sequence[int], operation: str) -> None:
    """Refuse when a record rule hides one of the records from the user."""
    if access.record_rule(env, model) is None:
        return
    seen = set(search(env.with_context(active_test=False), model, [("id", "in", list(ids))], 0, None, "id"))
    check_hidden(env, model, [one for one in ids if one not in seen], operation)


def _check_fields(env: Environment, model: Model, vals: Mapping[str, Any]) -> None:
    for name in vals:
        if name not in model.fields:
            raise ValueError(f"Invalid field {name!r} on model {model.name!r}")
    access.check_fields(env, model, list(vals), "write")


def _split(
    env: Environment, model: Model, vals: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]], list[tuple[Field, Any]]]:
    """Values for the model's own columns, for its `_inherits` parents, and x2many commands."""
    own: dict[str, Any] = {}
    above: dict[str, dict[str, Any]] = {link: {} for link in model.inherits.values()}
    lists: list[tuple[Field, Any]] = []
    for name, value in vals.items():
        field = model.fields[name]
        if name == "id" or (name in LOG_ACCESS and model.log_access):
            continue
        if field.mirror_of:
            field = model.fields[field.mirror_of]
        if field.inherited and field.related:
            above[field.related.split(".")[0]][name] = value
        elif field.type in X2MANY:
            lists.append((field, value))
        elif field.column and not field.company_dependent:
            own[field.name] = values.stored(model.name, field, value, env.lang)
    return own, above, lists


def _column_name(model: Model, name: str) -> str:
    return model.fields[name].column_name if name in model.fields else name


def _setting(env: Environment, model: Model, name: str, value: Any) -> sql.Composable:
    """Return the new value of a column; a translated text keeps its other languages."""
    field = model.fields[name]
    if field.translate and value is not None:
        text = value.obj[env.lang]
        return sql.SQL(
            "COALESCE({}, jsonb_build_object('en_US', {}::text)) || jsonb_build_object({}, {}::text)"
        ).format(sql.Identifier(name), sql.Literal(text), sql.Literal(env.lang), sql.Literal(text))
    return sql.Literal(value)


def _beside_the_table(env: Environment, model: Model, ids: Sequence[int], vals: Mapping[str, Any]) -> None:
    """Write files, and company-dependent values: of the user's company only."""
    for name, given in vals.items():
        field = model.fields[name]
        if field.mirror_of:
            field = model.fields[field.mirror_of]
        if field.attached and not field.inherited:
            files.put(env.connection, model, field, ids, values.stored(model.name, field, given))
        if not field.company_dependent:
            continue
        value = values.stored(model.name, field, given, env.lang)
        company_values.put(env.connection, model, field, env.company_id, ids, value)


def _commands(env: Environment, field: Field, ids: Sequence[int], commands: Any) -> None:
    """Apply x2many commands: `[0, 0, vals]`, `[3, id]`, `[4, id]`, `[6, 0, ids]`; ids alone stand for the last."""
    given = commands or []
    if all(isinstance(one, int) for one in given):
        given = [[6, 0, given]]
    for command in given:
        for own in ids:
            _command(env, field, own, *command)


def _command(env: Environment, field: Field, own: int, code: int, target: int = 0, given: Any = None) -> None:
    if code == 0:
        create(env, env.model(field.relation or ""), [{**given, field.relation_field or "": own}])
    elif code in (3, 4):
        (_link if code == 4 else _unlink_relation)(env, field, own, [target])
    elif code == 6:
        _unlink_relation(env, field, own, None)
        _link(env, field, own, given)
    else:
        raise ValueError(f"The stand-in knows no command {code} for {field.name}.")


def _link(env: Environment, field: Field, own: int, others: Sequence[int]) -> None:
    """Relate; the far rows of a many2many are not touched, those of a one2many are written."""
    if field.type == "one2many":
        write(env, env.model(field.relation or ""), list(others), {field.relation_field or "": own})
        return
    for other in others:
        _guarded(
            env,
            sql.SQL("INSERT INTO {} ({}, {}) VALUES ({}, {}) ON CONFLICT DO NOTHING RETURNING 1").format(
                sql.Identifier(field.rel_table or ""),
                sql.Identifier(field.rel_own or ""),
                sql.Identifier(field.rel_other or ""),
                sql.Literal(own),
                sql.Literal(other),
            ),
        )


def _unlink_relation(env: Environment, field: Field, own: int, others: Sequence[int] | None) -> None:
    statement = sql.SQL("DELETE FROM {} WHERE {} = {}").format(
        sql.Identifier(field.rel_table or ""), sql.Identifier(field.rel_own or ""), sql.Literal(own)
    )
    if others is not None:
        statement += sql.SQL(" AND {} = ANY({})").format(
            sql.Identifier(field.rel_other or ""), sql.Literal(list(others))
        )
    env.execute(statement)


def _guarded(env: Environment, statement: sql.Composable) -> list[tuple[Any, ...]]:
    """Run a change; Odoo tells of a violated constraint in words of its own, which no test looks at."""
    try:
        return env.rows(statement)
    except pg.IntegrityError as error:
        raise ValidationError(f"The operation cannot be completed: {error}") from error
