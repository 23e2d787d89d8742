"""`odoo-shadow marts verify`: the marts' figures against Odoo's own answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.json_reference import documented
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import Outcome, Shell, shell_for
from tools.embedded_postgres import drop_database, new_database

MODELS = (
    "--models",
    "account.move,account.move.line,account.account,sale.order,sale.order.line,product.product,product.template,uom.uom",
)
MARTS = (Path(__file__).parents[1] / "support" / "handmade_marts.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="proven19", copied=True) as running:
        yield running


@pytest.fixture(scope="module")
def shadow_url(postgres: str) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture(scope="module")
def mirrored(odoo: StandIn, shadow_url: str) -> Shell:
    shell = shell_for(odoo, shadow_url)
    outcome = shell.run("sync", *MODELS)
    assert outcome.code == 0, outcome.err
    return shell


@pytest.fixture
def built(mirrored: Shell, shadow_url: str) -> Iterator[Shell]:
    """Marts, as they are right after the sync."""
    with psycopg.connect(shadow_url, autocommit=True) as connection:
        connection.execute(MARTS.encode())
    yield mirrored
    with psycopg.connect(shadow_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA odoo_marts CASCADE")


def in_shadow(url: str, statement: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c search_path=odoo_marts,odoo_shadow") as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def verdicts(outcome: Outcome) -> dict[str, str]:
    rows = [[cell.strip() for cell in line.split("│")] for line in outcome.out.splitlines() if line.startswith("│")]
    return {row[1]: row[2] for row in rows}


def proof_of(shell: Shell, mart: str, code: int) -> dict[str, Any]:
    outcome = shell.run("marts", "verify", "--marts", mart, "--json")
    assert outcome.code == code, outcome.err
    (entry,) = json.loads(outcome.out)["marts"]
    assert isinstance(entry, dict)
    return entry


def test_figures_are_those_that_odoo_gives(built: Shell, shadow_url: str) -> None:
    outcome = built.run("marts", "verify", "--marts", "trial_balance,mart_receivables,invoices,stock")
    assert (outcome.code, outcome.err) == (0, "")
    assert verdicts(outcome) == {
        "mart_trial_balance": "equal",
        "mart_receivables": "equal",
        "mart_invoices": "equal",
        "mart_stock": "left out",
    }
    assert "mart_stock: left out: stock.quant is not mirrored\n" in outcome.out
    kept = in_shadow(
        shadow_url,
        "SELECT mart, verdict, figures_compared > 20 AND figures_compared = figures_equal, reason"
        " FROM odoo_shadow_mart_verification ORDER BY id DESC LIMIT 5",
    )
    assert kept[:2] == [
        ("mart_stock", "left out", False, "stock.quant is not mirrored"),
        ("mart_invoices", "equal", True, ""),
    ]


def test_what_only_a_report_tells_is_not_equal_without_it(built: Shell) -> None:
    """This Odoo has no analysis of sales: the lines are compared, but no amount in the company's currency."""
    found = proof_of(built, "sales", 1)
    assert (found["verdict"], found["differences"]) == ("not proven", [])
    assert found["reason"] == "amount_untaxed, quantity could not be compared, since this Odoo has no sale.report"
    assert found["not_asked"] == ["this Odoo has no sale.report"] * 3
    assert found["figures_compared"] == found["figures_equal"] > 20


def test_nothing_is_equal_unless_something_was_asked(built: Shell, shadow_url: str) -> None:
    in_shadow(
        shadow_url, "INSERT INTO mart_freshness VALUES ('mart_pipeline', now(), now()), ('mart_payables', now(), NULL)"
    )
    outcome = built.run("marts", "verify", "--marts", "pipeline,payables,purchases")
    assert outcome.code == 1
    assert verdicts(outcome) == dict.fromkeys(("mart_payables", "mart_purchases", "mart_pipeline"), "not proven")
    assert "mart_pipeline: not proven: this Odoo has no crm.lead" in outcome.out
    assert "mart_payables: not proven: it does not say as of when it is" in outcome.out
    assert "mart_purchases: not proven: it has not been built" in outcome.out


