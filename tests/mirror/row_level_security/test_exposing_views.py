"""Views show no more than row-level security does: the mirror's own are renewed, other people's are named."""

from __future__ import annotations

import logging

import psycopg
import pytest

from odoo_shadow.mirror.health.exposures import examine_exposures
from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.companies import ONE, caller, ids
from tests.support.roles import new_role, run_as_owner

pytestmark = pytest.mark.attack

ORDERS = "odoo_shadow_sale_order"


def findings(shadow: ShadowDatabase) -> list[str]:
    with shadow.transaction() as tx:
        return [f"{item.verdict.name} {item.text}" for item in examine_exposures(tx)]


def test_the_mirrors_own_views_run_with_the_callers_rights_again(restricted: str) -> None:
    views = (("public", ""), ("public", "_named"), ("odoo_shadow", "_named"))
    with ShadowDatabase.from_url(restricted) as shadow:
        assert findings(shadow) == []
        for schema, ending in views:
            run_as_owner(restricted, f"ALTER VIEW {schema}.{ORDERS}{ending} SET (security_invoker = false)")
        (finding,) = findings(shadow)
        assert finding.startswith(f"PROBLEM odoo_shadow.{ORDERS}_named, public.{ORDERS}")
        with psycopg.connect(restricted) as reader, pytest.MonkeyPatch.context() as patch:
            reader.execute(f"SELECT FROM public.{ORDERS}_named")  # holds the view
            patch.setattr("odoo_shadow.shadow.views.invokers._PATIENCE", "10ms")
            problems = update_for_readers(shadow)
        assert any(f"The view public.{ORDERS}_named shows rows" in problem for problem in problems)
        assert update_for_readers(shadow) == ()
        assert findings(shadow) == []
    with caller(restricted, sub="ada") as user:
        for schema, ending in views:
            assert ids(user, "sale.order", schema, ending) == [ONE, 3]


def test_a_view_that_has_come_to_belong_to_another_role_fails_the_run(restricted: str) -> None:
    """Its owner may have it show what that role sees, such as one with BYPASSRLS."""
    with new_role(restricted) as role:
        run_as_owner(
            restricted,
            "ALTER ROLE {role} BYPASSRLS",
            "GRANT USAGE, CREATE ON SCHEMA odoo_shadow TO {role}",
            f"ALTER VIEW odoo_shadow.{ORDERS}_named OWNER TO {{role}}",
            role=role,
        )
        with ShadowDatabase.from_url(restricted) as shadow:
            (problem,) = update_for_readers(shadow)
            assert f"The view odoo_shadow.{ORDERS}_named belongs to the role '{role}'" in problem
            assert findings(shadow) == [f"PROBLEM {problem}"]
            run_as_owner(restricted, f"ALTER VIEW odoo_shadow.{ORDERS}_named OWNER TO postgres")
            assert update_for_readers(shadow) == () and findings(shadow) == []


def test_views_of_others_that_show_all_rows_are_named(restricted: str, caplog: pytest.LogCaptureFixture) -> None:
    run_as_owner(
        restricted,
        "CREATE SCHEMA bi",
        f"CREATE VIEW bi.mine AS TABLE public.{ORDERS}",
        "CREATE VIEW bi.careful WITH (security_invoker = true) AS SELECT * FROM bi.mine",
        f"CREATE MATERIALIZED VIEW bi.copy AS TABLE odoo_shadow.{ORDERS}",
        f"CREATE VIEW bi.private AS TABLE odoo_shadow.{ORDERS}",
        "CREATE VIEW bi.countries AS SELECT * FROM odoo_shadow.odoo_shadow_res_country",
        "GRANT SELECT ON bi.careful, bi.copy, bi.countries TO authenticated",
        "GRANT SELECT (id) ON bi.mine TO authenticated",
    )
    with ShadowDatabase.from_url(restricted) as shadow, caplog.at_level(logging.WARNING):
        assert update_for_readers(shadow) == ()
        (finding,) = findings(shadow)
    assert "bi.copy, bi.mine show the rows of all companies" in caplog.text
    assert finding.startswith("WARNING bi.copy, bi.mine: readers see")
