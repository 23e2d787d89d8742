"""Whoever may create in the schema of Odoo's tables puts there what reading would step on: nothing of it is used."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.errors import OdooAccessError
from odoo_shadow.source.models import ModelKind
from odoo_shadow.source.reading import EVERYWHERE, Reading
from odoo_stand_in import StandIn
from tests.support.flavours import FLAVOURS
from tests.support.odoo_database import reading_role
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.traps import set_traps, sprung
from tests.support.two_sources import Rows, layout_of, odoo_database, rows_of

pytestmark = pytest.mark.attack

MODELS = (
    "x_kinds",
    "x_awkward",
    "res.partner",
    "product.template",
    "res.users",
    "hr.employee.public",
    "mail.followers",
)
# What a model without a table would be read from, and what would then be done with the rights of who reads.
SPY = (
    "CREATE FUNCTION public.spy() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$",
    "CREATE VIEW public.mail_thread AS SELECT public.spy() AS id, 'x'::varchar AS name, now()::timestamp AS write_date",
    "CREATE TABLE public.x_believed (id integer, x_name varchar)",
    "INSERT INTO public.x_believed VALUES (1, 'believed')",
    "GRANT SELECT ON public.mail_thread, public.x_believed TO PUBLIC",
)


@pytest.fixture(params=FLAVOURS)
def own(request: pytest.FixtureRequest, postgres: str) -> Iterator[tuple[str, str]]:
    """The database of a stand-in, in which everybody may create: as who reads it, and as somebody hostile."""
    odoo = StandIn(postgres, request.param, database="neighbours", scale=0.1, schema="tables", copied=True)
    run_as_owner(odoo.dsn, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    with reading_role(odoo.dsn) as reader, new_role(odoo.dsn) as mallory:
        yield reader, as_role(odoo.dsn, mallory)
    odoo.stop()


def everything(source: DatabaseSource) -> dict[str, Rows]:
    """Read all that there is, in every way."""
    found: dict[str, Rows] = {}
    assert [item.verdict for item in source.examine()]
    assert source.clock() and source.database_state() and source.languages() and source.companies()
    source.check_language()
    assert source.readable_models.keys() >= {*MODELS}
    for model in MODELS:
        layout: Layout = layout_of(source, model)
        reading = layout.reading
        found[model] = rows_of(source, layout, page_size=9)
        assert len(found[model]) == source.count(reading) == len(source.ids(reading)) == source.count_all(reading)
        assert source.about(model) and source.dates(model, [1, 2, 3], made=True)
        assert source.versions(reading) or model == "hr.employee.public"
        assert source.foundations(model, ["x_properties"], company_dependent=True, related=["res.partner"])
        plain = Reading(model, tuple(item.column.field for item in layout.columns if item.may_be_copied))
        copied = source.copy_pages(plain, EVERYWHERE, after_id=0, up_to_id=2**40, page_size=9)
        assert copied is None or list(copied)[-1].is_last
    return found


def test_nothing_of_theirs_is_called(own: tuple[str, str]) -> None:
    reader, mallory = own
    with DatabaseSource(odoo_database(reader)) as source:
        before = everything(source)
    made = set_traps(mallory)
    assert made["functions"] > 100 and made["operators"] > 100
    with psycopg.connect(as_role(reader, "postgres"), autocommit=True) as owner:
        name = sql.Identifier(owner.info.dbname)
        owner.execute(sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(name))
    with pytest.raises(psycopg.Error), psycopg.connect(reader) as connection:
        connection.execute("SELECT length('a'::text) > 0, now()")
        raise psycopg.Error
    assert sprung(as_role(reader, "postgres")) > 0
    with DatabaseSource(odoo_database(reader)) as source:
        assert everything(source) == before


def test_nothing_of_theirs_is_believed(own: tuple[str, str]) -> None:
    reader, mallory = own
    with psycopg.connect(mallory, autocommit=True) as connection:
        for statement in SPY:
            connection.execute(statement.encode())
    with psycopg.connect(as_role(reader, "postgres"), autocommit=True) as odoo:  # a model whose table has gone
        odoo.execute("INSERT INTO ir_model (model, name, state, \"order\") VALUES ('x_believed', '{}', 'manual', 'id')")
    with DatabaseSource(odoo_database(reader)) as source:
        kinds = {model.name: model.kind for model in source.discover().models}
        assert kinds["x_believed"] is ModelKind.CLOSED
        assert kinds["mail.thread"] in (ModelKind.ABSTRACT, ModelKind.CLOSED)
        assert not {"mail.thread", "x_believed"} & source.readable_models.keys()
        for model in ("mail.thread", "x_believed"):
            for ask in (lambda name: source.describe(name), lambda name: source.count(Reading(name, ("id",)))):
                with pytest.raises(OdooAccessError, match=f"{model}: .* belongs to the role '.*', not to Odoo's"):
                    ask(model)