def test_a_figure_that_is_not_odoos_is_shown_with_the_rows_behind_it(built: Shell, shadow_url: str) -> None:
    ((move, company, month, before),) = in_shadow(
        shadow_url,
        "UPDATE mart_invoices SET amount_untaxed = amount_untaxed + 0.01 WHERE ctid = (SELECT ctid FROM mart_invoices"
        " WHERE move_type = 'in_invoice' ORDER BY move_id LIMIT 1) RETURNING move_id, company_id, month, move_type",
    )
    found = proof_of(built, "invoices", 1)
    assert found["verdict"] == "differs"
    by_month = found["differences"][0]
    assert (by_month["company_id"], by_month["key"]) == (company, {"month": month.isoformat(), "move_type": before})
    (figure,) = by_month["figures"]
    assert round(float(figure["mart"]) - float(figure["odoo"]), 4) == 0.01
    assert (by_month["rows"], by_month["differing"], by_month["newer"]) == ("account.move", [move], [])
    wrong = found["figures_compared"] - found["figures_equal"]
    assert wrong == sum(len(item["figures"]) for item in found["differences"]), "of a key that differs, not all figures"
    # By month, by partner, and by product: every question notices.
    assert len({item["comparison"] for item in found["differences"]}) == 3
    ((examples,),) = in_shadow(
        shadow_url, "SELECT examples FROM odoo_shadow_mart_verification ORDER BY id DESC LIMIT 1"
    )
    assert examples[0]["differing"] == [move]
    assert not re.search(re.escape(figure["odoo"]), json.dumps(examples)), "figures are for whoever may see the mart"


def test_a_sum_that_its_own_rows_do_not_give(built: Shell, shadow_url: str) -> None:
    in_shadow(
        shadow_url, "DELETE FROM mart_trial_balance WHERE account_id = (SELECT min(account_id) FROM mart_trial_balance)"
    )
    found = proof_of(built, "trial_balance", 1)
    assert found["verdict"] == "differs"
    assert all(figure["mart"] == "0" for item in found["differences"] for figure in item["figures"])


def test_what_odoo_has_written_since_is_newer_and_not_wrong(built: Shell, odoo: StandIn, shadow_url: str) -> None:
    ((item, account),) = in_shadow(
        shadow_url,
        "SELECT l.id, (SELECT max(account_id) FROM odoo_shadow_account_move_line WHERE company_id = l.company_id)"
        " FROM odoo_shadow_account_move_line l WHERE l.parent_state = 'posted' AND l.balance <> 0 ORDER BY 1 LIMIT 1",
    )
    odoo.execute("account.move.line", "write", [item], {"account_id": account})
    found = proof_of(built, "trial_balance", 0)
    assert found["verdict"] == "newer"
    assert {tuple(difference["newer"]) for difference in found["differences"]} == {(item,)}
    # One figure that is wrong besides is not excused by it.
    in_shadow(
        shadow_url,
        "UPDATE mart_trial_balance SET debit = debit + 1 WHERE ctid = (SELECT ctid FROM mart_trial_balance LIMIT 1)",
    )
    found = proof_of(built, "trial_balance", 1)
    assert found["verdict"] == "differs"


def test_what_is_too_little_to_see_in_a_row_is_seen_in_the_sum(built: Shell, shadow_url: str) -> None:
    in_shadow(
        shadow_url, "UPDATE mart_sales SET amount_untaxed_in_order_currency = amount_untaxed_in_order_currency + 0.004"
    )
    found = proof_of(built, "sales", 1)
    assert found["verdict"] == "differs" and found["differences"][0]["differing"] == []


def test_a_row_that_is_gone_and_a_mart_older_than_the_shadow(built: Shell, odoo: StandIn, shadow_url: str) -> None:
    ((line,),) = in_shadow(shadow_url, "SELECT max(line_id) FROM mart_sales")
    odoo.execute("sale.order.line", "unlink", [line])
    found = proof_of(built, "sales", 1)
    assert [line] in [item["gone"] for item in found["differences"]]
    in_shadow(shadow_url, "UPDATE mart_freshness SET built_at = built_at - interval '1 day'")
    found = proof_of(built, "sales", 1)
    assert (found["verdict"], found["reason"]) == (
        "not proven",
        "it was built before the last sync: run odoo-shadow marts build first",
    )


def test_companies_that_the_login_does_not_read(built: Shell, shadow_url: str) -> None:
    in_shadow(shadow_url, "UPDATE mart_invoices SET company_id = 77 WHERE company_id = 2")
    found = proof_of(built, "invoices", 1)
    assert found["verdict"] == "differs" and "the login does not read company 77" in found["reason"]


