"""What clients and whoever runs the server are told when the database or the endpoint fails; the next request works."""

from __future__ import annotations

import json
import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.knowledge.embedding import openai
from odoo_shadow.knowledge.mcp import search as searching
from odoo_shadow.knowledge.search.ask import Question, ask
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowConfigurationError
from tests.support import stored_documents
from tests.support.embeddings import DIMENSIONS, KEY, NAME, endpoint
from tests.support.mcp_site import Asking, Site, asking, http_server, in_process, over_http
from tests.support.pgbouncer import PROGRAM, pgbouncer
from tests.support.raw_server import Reply, Request
from tests.support.roles import new_role
from tests.support.stored_documents import Stored, has_pgvector, open_search, store

pytestmark = pytest.mark.one_flavour

LONG = "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b"


_END: LiteralString = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'odoo-shadow' AND query LIKE 'DO %' AND state = 'active'"
)


def works(client: Asking) -> bool:
    return bool(client.query("SELECT count(*) FROM odoo_shadow_res_partner").json["rows"] == [[3]])


def end_sessions(site: Site) -> None:
    """End what the server's login does, once it does something."""
    ended = False
    while not ended:
        ended = bool(site.as_owner(_END))
        time.sleep(0.05)


def test_a_lost_connection_is_not_the_statements_fault_and_whoever_runs_the_server_learns_of_it(site: Site) -> None:
    with http_server(site) as served:
        with asking(over_http(served.url)) as client, ThreadPoolExecutor() as pool:
            answer = pool.submit(client.query, LONG)
            end_sessions(site)
            told = answer.result()
            assert told.is_error and "refuses the statement" not in told.text
            assert "the connection was lost" in told.text and "try again" in told.text
            assert works(client)
        outcome = served.stop(signal.SIGTERM)
    assert "query could not be answered: Shadow database 'SUPABASE_DB_URL': the connection was lost" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_login_that_loses_its_rights_is_told_which_it_needs(site: Site) -> None:
    with in_process(site) as client:
        assert works(client)
        site.as_owner("REVOKE odoo_shadow_reader FROM {role}", role=site.role)
        try:
            told = [client.call(tool).text for tool in ("describe", "freshness")]
        finally:
            site.as_owner("GRANT odoo_shadow_reader TO {role}", role=site.role)
        assert works(client)
    assert all(f"let it: GRANT odoo_shadow_reader TO {site.role}" in text and "CREATE" not in text for text in told)


def test_a_failing_endpoint_leaves_searches_by_words(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if not has_pgvector(site.owner):
        pytest.skip("this PostgreSQL has no pgvector")
    monkeypatch.setattr(stored_documents, "MODEL", NAME)
    with ShadowDatabase.from_url(site.owner) as shadow:
        open_search(shadow)
        store(shadow, Stored("x.trouble", 1, "A lighthouse", vector=[1.0] * DIMENSIONS))
    monkeypatch.setattr(searching, "_TURN", 0.01)
    monkeypatch.setattr(openai, "_OF_A_QUESTION", openai._Patience(2, 0.0, 0.3))
    caplog.set_level(logging.WARNING, "odoo_shadow")

    def ask_once(client: Asking) -> str:
        found = client.call("search", question="lighthouse").json
        assert [item["odoo_id"] for item in found["found"] if item["odoo_model"] == "x.trouble"] == [1]
        return str(found.get("by_words_because"))

    with endpoint() as there, in_process(site, there.embedder()) as client:
        assert ask_once(client) == "None"
        wrong_key = json.dumps({"error": {"message": f"wrong key {KEY}"}})
        there.server.everything = lambda _: Reply(status=401, body=wrong_key)
        said = ask_once(client)
        assert "refuses the key (HTTP 401): correct EMBEDDINGS_API_KEY" in said and KEY not in said
        assert "refuses the key" in caplog.text and KEY not in caplog.text

        reached, done, before = Event(), Event(), len(there.server.requests)

        def hang(request: Request) -> Reply:
            reached.set()
            done.wait(30)
            return there.reply(request)

        there.server.everything = hang
        with searching._one_at_a_time:  # another question's vector is waited for
            assert "it takes long to make those of other questions" in ask_once(client)
        assert not reached.is_set()
        assert "did not answer within 0.3 s" in ask_once(client)
        assert len(there.server.requests) == before + 1  # who asks does not wait for a second try
        done.set()
        there.server.everything = there.reply
        assert ask_once(client) == "None"


@pytest.mark.pgbouncer
@pytest.mark.skipif(PROGRAM is None, reason="the program pgbouncer is not installed (Debian: apt install pgbouncer)")
def test_two_logins_share_a_pooler_and_what_others_leave_in_its_sessions_does_no_harm(site: Site) -> None:
    with new_role(site.owner) as other:
        site.as_owner("GRANT odoo_shadow_reader TO {role}", role=other)
        with pgbouncer(site.owner, 1, roles=(site.role, other)) as url:
            sites = [Site(site.owner, url.replace("postgres@", f"{role}@"), role) for role in (site.role, other)]
            for item in sites:
                leave_settings(item.reader)
            with in_process(sites[0]) as first, in_process(sites[1]) as second, ThreadPoolExecutor() as pool:
                asked = [pool.submit(works, client) for client in (first, second) * 4]
                assert all(future.result() for future in asked)
                for client in (first, second):
                    found = client.query("SELECT _odoo_write_date, 1.1::float8 / 3 FROM odoo_shadow_res_partner").json
                    assert found["rows"][0] == ["2024-02-29 12:00:00+00", 0.3666666666666667]
        with pgbouncer(site.owner, 1) as url:  # which connects as a superuser, whoever asks
            text = refusal(Site(site.owner, url.replace("postgres@", f"{site.role}@"), site.role))
            assert "'postgres' is a superuser" in text
        with (
            pgbouncer(site.owner, 1, mode="statement") as url,
            ShadowDatabase.from_url(url) as shadow,
            pytest.raises(ShadowConfigurationError, match="let it pool by transactions or sessions"),
        ):
            ask(shadow, Question("Azure"), None)


def leave_settings(url: str) -> None:
    """Change a session's settings, as careless clients of a pooler do."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for setting in (
            "search_path = nowhere",
            "timezone = 'Asia/Tokyo'",
            "extra_float_digits = -5",
            "datestyle = German",
        ):
            connection.execute(f"SET {setting}".encode())
        connection.execute("SET row_security = off")
        connection.execute("SET statement_timeout = 1")


def refusal(site: Site) -> str:
    with in_process(site) as client:
        answer = client.call("describe")
    assert answer.is_error
    return answer.text
