"""Stand-ins for Supabase's extensions, in SQL (`supabase.sql`), and what runs behind them: a job, pg_net's worker.

Statements and requests are real: jobs run in PostgreSQL, requests go over HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import requests
from psycopg.types.json import Jsonb

from tests.support.vault import make_vault

_STAND_IN = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def add_extensions(database: str) -> None:
    """Make the stand-ins of pg_cron, pg_net and supabase_vault."""
    make_vault(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_STAND_IN.encode())


def run_job(database: str, name: str) -> str | None:
    """Run a job's command as pg_cron does; return the message of its error, as `cron.job_run_details` has it."""
    with psycopg.connect(database, autocommit=True) as connection:
        found = connection.execute("SELECT command FROM cron.job WHERE jobname = %s", [name]).fetchone()
        assert found is not None
        try:
            connection.execute(found[0].encode())
        except psycopg.Error as error:
            return error.diag.message_primary
    return None


@contextmanager
def pg_net(database: str) -> Iterator[None]:
    """Send what is queued, once the transaction that queued it is committed."""
    stop = threading.Event()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("LISTEN net_wake")
        worker = threading.Thread(target=_work, args=(connection, stop), daemon=True)
        worker.start()
        try:
            yield
        finally:
            stop.set()
            worker.join()


def _work(connection: psycopg.Connection[tuple[object, ...]], stop: threading.Event) -> None:
    while not stop.is_set():
        if not list(connection.notifies(timeout=0.05, stop_after=1)):
            continue
        queued = connection.execute(
            "DELETE FROM net.http_request_queue"
            " RETURNING id, method, url, headers, convert_from(body, 'UTF8'), timeout_milliseconds"
        ).fetchall()
        for number, method, url, headers, body, milliseconds in queued:
            answer = _sent(str(method), str(url), headers, str(body), float(str(milliseconds)) / 1000)
            connection.execute(
                "INSERT INTO net._http_response (id, status_code, content, headers, error_msg)"
                " VALUES (%s, %s, %s, %s, %s)",
                [number, *answer],
            )


def _sent(method: str, url: str, headers: object, body: str, seconds: float) -> tuple[object, ...]:
    given = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    try:
        answer = requests.request(
            method, url, headers=given, data=body.encode(), timeout=seconds, allow_redirects=False
        )
    except requests.RequestException as error:
        return None, None, None, str(error)
    return answer.status_code, answer.text, Jsonb(dict(answer.headers)), None
