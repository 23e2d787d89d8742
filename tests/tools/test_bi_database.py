"""What the dashboards take from a database: marts that the login may read, and nobody else's code or secrets."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.roles import as_role, new_role, run_as_owner
from tools.bi_assets import fit, read_assets
from tools.bi_database import as_reader, make_reader, read_marts, sqlalchemy_url
from tools.trouble import ToolError

SCHEMA = (
    "CREATE SCHEMA odoo_marts",
    "CREATE TABLE odoo_marts.mart_freshness (mart text, left_out_because text)",
    "INSERT INTO odoo_marts.mart_freshness VALUES ('mart_stock', 'stock.quant is not mirrored')",
    "CREATE TABLE odoo_marts.mart_sales (id int)",
    "CREATE TABLE odoo_marts.mart_invoices (id int)",
)
MARTS = ("mart_sales", "mart_invoices", "mart_stock")


def test_a_reader_is_told_what_is_left_out_and_what_it_may_not_read(database: str) -> None:
    run_as_owner(database, *SCHEMA)
    with new_role(database) as reader:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_marts TO {reader}",
            "GRANT SELECT ON odoo_marts.mart_freshness, odoo_marts.mart_sales TO {reader}",
            reader=reader,
        )
        found = read_marts(as_role(database, reader), "odoo_marts", MARTS)
    assert found.left_out == {
        "mart_invoices": "this login cannot read it",
        "mart_stock": "stock.quant is not mirrored",
    }
    assert not found.can_write
    assert read_marts(database, "odoo_marts", MARTS).can_write


def test_who_may_create_in_the_database_reads_nobody_elses_tables_and_no_views(database: str) -> None:
    run_as_owner(database, *SCHEMA)
    with new_role(database) as other:
        run_as_owner(database, "ALTER TABLE odoo_marts.mart_sales OWNER TO {other}", other=other)
        run_as_owner(database, "DROP TABLE odoo_marts.mart_invoices")
        run_as_owner(database, "CREATE VIEW odoo_marts.mart_invoices AS SELECT 1 AS id")
        assert set(read_marts(database, "odoo_marts", MARTS).left_out) == set(MARTS)
        run_as_owner(database, "ALTER TABLE odoo_marts.mart_freshness OWNER TO {other}", other=other)
        with pytest.raises(ToolError, match="may create in the database reads its own tables only"):
            read_marts(database, "odoo_marts", MARTS)
        with psycopg.connect(database) as connection:
            connection.execute("DROP SCHEMA odoo_marts CASCADE")


def test_the_demos_login_may_only_read(database: str) -> None:
    run_as_owner(database, *SCHEMA)
    with psycopg.connect(database) as connection:
        is_new = not connection.execute("SELECT FROM pg_roles WHERE rolname = 'odoo_shadow_reader'").fetchall()
    make_reader(database)
    make_reader(database)
    run_as_owner(
        database,
        "GRANT USAGE ON SCHEMA odoo_marts TO odoo_shadow_reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_marts TO odoo_shadow_reader",
    )
    url = as_reader(database)
    try:
        assert not read_marts(url, "odoo_marts", MARTS).can_write
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM odoo_marts.mart_sales")
    finally:
        run_as_owner(database, "DROP ROLE odoo_shadow_dashboards", "DROP OWNED BY odoo_shadow_reader")
        if is_new:
            run_as_owner(database, "DROP ROLE odoo_shadow_reader")


@pytest.mark.parametrize("secret", ["sslpassword=hidden", "passfile=/home/me/.pgpass"])
def test_no_secret_but_the_password_gets_into_an_address(secret: str) -> None:
    with pytest.raises(ToolError, match=secret.partition("=")[0]) as refused:
        sqlalchemy_url(f"postgresql://me@127.0.0.1/erp?{secret}", hide_password=True)
    assert "hidden" not in str(refused.value)


def test_a_role_in_the_address_holds_for_every_chart() -> None:
    url = sqlalchemy_url("postgresql://me@127.0.0.1/erp?options=-c%20role%3Ddashboards")
    extra = fit(read_assets(), url=url)["databases/odoo_shadow.yaml"]["extra"]
    options = extra["engine_params"]["connect_args"]["options"]
    assert options == "-c role=dashboards -c default_transaction_read_only=on -c statement_timeout=60000"
