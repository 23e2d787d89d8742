"""Who calls and what they may: passwords, API keys, groups, rights on models, fields and records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from odoo_stand_in.declared.schema import Field, Model
from odoo_stand_in.orm.environment import SUPERUSER_ID, Environment, User
from odoo_stand_in.orm.errors import AccessError, MissingError

GROUPS = {
    "base.group_user": "User types / Internal User",
    "base.group_partner_manager": "Extra Rights / Contact Creation",
    "base.group_erp_manager": "Administration / Access Rights",
    "base.group_system": "Administration / Settings",
    "account.group_account_invoice": "Invoicing / Billing",
    "account.group_account_readonly": "Technical / Show Accounting Features - Readonly",
    "account.group_account_manager": "Invoicing / Billing Administrator",
    "sales_team.group_sale_salesman": "Sales / User: Own Documents Only",
    "sales_team.group_sale_manager": "Sales / Administrator",
    "purchase.group_purchase_user": "Purchase / User",
    "project.group_project_user": "Project / User",
    "project.group_project_manager": "Project / Administrator",
}
VERBS = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}


def hashed(secret: str) -> str:
    """How passwords and keys are stored: a plain digest, for the secrets here guard invented data only."""
    return hashlib.sha256(secret.encode()).hexdigest()


def missing(model: str, ids: Sequence[int], uid: int) -> MissingError:
    """Return what Odoo says of records that are gone."""
    shown = ", ".join(map(str, ids))
    return MissingError(f"Record does not exist or has been deleted.\n(Record: {model}({shown},), User: {uid})")


def login(connection: psycopg.Connection[Any], name: str, secret: str) -> int | None:
    """Return the id of the user with this login whose password or API key this is."""
    found = connection.execute("SELECT id FROM res_users WHERE login = %s AND active", (name,)).fetchone()
    if found is not None and secret and holds(connection, found[0], secret):
        return int(found[0])
    return None


def holds(connection: psycopg.Connection[Any], uid: int, secret: str) -> bool:
    """Whether the secret is the user's password, or a key of theirs that has not expired."""
    found = connection.execute(
        "SELECT 1 FROM res_users u WHERE u.id = %(uid)s AND u.active AND (u.password = %(digest)s OR EXISTS ("
        " SELECT 1 FROM res_users_apikeys k WHERE k.user_id = u.id AND k.key = %(digest)s"
        " AND (k.expiration_date IS NULL OR k.expiration_date > now() AT TIME ZONE 'UTC')))",
        {"uid": uid, "digest": hashed(secret)},
    ).fetchone()
    return found is not None


def key_owner(connection: psycopg.Connection[Any], key: str) -> int | None:
    """Return the id of the user whose API key this is; a password is no key."""
    found = connection.execute(
        "SELECT user_id FROM res_users_apikeys JOIN res_users u ON u.id = user_id WHERE key = %s AND u.active"
        " AND (expiration_date IS NULL OR expiration_date > now() AT TIME ZONE 'UTC')",
        (hashed(key),),
    ).fetchone()
    return None if found is None else int(found[0])


def load_user(connection: psycopg.Connection[Any], uid: int) -> User:
    """Return the user with groups and companies."""
    found = connection.execute(
        "SELECT u.login, u.company_id,"
        " ARRAY(SELECT cid FROM res_company_users_rel WHERE user_id = u.id ORDER BY cid),"
        " ARRAY(SELECT gid FROM res_groups_users_rel WHERE uid = u.id)"
        " FROM res_users u WHERE u.id = %s",
        (uid,),
    ).fetchone()
    if found is None:
        raise missing("res.users", [uid], uid)
    names = list(GROUPS)
    return User(uid, found[0], found[1], tuple(found[2]), frozenset(names[gid - 1] for gid in found[3]))


def allowed(env: Environment, model: Model, operation: str) -> bool:
    """Whether the user may do this with the model at all."""
    if env.su or env.user.id == SUPERUSER_ID:
        return True
    if model.kind == "abstract":
        return False
    if model.kind == "view" and operation != "read":
        return False
    return env.has_group(model.read_groups if operation == "read" else model.write_groups)


