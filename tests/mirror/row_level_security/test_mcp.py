"""A language model whose login has one company learns nothing of another's: not by rows, counts, figures or errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy

import psycopg
import pytest

from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.companies import ONE, TWO, caller, sync
from tests.support.documents import refresh
from tests.support.mcp_site import Answer, Asking, Site, in_process
from tests.support.memory_source import MemorySource
from tests.support.roles import as_role, new_role, run_as_owner
from tools.embedded_postgres import drop_database, new_database

pytestmark = [pytest.mark.attack, pytest.mark.one_flavour]

MORE = 41
"""Orders that only company Two has."""
TEMPLATES: dict[str, dict[str, object]] = {
    "res.partner": {"title": ["name"], "fields": ["company_id", "country_id"]},
    "sale.order": {"title": ["name"], "fields": ["partner_id", "company_id"]},
    "res.country": {"title": ["name"]},
}
COUNTING = (
    "SELECT row_count FROM odoo_shadow_meta",
    "SELECT rows_synced FROM odoo_shadow.odoo_shadow_watermark",
    "WITH q AS (SELECT * FROM odoo_shadow_sync_log) SELECT rows_inserted FROM q",
    "SELECT 1 WHERE (SELECT max(document_count) FROM odoo_shadow_document_model) > 40",
    "SELECT rows_compared FROM odoo_shadow_verification",
)
ASKED: tuple[tuple[str, dict[str, object]], ...] = (
    ("describe", {}),
    ("describe", {"name": "sale.order"}),
    ("describe", {"name": "odoo_shadow_sale_order_named"}),
    ("describe", {"matching": "zebra"}),
    ("freshness", {}),
    ("freshness", {"models": ["sale.order"]}),
    ("search", {"question": "zebra"}),
    ("search", {"question": "Partner", "company_ids": [TWO], "limit": 50}),
    *(
        ("query", {"sql": statement, "limit": 1000})
        for statement in (
            "SELECT * FROM odoo_shadow_sale_order_named",
            "SELECT * FROM odoo_shadow_res_partner",
            "SELECT * FROM odoo_shadow_res_company",
            "SELECT title, body FROM odoo_shadow_stored_document",
            "SELECT count(*), max(id) FROM odoo_shadow_sale_order",
            "SELECT count(*), max(odoo_id) FROM odoo_shadow_document WHERE odoo_model = 'sale.order'",
            "SELECT title, score FROM odoo_shadow_search('zebra')",
            "SELECT count(*) FROM odoo_shadow_search('zebra', NULL, 200)",
            # An error that a hidden row would make.
            "SELECT name::int FROM odoo_shadow_sale_order WHERE id > 3 AND name::int > 0",
            "SELECT 1 / (id - 7) FROM odoo_shadow_sale_order",
            *COUNTING,
        )
    ),
)


@pytest.fixture(scope="module")
def mirrored(server: str, project: tuple[str, MemorySource]) -> Iterator[tuple[str, MemorySource]]:
    """The URL of a database in which company Two has far more, and its Odoo."""
    url, odoo = new_database(server, template=project[0]), deepcopy(project[1])
    odoo.create("sale.order", MORE, name="A zebra", company_id=TWO, partner_id=TWO)
    with ShadowDatabase.from_url(url) as shadow:
        assert sync(odoo, shadow) == ()
        refresh(shadow, TEMPLATES)
    yield url, odoo
    drop_database(server, url)


@pytest.fixture(scope="module")
def clients(mirrored: tuple[str, MemorySource]) -> Iterator[dict[tuple[int, ...], Asking]]:
    """A client of a server of its own for each circle of people, by their companies."""
    url = mirrored[0]
    with ExitStack() as stack:
        yield {companies: stack.enter_context(in_process(_site(stack, url, companies))) for companies in ((ONE,), ())}


def _site(stack: ExitStack, url: str, companies: tuple[int, ...]) -> Site:
    role = stack.enter_context(new_role(url))
    run_as_owner(url, "GRANT odoo_shadow_reader TO {role}", role=role)
    with psycopg.connect(url, autocommit=True) as connection:
        for company in companies:
            connection.execute(
                "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES (%s, %s)",
                (role, company),
            )
    return Site(url, as_role(url, role), role)


def test_nothing_of_another_company_is_told(clients: dict[tuple[int, ...], Asking]) -> None:
    for companies, client in clients.items():
        for tool, arguments in ASKED:
            answer = client.call(tool, **arguments)
            told = answer.text.replace("'zebra'", "")  # what was asked for itself
            assert "zebra" not in told and "Partner of 2" not in told and '"Two"' not in told, (companies, arguments)
            assert str(MORE) not in _figures(answer) and str(MORE + 3) not in _figures(answer), (companies, arguments)
        assert client.query("SELECT count(*) FROM odoo_shadow_sale_order").json["rows"] == [[2 if companies else 0]]
        assert client.query("SELECT count(*) FROM odoo_shadow_res_country").json["rows"] == [[1]]


def _figures(answer: Answer) -> list[str]:
    """Return the numbers of an answer, without those of moments."""
    said = {name: value for name, value in json.loads(answer.text).items() if name not in {"now", "as_of"}}
    words = "".join(char if char.isalnum() or char in "-:" else " " for char in json.dumps(said)).split()
    return [word.strip(":-") for word in words]


def test_numbers_of_rows_are_told_where_all_are_seen(clients: dict[tuple[int, ...], Asking]) -> None:
    for client in clients.values():
        found = client.call("describe").json
        assert found["models"]["res.country"].endswith("1 rows") and "rows" not in found["models"]["sale.order"]
        assert "count those by query" in found["hints"]
        assert client.call("describe", name="res.country").json["rows"] == 1
        assert "rows" not in client.call("describe", name="sale.order").json
        for statement in COUNTING:
            refused = client.query(statement)
            assert refused.is_error and "counts rows that this login must not see" in refused.text, statement
        assert client.query("SELECT label FROM odoo_shadow_field LIMIT 1").json["rows"]


def test_where_no_row_is_restricted_all_are_counted(server: str, mirrored: tuple[str, MemorySource]) -> None:
    url, odoo = new_database(server, template=mirrored[0]), deepcopy(mirrored[1])
    try:
        with ShadowDatabase.from_url(url) as shadow:
            assert sync(odoo, shadow, mode=RowLevelSecurity.NONE) == ()
        with ExitStack() as stack:
            client = stack.enter_context(in_process(_site(stack, url, ())))
            found = client.call("describe").json
            assert f"{MORE + 3} rows" in found["models"]["sale.order"] and "by query" not in found["hints"]
            for statement in COUNTING:
                assert not client.query(statement).is_error, statement
    finally:
        drop_database(server, url)


# As PostgREST sends it: the body of a request is a record, which the function is called with.
BODY = """WITH pgrst_source AS (SELECT pgrst_call.* FROM (SELECT %s::json AS json_data) pgrst_payload,
    LATERAL (SELECT query, match_count, models, company_ids FROM json_to_record(pgrst_payload.json_data)
        AS _(query text, match_count integer, models text[], company_ids bigint[]) LIMIT 1) pgrst_body,
    LATERAL public.odoo_shadow_search(query := pgrst_body.query, match_count := pgrst_body.match_count,
        models := pgrst_body.models, company_ids := pgrst_body.company_ids) pgrst_call)
