"""A role reads what it may read and what is Odoo's, says what is missing, and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.mirror.config.patterns import ALL, ModelChoice
from odoo_shadow.mirror.run.choose import choose_models
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.errors import OdooAccessError, OdooRequestError
from odoo_shadow.source.models import ModelKind
from odoo_shadow.source.reading import Reading
from odoo_stand_in import StandIn
from tests.support.odoo_database import reading_role
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.running import mirror
from tests.support.two_sources import database_source_of, layout_of, odoo_database, rows_of

KINDS = "x_kinds"


def test_with_select_alone_everything_can_be_read(awkward_odoo: StandIn) -> None:
    with reading_role(awkward_odoo.dsn) as url, DatabaseSource(odoo_database(url)) as source:
        layout = layout_of(source, KINDS)
        assert len(rows_of(source, layout)) == source.count(layout.reading) > 0
        assert source.versions(layout.reading) is not None
        found = {item.subject: item for item in source.examine()}
        assert "may read and not write" in found["role"].text and "every table" in found["rights"].text


def test_a_table_that_the_role_may_not_read_is_told_and_all_others_are_mirrored(
    awkward_odoo: StandIn, shadow: ShadowDatabase
) -> None:
    by_company = ("ir_property",) if awkward_odoo.flavour == "17" else ("ir_default",)
    without = ("ir_config_parameter", *by_company, "res_partner", "res_users")
    with (
        reading_role(awkward_odoo.dsn, without=without) as url,
        DatabaseSource(odoo_database(url)) as source,
    ):
        kinds = {model.name: model.kind for model in source.discover().models}
        assert kinds["res.partner"] is kinds["res.users"] is ModelKind.CLOSED
        assert "res.partner" not in source.readable_models
        with pytest.raises(
            OdooAccessError, match=r"'odoo_db': res\.partner: the role '.*' lacks SELECT on res_partner"
        ):
            mirror(source, shadow, "res.partner")
        assert mirror(source, shadow, "res.country").counts.inserted > 0
        assert mirror(source, shadow, "mail.followers").counts.inserted > 0
        with pytest.raises(OdooAccessError, match=r"(res_users|x_kinds: .*res_partner)"):
            mirror(source, shadow, KINDS)  # whose values depend on the login's company, and lead to partners
        chosen = choose_models(source, ModelChoice.parse(ALL))
        assert {item.reason for item in chosen.left_out if item.model == "res.partner"} == {str(ModelKind.CLOSED)}
        (missing,) = (item for item in source.examine() if item.subject == "rights")
        assert f"SELECT is missing on 4 tables: {', '.join(without)}; GRANT" in missing.text


def test_what_is_told_to_grant_is_enough(awkward_odoo: StandIn) -> None:
    with new_role(awkward_odoo.dsn) as role, DatabaseSource(odoo_database(as_role(awkward_odoo.dsn, role))) as source:
        with pytest.raises(OdooAccessError, match="lacks SELECT on ir_model, ") as raised:
            source.discover()
        grants = re.search(r"(GRANT .*)\.$", str(raised.value))
        assert grants is not None
        with psycopg.connect(awkward_odoo.dsn, autocommit=True) as owner:
            owner.execute(grants.group(1).encode())
        assert "res.partner" in source.readable_models


@pytest.fixture
def policies(awkward_odoo: StandIn) -> Iterator[StandIn]:
    """A stand-in with a table of which a policy shows few rows."""
    run_as_owner(
        awkward_odoo.dsn,
        "ALTER TABLE res_country ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON res_country USING (id = 1)",
    )
    yield awkward_odoo
    run_as_owner(
        awkward_odoo.dsn, "DROP POLICY few ON res_country", "ALTER TABLE res_country DISABLE ROW LEVEL SECURITY"
    )


def test_a_policy_that_hides_rows_is_an_error(policies: StandIn) -> None:
    told = r"res\.country: policies for rows apply to the role .* BYPASSRLS"
    with (
        reading_role(policies.dsn) as url,
        DatabaseSource(odoo_database(url)) as source,
        pytest.raises(OdooAccessError, match=told),
    ):
        source.count(Reading("res.country", ("id",)))


PROBE = (
    "SELECT 1 AS id, current_setting('transaction_read_only') || ' ' || current_setting('transaction_isolation')"
    " || ' ' || current_setting('search_path') AS x_name, now()::timestamp AS create_date, 1 AS create_uid,"
    " now()::timestamp AS write_date, 1 AS write_uid"
)


@pytest.fixture
def probes(awkward_odoo: StandIn) -> Iterator[StandIn]:
    """A stand-in with views that say how they are read, and try to write."""
    awkward_odoo.add_view("x_probe", PROBE)
    run_as_owner(
        awkward_odoo.dsn,
        "CREATE FUNCTION public.x_write() RETURNS varchar LANGUAGE plpgsql AS"
        " $$ BEGIN DELETE FROM public.mail_followers; RETURN 'written'; END $$",
        "CREATE FUNCTION public.x_tell() RETURNS varchar LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the salary is 1234'; END $$",
    )
    own: LiteralString = "now()::timestamp AS create_date, 1 AS create_uid, now()::timestamp AS write_date"
    for name in ("x_write", "x_tell"):
        awkward_odoo.add_view(f"{name}.view", f"SELECT 1 AS id, public.{name}() AS x_name, {own}, 1 AS write_uid")
    yield awkward_odoo
    for name in ("x_probe", "x_write.view", "x_tell.view"):
        awkward_odoo.uninstall(name)
    run_as_owner(awkward_odoo.dsn, "DROP FUNCTION public.x_write, public.x_tell")


def test_a_role_that_may_write_does_not(probes: StandIn) -> None:
    """The stand-in's own is the superuser."""
    with database_source_of(probes) as source:
        assert [row["x_name"] for row in rows_of(source, layout_of(source, "x_probe")).values()] == [
            "on repeatable read pg_catalog, pg_temp"
        ]
        with pytest.raises(OdooRequestError, match=r"x_write\.view: PostgreSQL refused a statement \(ReadOnlySqlTran"):
            rows_of(source, layout_of(source, "x_write.view"))
        with pytest.raises(OdooRequestError) as raised:
            rows_of(source, layout_of(source, "x_tell.view"))
        assert "1234" not in str(raised.value)
        assert any("may also write there" in item.text for item in source.examine() if item.subject == "role")