def test_status_and_doctor_tell_what_the_last_comparison_found(built: Shell, shadow_url: str) -> None:
    in_shadow(shadow_url, "TRUNCATE odoo_shadow_mart_verification")
    proof_of(built, "invoices", 0)
    # Of a mart of the same name in another schema there may be many outcomes: they do not push out this one's.
    in_shadow(
        shadow_url,
        "INSERT INTO odoo_shadow_mart_verification (run_id, marts_schema, mart, verdict, started_at, duration_ms,"
        " figures_compared, figures_equal) SELECT run_id, schema, mart, 'differs', started_at, 1, 2, 1 FROM"
        " odoo_shadow_mart_verification, (VALUES ('other'), (NULL)) s (schema), generate_series(1, 300)",
    )
    told = built.run("status")
    assert (told.code, told.err) == (0, "")
    assert "mart_stock is left out: stock.quant is not mirrored\n" in told.out
    document = json.loads(built.run("status", "--json").out)
    marts = {entry["mart"]: entry for entry in document["marts"]}
    assert set(marts["mart_invoices"]) == documented("### Marts of status")
    assert (marts["mart_invoices"]["verdict"], marts["mart_invoices"]["behind_seconds"]) == ("equal", 0)
    assert marts["mart_invoices"]["is_as_in_odoo"] and not marts["mart_sales"]["is_as_in_odoo"]
    assert marts["mart_stock"]["left_out_because"] == "stock.quant is not mirrored"
    in_shadow(shadow_url, "UPDATE mart_invoices SET quantity = quantity + 1 WHERE move_type = 'out_invoice'")
    proof_of(built, "invoices", 1)
    of_other = (
        "SELECT count(*) FROM odoo_shadow_mart_verification WHERE marts_schema = 'other' AND mart = 'mart_invoices'"
    )
    assert in_shadow(shadow_url, of_other) == [(300,)]
    told = built.run("status")
    assert told.code == 1 and told.err.startswith("mart_invoices differs from Odoo (")
    assert json.loads(built.run("status", "--json").out)["is_well"] is False
    doctor = built.run("doctor", "--models", "res.company", COLUMNS="300")
    assert doctor.code == 1 and "mart_invoices differs from Odoo" in doctor.out
    # Marts of the same names elsewhere have not been compared.
    in_shadow(shadow_url, "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.mart_freshness AS TABLE mart_freshness")
    try:
        document = json.loads(built.run("status", "--json").out)
    finally:
        in_shadow(shadow_url, "DROP SCHEMA elsewhere CASCADE")
    found = {entry["marts_schema"]: entry for entry in document["marts"] if entry["mart"] == "mart_invoices"}
    assert (found["odoo_marts"]["verdict"], found["elsewhere"]["verdict"]) == ("differs", None)


def test_odd_rows_and_many_schemas_hide_no_mart(built: Shell, shadow_url: str) -> None:
    proof_of(built, "invoices", 0)
    in_shadow(
        shadow_url,
        "CREATE SCHEMA aaa_odd; CREATE TABLE aaa_odd.mart_freshness AS SELECT 'mart_odd' AS mart, 'soon' AS built_at,"
        " 'infinity'::timestamptz AS as_of, 'many' AS row_count, 'odoo_shadow' AS shadow_schema,"
        ' \'{"odoo_shadow_sale_order": ["never"]}\'::jsonb AS made_of;'
        " UPDATE odoo_shadow_watermark SET last_write_date = last_write_date + interval '1 day'"
        " WHERE table_name = 'odoo_shadow_sale_order'; DO $$ BEGIN FOR n IN 1..101 LOOP EXECUTE format('CREATE SCHEMA"
        " aab_%s; CREATE TABLE aab_%s.mart_freshness (shadow_schema text)', n, n); END LOOP; END $$",
    )
    try:
        told = built.run("status", "--json")
        said = built.run("status").err
        doctor = built.run("doctor", "--models", "res.company", COLUMNS="300")
    finally:
        in_shadow(
            shadow_url,
            "UPDATE odoo_shadow_watermark SET last_write_date = last_write_date - interval '1 day' WHERE table_name ="
            " 'odoo_shadow_sale_order'; DROP SCHEMA aaa_odd CASCADE; DO $$ BEGIN FOR n IN 1..101 LOOP EXECUTE"
            " format('DROP SCHEMA aab_%s CASCADE', n); END LOOP; END $$",
        )
    assert told.code == 0, told.err
    document = json.loads(told.out)
    marts = {entry["mart"]: entry for entry in document["marts"]}
    odd = marts["mart_odd"]
    assert {odd[key] for key in ("built_at", "as_of", "rows", "behind_seconds", "verdict")} == {None}
    assert odd["problems"][0].startswith("mart_odd does not say as of when it is")
    # One table stands still as the earliest; another has advanced.
    assert (marts["mart_invoices"]["behind_seconds"], marts["mart_invoices"]["is_as_in_odoo"]) == (86_400, True)
    assert document["more_marts_schemas"] == 3
    in_shadow(shadow_url, "UPDATE mart_freshness SET as_of = NULL")
    marts = {entry["mart"]: entry for entry in json.loads(built.run("status", "--json").out)["marts"]}
    assert (marts["mart_invoices"]["verdict"], marts["mart_invoices"]["is_as_in_odoo"]) == ("equal", False)
    assert "3 more schemas of marts were not read" in said and "3 more schemas of marts were not read" in doctor.out


