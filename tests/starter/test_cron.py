"""Supabase cron: the job posts to the function, and fails with one sentence when that is not well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import psycopg
import pytest

from odoo_shadow.shadow.ddl_files import base_migration
from odoo_shadow.starter.cron_job import cron_piece
from tests.support.raw_server import RawServer, Reply
from tests.support.roles import as_role, new_role
from tests.support.supabase import add_extensions, pg_net, run_job
from tests.support.vault import store_secrets

pytestmark = pytest.mark.one_flavour

JOB = "odoo_shadow_sync"
KEY = "service-key-that-nobody-guesses"


@pytest.fixture
def project(database: str) -> str:
    """A database with the migrations of `init supabase`, and without secrets."""
    add_extensions(database)
    with psycopg.connect(database) as connection:
        connection.execute(base_migration("odoo_shadow").encode())
        connection.execute(cron_piece("odoo_shadow", "0 */4 * * *").statements.encode())
    return database


@pytest.fixture
def function(project: str) -> Iterator[RawServer]:
    """What stands where the Edge Function would be; it says 202."""
    with RawServer() as server, pg_net(project):
        server.everything = lambda _: Reply(202, json.dumps({"run_id": "manual__1"}))
        store_secrets(project, SUPABASE_URL=f"{server.url}/", SUPABASE_SERVICE_KEY=f"{KEY}\n")
        yield server


def test_the_job_posts_once_with_the_key_from_vault(project: str, function: RawServer) -> None:
    assert run_job(project, JOB) is None
    (request,) = function.requests
    assert (request.method, request.path) == ("POST", "/functions/v1/ops-job-worker")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    document = json.loads(request.body)
    assert document["job_slug"] == "sync_odoo_shadow"
    assert re.fullmatch(r"cron-sync_odoo_shadow-\d{8}T\d{4}Z", document["idempotency_key"])
    with psycopg.connect(project) as connection:
        kept = connection.execute("SELECT command FROM cron.job UNION ALL SELECT prosrc FROM pg_proc").fetchall()
    assert not [text for (text,) in kept if KEY in text]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(200, '{"run_id": "manual__1"}'), None),
        (Reply(409, '{"error": "another run is active"}'), None),
        (Reply(401, '{"error": "the key is wrong"}'), 'ops-job-worker answered 401: {"error": "the key is wrong"}'),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), "ops-job-worker answered 302: "),
        (Reply(502, "x" * 10_000), f"ops-job-worker answered 502: {'x' * 500}"),
        (Reply(raw=b"", close=True), "ops-job-worker gave no answer: "),
    ],
)
def test_the_answer_decides_how_the_job_ends(project: str, function: RawServer, reply: Reply, said: str | None) -> None:
    function.everything = lambda _: reply
    error = run_job(project, JOB)
    if said is None:
        assert error is None
    else:
        assert error is not None and error.startswith(said) and KEY not in error
        assert len(error) < 600  # what a server says is bounded


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ({}, "Vault has no secret SUPABASE_URL"),
        ({"SUPABASE_URL": "https://x.example.com"}, "Vault has no secret SUPABASE_SERVICE_KEY"),
        ({"https://x.example.com": "SUPABASE_URL"}, "Vault has SUPABASE_URL as a value: name and value are swapped"),
        ({"SUPABASE_URL": "  "}, "Vault has no secret SUPABASE_URL"),
        ({"SUPABASE_URL": "http://erp.example.com"}, "The secret SUPABASE_URL must be the address of the project"),
        ({"SUPABASE_URL": "https://x.example.com@evil/a"}, "The secret SUPABASE_URL must be the address"),
    ],
)
def test_what_is_missing_is_told_in_one_sentence(project: str, secrets: dict[str, str], said: str) -> None:
    store_secrets(project, **secrets)
    error = run_job(project, JOB)
    assert error is not None and error.startswith(said)
    with psycopg.connect(project) as connection:
        assert connection.execute("SELECT count(*) FROM net.http_request_queue").fetchone() == (0,)


@pytest.mark.parametrize(("schema", "said"), [("vault", "Vault is missing"), ("net", "pg_net is missing")])
def test_an_extension_that_went_is_told(project: str, schema: str, said: str) -> None:
    with psycopg.connect(project) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
    error = run_job(project, JOB)
    assert error is not None and error.startswith(said)


@pytest.mark.attack
def test_no_other_role_gets_the_key(project: str, function: RawServer) -> None:
    with new_role(project) as role, psycopg.connect(as_role(project, role), autocommit=True) as connection:
        for call in ("vault_secret('SUPABASE_SERVICE_KEY')", "post_job('x')", "check_answer(1)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT odoo_shadow_internal.{call}".encode())
    with psycopg.connect(project) as connection:
        rows = connection.execute(
            "SELECT proname, proconfig, proacl::text FROM pg_proc"
            " WHERE pronamespace = 'odoo_shadow_internal'::regnamespace"
            " AND proname IN ('vault_secret', 'post_job', 'check_answer')"
        ).fetchall()
    assert len(rows) == 3
    for _, settings, rights in rows:
        assert settings == ['search_path=""'] and "=X" not in rights.split("postgres=X")[0]
