"""An Odoo of two companies in memory, mirrored, and those who query the shadow of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.health.readers import examine_readers
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.for_readers import ForReaders, update_for_readers
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.access.reader_role import reader_statements
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.fields import Field
from tests.support.memory_source import MemorySource
from tests.support.roles import as_role, run_as_owner

ONE, TWO = 1, 2
"""The companies."""

RESTRICTED = ("res.partner", "account.account", "sale.order", "sale.line", "sale.subline")
"""The models of which everybody sees the records of their companies."""

OF_ONE = "INSERT INTO odoo_shadow.odoo_shadow_company_access (user_id, company_id) VALUES ('ada', 1)"


def _company(name: str = "company_id") -> Field:
    return Field(name, "many2one", relation="res.company")


def _link(name: str, model: str) -> Field:
    return Field(name, "many2one", relation=model)


def two_companies() -> MemorySource:
    """Of everything one record in each company, and one that both share; ids 1, 2 and 3."""
    odoo = MemorySource()
    name = Field("name", "char")
    odoo.add_model("res.company", name)
    odoo.add_model("res.country", name)
    odoo.add_model("uom.uom", name)
    odoo.add_model("res.partner", name, _company(), _link("country_id", "res.country"))
    odoo.add_model("account.account", name, Field("company_ids", "many2many", relation="res.company"))
    odoo.add_model("sale.order", name, _company(), _link("partner_id", "res.partner"))
    odoo.add_model("sale.line", name, _link("order_id", "sale.order"), _link("partner_id", "res.partner"))
    odoo.add_model("sale.subline", name, _link("line_id", "sale.line"), _link("partner_id", "res.partner"))
    odoo.add_model("mail.note", name, Field("res_model", "char"), Field("res_id", "many2one_reference"))
    odoo.create("res.company", name="One")
    odoo.create("res.company", name="Two")
    odoo.create("res.country", name="France")
    odoo.create("uom.uom", name="Dozen")
    shared = odoo.create("res.partner", 3, name="A partner", country_id=1)[2]
    odoo.create("account.account", 3, name="An account", company_ids=[])
    for model in ("sale.order", "sale.line", "sale.subline", "mail.note"):
        odoo.create(model, 3, name=f"A {model}")
    for company in (ONE, TWO):
        odoo.write("res.partner", [company], company_id=company, name=f"Partner of {company}")
        odoo.write("account.account", [company], company_ids=[company])
        odoo.write("sale.order", [company], company_id=company, partner_id=shared)
        # Whose line it is follows from its order only: the partner is shared.
        odoo.write("sale.line", [company], order_id=company, partner_id=shared)
        odoo.write("sale.subline", [company], line_id=company, partner_id=shared)
        odoo.write("mail.note", [company], res_model="sale.order", res_id=company)
    odoo.wait()
    return odoo


def sync(
    odoo: MemorySource,
    shadow: ShadowDatabase,
    models: Sequence[str] | None = None,
    mode: RowLevelSecurity | None = None,
    *,
    full: bool = False,
    excluding: Sequence[str] = (),
) -> tuple[str, ...]:
    """Run a sync, as the command line does; return what `update_for_readers` reports.

    :param excluding: fields of these models to leave out; None, as in the last run, if there are none.
    """
    settings = ModelSettings(exclude_fields=tuple(excluding)) if excluding else None
    options, run = MirrorOptions(wait=timedelta(0), full=full), Run()
    chosen = Chosen(tuple(models or sorted(odoo.models)))
    plan = plan_run(
        odoo, shadow, chosen, run=run, options=options, settings=lambda _: settings, for_readers=ForReaders(mode)
    )
    for item in plan.work:
        mirror_model(odoo, shadow, item.model, run=run, options=options, settings=settings)
    odoo.wait()
    return update_for_readers(shadow)


@contextmanager
def api_roles(server: str) -> Iterator[None]:
    """Make the roles that PostgREST uses in a Supabase project; drop them at the end, with `odoo_shadow_reader`.

    By then, no database may have anything that they may use.
    """
    run_as_owner(
        server,
        "CREATE ROLE anon LOGIN",
        "CREATE ROLE authenticated NOLOGIN",
        "CREATE ROLE authenticator LOGIN NOINHERIT",
        "GRANT anon, authenticated TO authenticator",
    )
    try:
        yield
    finally:
        run_as_owner(server, "DROP ROLE IF EXISTS anon, authenticated, authenticator, odoo_shadow_reader")


def let_users_read(database: str, mode: RowLevelSecurity | None = None, schema: str = "odoo_shadow") -> None:
    """Make `odoo_shadow_reader` as `init supabase` does, and let the API's users read."""
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in reader_statements(schema, mode):
            connection.execute(statement)
        connection.execute("GRANT odoo_shadow_reader TO authenticated")


@contextmanager
def caller(database: str, role: str = "authenticated", **claims: object) -> Iterator[psycopg.Connection]:
    """A connection as PostgREST has it: logged in as `authenticator`, with a role and the claims of a token."""
    with psycopg.connect(as_role(database, "authenticator"), autocommit=True) as connection:
        connection.execute("SELECT set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        yield connection


def ids(connection: psycopg.Connection, model: str, schema: str = "odoo_shadow", ending: str = "") -> list[int]:
    """The ids that somebody sees of a model."""
    table = sql.Identifier(schema, f"odoo_shadow_{model.replace('.', '_')}{ending}")
    return [int(row[0]) for row in connection.execute(sql.SQL("SELECT id FROM {} ORDER BY id").format(table))]


def seen(connection: psycopg.Connection, models: Sequence[str]) -> dict[str, list[int]]:
    """The ids that somebody sees of several models."""
    return {model: ids(connection, model) for model in models}


def each(numbers: list[int], models: Iterable[str] = RESTRICTED) -> dict[str, list[int]]:
    """The same ids of several models."""
    return dict.fromkeys(models, numbers)


def told(shadow: ShadowDatabase) -> str:
    """What the doctor says about who may read which rows."""
    with shadow.transaction() as tx:
        return " | ".join(f"{item.verdict.name} {item.text}" for item in examine_readers(tx))


def one_value(connection: psycopg.Connection, query: str) -> Any:
    """The only value of a query's only row."""
    ((value,),) = connection.execute(query.encode()).fetchall()
    return value
