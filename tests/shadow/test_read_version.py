"""`odoo_shadow_read_version`: the same as long as a caller gets the same rows."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import make_table, merge, row

ORDERS, LINES = "odoo_shadow_sale_order", "odoo_shadow_sale_order_line"


@pytest.fixture
def role(database: str, shadow: ShadowDatabase) -> Iterator[str]:
    """A role that may read two tables."""
    for model in ("sale.order", "sale.order.line", "res.partner"):
        make_table(shadow, model)
    with new_role(database) as name:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON odoo_shadow.odoo_shadow_meta, odoo_shadow.odoo_shadow_sale_order,"
            " odoo_shadow.odoo_shadow_sale_order_line, odoo_shadow.odoo_shadow_company_access TO {role}",
            role=name,
        )
        yield name


def version(database: str, role: str, *tables: str | None, schema: str = "public") -> str | None:
    with psycopg.connect(as_role(database, role)) as connection:
        query = f"SELECT {schema}.odoo_shadow_read_version(%s::text[])"
        ((found,),) = connection.execute(query.encode(), (list(tables),)).fetchall()
    return None if found is None else str(found)


def test_it_changes_with_the_rows_and_only_with_them(database: str, shadow: ShadowDatabase, role: str) -> None:
    merge(shadow, ORDERS, row(1, "one"))
    first = version(database, role, ORDERS)
    assert first is not None and len(first) == 32
    assert version(database, role, ORDERS, schema="odoo_shadow") == first == version(database, role, ORDERS, ORDERS)
    merge(shadow, ORDERS, row(1, "one"))
    merge(shadow, LINES, row(1, "a line"))
    assert version(database, role, ORDERS) == first
    both = version(database, role, ORDERS, LINES)
    assert both not in (None, first)
    merge(shadow, ORDERS, row(1, "two"))
    assert len({first, both, version(database, role, ORDERS), version(database, role, LINES, ORDERS)}) == 4


def test_it_says_nothing_of_what_the_caller_may_not_read(database: str, shadow: ShadowDatabase, role: str) -> None:
    for tables in (
        ("odoo_shadow_res_partner",),
        (ORDERS, "odoo_shadow_res_partner"),
        (ORDERS, "unknown"),
        (ORDERS, "odoo_shadow_meta"),
        (ORDERS, None),
        (),
        (*map(str, range(101)),),
        ("'; DROP TABLE odoo_shadow.odoo_shadow_meta; --",),
    ):
        assert version(database, role, *tables) is None, tables
    with psycopg.connect(as_role(database, role)) as connection:
        assert connection.execute("SELECT public.odoo_shadow_read_version(NULL)").fetchall() == [(None,)]
    run_as_owner(database, "REVOKE SELECT ON odoo_shadow.odoo_shadow_sale_order FROM {role}", role=role)
    assert version(database, role, ORDERS) is None
    run_as_owner(database, "REVOKE SELECT ON odoo_shadow.odoo_shadow_meta FROM {role}", role=role)
    assert version(database, role, LINES) is None
    with new_role(database) as nobody, pytest.raises(psycopg.errors.InsufficientPrivilege):
        version(database, nobody, LINES)


def test_it_is_of_the_callers_companies_and_of_all_that_policies_look_at(
    database: str, shadow: ShadowDatabase, role: str
) -> None:
    merge(shadow, ORDERS, row(1, "1"), row(2, "2"))
    merge(shadow, LINES, row(1, "of order 1"), row(2, "of order 2"))
    run_as_owner(
        database,
        "ALTER TABLE odoo_shadow.odoo_shadow_sale_order ENABLE ROW LEVEL SECURITY",
        "DROP POLICY IF EXISTS odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order",
        "CREATE POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order FOR SELECT"
        " USING (name::bigint = ANY ((SELECT odoo_shadow.odoo_shadow_companies())::bigint[]))",
        "ALTER TABLE odoo_shadow.odoo_shadow_sale_order_line ENABLE ROW LEVEL SECURITY",
        "DROP POLICY IF EXISTS odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order_line",
        "CREATE POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order_line FOR SELECT"
        " USING (EXISTS (SELECT FROM odoo_shadow.odoo_shadow_sale_order o"
        " WHERE o.id = odoo_shadow_sale_order_line.id))",
    )
    without = version(database, role, LINES)
    add = "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) SELECT %s, %s"
    with psycopg.connect(database, autocommit=True) as connection, new_role(database) as other:
        connection.execute("GRANT ALL ON SCHEMA odoo_shadow TO PUBLIC")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO PUBLIC")
        connection.execute(add, (role, 1))
        connection.execute(add, (other, 2))
        seen = [version(database, role, LINES), version(database, other, LINES)]
        assert None not in seen and len({without, *seen}) == 3
        # A line of which nothing changes is shown, since its order now is of another company.
        merge(shadow, ORDERS, row(2, "1"))
        seen.append(version(database, role, LINES))
        connection.execute(add, (role, 2))
        seen.append(version(database, role, LINES))
        connection.execute("ALTER POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order USING (true)")
        seen.append(version(database, role, LINES))
        assert None not in seen and len({without, *seen}) == 6
        connection.execute("REVOKE ALL ON SCHEMA odoo_shadow FROM PUBLIC")


def test_where_somebodys_own_policy_decides_it_says_nothing(database: str, shadow: ShadowDatabase, role: str) -> None:
    merge(shadow, ORDERS, row(1, "1"))
    run_as_owner(database, "ALTER TABLE odoo_shadow.odoo_shadow_sale_order ENABLE ROW LEVEL SECURITY")
    assert version(database, role, ORDERS) is not None
    run_as_owner(
        database,
        "CREATE POLICY own ON odoo_shadow.odoo_shadow_sale_order FOR SELECT"
        " USING (name = current_setting('my.region', true))",
    )
    assert version(database, role, ORDERS) is None
    run_as_owner(
        database,
        "DROP POLICY own ON odoo_shadow.odoo_shadow_sale_order",
        "CREATE TABLE public.team (id bigint)",
        "DROP POLICY IF EXISTS odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order",
        "CREATE POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order FOR SELECT"
        " USING (id IN (SELECT id FROM public.team))",
    )
    assert version(database, role, ORDERS) is None
