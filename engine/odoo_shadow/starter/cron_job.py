"""The migration by which Supabase cron starts the sync: pg_cron, then pg_net, then the Edge Function."""

from __future__ import annotations

import re
from importlib.resources import files

from psycopg import sql

from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.starter.migrations import Piece

SYNC = "sync_odoo_shadow"
"""The job of the Edge Function that a schedule starts."""

_TEMPLATE = files("odoo_shadow.starter") / "supabase" / "cron.sql"
_BODY = re.compile(r"\$body\$(.*?)\$body\$", re.DOTALL)
_NAME = re.compile(r"\{(\w+)\}")
# pg_net sends a request once its transaction is committed; so the job commits before it waits for the answer.
_COMMAND = """
DO $job$
DECLARE
    request bigint;
BEGIN
    request := {internal}.post_job('{job_slug}');
    COMMIT;
    PERFORM {internal}.check_answer(request);
END
$job$;
"""


def cron_piece(schema: str, schedule: str) -> Piece:
    """Return the migration that schedules the sync of a mirror.

    :param schedule: a cron expression; pg_cron takes it as UTC.
    """
    internal = sql.Identifier(internal_schema(schema)).as_string()
    names = {
        "about": f"schema {schema}, {schedule} (UTC)",
        "internal": internal,
        "job": _literal(job_name(schema)),
        "schedule": _literal(schedule),
        "command": _literal(_filled(_COMMAND, {"internal": internal, "job_slug": SYNC}).strip()),
    }
    pieces = _BODY.split(_TEMPLATE.read_text(encoding="utf-8"))  # every second one is a body
    filled = [_filled(piece, names) for piece in pieces]
    return Piece("cron", schema, "".join(_quoted(text) if index % 2 else text for index, text in enumerate(filled)))


def job_name(schema: str) -> str:
    """Return how Supabase's list of cron jobs names the sync of a mirror."""
    return f"{schema}_sync"


def _filled(text: str, names: dict[str, str]) -> str:
    return _NAME.sub(lambda found: names[found[1]], text)


def _quoted(body: str) -> str:
    """Quote a body readably, or as a literal where a schema's name would end it early."""
    return _literal(body) if "$body$" in body else f"$body${body}$body$"


def _literal(text: str) -> str:
    return sql.Literal(text).as_string()