def profile_of(env: Environment, model: Model) -> Model:
    """Return the model whose records the user is shown: that of the public ones where the model itself is closed."""
    if model.profile is None or allowed(env, model, "read"):
        return model
    return env.registry.models[model.profile]


def drops_all(model: Model, profile: Model, names: Sequence[str]) -> bool:
    """Say whether Odoo gives nothing when these fields are read of public records; refuse those that they lack."""
    private = [name for name in names if name not in profile.fields and name not in model.dropping]
    if private:
        raise AccessError(
            f"The fields {','.join(private)!r} you try to read is not available on the public employee profile."
        )
    return any(name in model.dropping for name in names)


def check_model(env: Environment, model: Model, operation: str) -> None:
    """Refuse in Odoo's words what the user may not do with the model."""
    if allowed(env, model, operation):
        return
    granted: tuple[str, ...] = model.read_groups if operation == "read" else model.write_groups
    if model.kind == "abstract" or (model.kind == "view" and operation != "read"):
        granted = ()
    labels = sorted(GROUPS.get(group, group).replace(" / ", "/") for group in granted)
    listed = "".join(f"\n\t- {label}" for label in labels)
    reason = (
        f"This operation is allowed for the following groups:{listed}"
        if labels
        else "No group currently allows this operation."
    )
    raise AccessError(
        f"You are not allowed to {VERBS[operation]} '{model.description}' ({model.name}) records.\n\n"
        f"{reason}\n\nContact your administrator to request access if necessary."
    )


def readable(env: Environment, field: Field) -> bool:
    """Whether the user may read the field."""
    return field.groups is None or env.has_group(field.groups)


def check_fields(env: Environment, model: Model, names: list[str], operation: str) -> None:
    """Refuse fields that the user may not read or write."""
    denied = [name for name in names if name in model.fields and not readable(env, model.fields[name])]
    if not denied:
        return
    groups = {name: model.fields[name].groups or "" for name in denied}
    labels = {name: ", ".join(repr(GROUPS.get(one, one)) for one in groups[name].split(",")) for name in denied}
    if env.newer:
        raise AccessError(
            f'You do not have enough rights to access the field "{denied[0]}" on {model.description} ({model.name}). '
            f"Please contact your system administrator.\n\nOperation: {operation}\nUser: {env.user.id}\n"
            f"Groups: allowed for groups {labels[denied[0]]}"
        )
    listed = "\n".join(f"- {name} (allowed for groups {labels[name]})" for name in sorted(denied))
    raise AccessError(
        "The requested operation can not be completed due to security restrictions.\n\n"
        f"Document type: {model.description} ({model.name})\nOperation: {operation}\nUser: {env.user.id}\n"
        f"Fields:\n{listed}"
    )


def record_rule(env: Environment, model: Model) -> sql.Composable | None:
    """Return the condition on records that the user may see: those of the companies in play, and of none."""
    if env.su or env.user.id == SUPERUSER_ID:
        return None
    companies = sql.Literal(list(env.company_ids))
    if model.name == "res.company":
        if env.has_group("base.group_erp_manager"):
            return None
        return sql.SQL("{} = ANY({})").format(sql.Identifier(model.table, "id"), companies)
    if model.name == "res.users":
        return sql.SQL("({} = ANY({}))").format(sql.Identifier(model.table, "company_id"), companies)
    field = model.fields.get("company_id")
    if model.name == "ir.default" or field is None or not (field.store or field.inherited):
        return None
    if field.inherited:
        link = (field.related or "").split(".")[0]
        parent = env.registry.models[model.fields[link].relation or ""]
        return sql.SQL(
            "EXISTS (SELECT 1 FROM {parent} AS rule WHERE rule.id = {link}"
            " AND (rule.company_id IS NULL OR rule.company_id = ANY({companies})))"
        ).format(parent=sql.Identifier(parent.table), link=sql.Identifier(model.table, link), companies=companies)
    column = sql.Identifier(model.table, "company_id")
    return sql.SQL("({0} IS NULL OR {0} = ANY({1}))").format(column, companies)