SELECT coalesce(json_agg(_postgrest_t.odoo_id ORDER BY odoo_id), '[]')::text FROM pgrst_source _postgrest_t"""


@pytest.mark.parametrize("role", ["authenticated", "odoo_shadow_reader"])
def test_postgrest_calls_the_search_for_whoever_asks(mirrored: tuple[str, MemorySource], role: str) -> None:
    url = mirrored[0]
    run_as_owner(url, "GRANT odoo_shadow_reader TO authenticator")
    try:
        asked = {"query": "sale.order", "match_count": 5, "models": ["sale.order"], "company_ids": [ONE, TWO]}
        for companies, expected in (([ONE], "[1, 3]"), ([TWO], "[2, 3]"), ([], "[]")):
            with caller(url, role, company_ids=companies) as user, user.transaction():
                user.prepare_threshold = 0
                user.execute("SET TRANSACTION READ ONLY")
                user.execute("SET LOCAL search_path TO public")
                assert user.execute(BODY, [json.dumps(asked)]).fetchall() == [(expected,)]
    finally:
        run_as_owner(url, "REVOKE odoo_shadow_reader FROM authenticator")
    with caller(url, "anon", company_ids=[ONE]) as user, pytest.raises(psycopg.errors.InsufficientPrivilege):
        user.execute("SELECT * FROM public.odoo_shadow_search(query => 'sale.order')")