def test_marts_of_others_or_without_rights_are_not_read(built: Shell, shadow_url: str) -> None:
    """Whoever reads a table runs the policies that its owner has put on it."""
    with new_role(shadow_url) as mallory:
        in_shadow(shadow_url, "DROP TABLE mart_freshness")
        run_as_owner(
            shadow_url,
            "CREATE SCHEMA evil AUTHORIZATION {mallory}; GRANT USAGE ON SCHEMA evil TO PUBLIC;"
            " SET ROLE {mallory}; CREATE TABLE evil.mart_freshness AS SELECT 'mart_x' AS mart,"
            " 'odoo_shadow' AS shadow_schema; GRANT SELECT ON evil.mart_freshness TO"
            " PUBLIC; RESET ROLE",
            mallory=mallory,
        )
        document = json.loads(built.run("status", "--json").out)
        refused = built.run("marts", "verify", "--marts-schema", "evil")
        run_as_owner(shadow_url, "GRANT USAGE ON SCHEMA odoo_shadow TO {mallory}", mallory=mallory)
        run_as_owner(shadow_url, "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {mallory}", mallory=mallory)
        in_shadow(shadow_url, "CREATE TABLE mart_freshness AS SELECT 'mart_y' AS mart, 'odoo_shadow' AS shadow_schema")
        of_reader = built.run("status", "--json", SUPABASE_DB_URL=as_role(shadow_url, mallory))
        run_as_owner(shadow_url, "DROP OWNED BY {mallory} CASCADE", mallory=mallory)
    assert document["marts"] == []
    assert refused.code == 2 and "contains what other roles own or control" in refused.last_error
    # Their own they may read; those of the sync's role they have no right to.
    assert (of_reader.code, [entry["mart"] for entry in json.loads(of_reader.out)["marts"]]) == (0, ["mart_x"])


def test_marts_of_another_shadow_are_not_compared(built: Shell, shadow_url: str) -> None:
    in_shadow(shadow_url, "UPDATE mart_freshness SET shadow_schema = 'odoo_eighteen' WHERE mart = 'mart_sales'")
    outcome = built.run("marts", "verify")
    assert (outcome.code, outcome.last_error) == (
        2,
        "Error: Schema 'odoo_marts' holds the marts of the shadow in schema 'odoo_eighteen', not of 'odoo_shadow': "
        "name a schema of its own for these (--marts-schema), or drop 'odoo_marts' if nobody needs what is there.",
    )


def test_every_key_is_documented(built: Shell, shadow_url: str) -> None:
    in_shadow(shadow_url, "DELETE FROM mart_invoices WHERE move_type = 'out_invoice'")
    document = json.loads(built.run("marts", "verify", "--marts", "invoices", "--json").out)
    assert set(document) == documented("## marts verify")
    (entry,) = document["marts"]
    assert set(entry) == documented("### Entries of marts verify")
    difference = entry["differences"][0]
    assert set(difference) == documented("### Differences of marts verify")
    assert set(difference["figures"][0]) == {"name", "odoo", "mart"}


def test_wrong_usage(built: Shell, mirrored: Shell, shadow_url: str) -> None:
    outcome = built.run("marts", "verify", "--marts", "sale")
    assert (outcome.code, outcome.last_error) == (2, "Error: There is no mart 'sale' (did you mean mart_sales?).")
    outcome = built.run("marts", "verify", "--time-zone", "Europe/Brüssel")
    assert outcome.code == 2 and "there is no time zone 'Europe/Brüssel' (did you mean" in outcome.err
    in_shadow(shadow_url, "DROP TABLE mart_freshness")
    outcome = mirrored.run("marts", "verify")
    assert (outcome.code, outcome.last_error) == (
        2,
        "Error: Schema 'odoo_marts' has no marts: run odoo-shadow marts build first.",
    )
