"""A stand-in for Supabase Realtime: `realtime.send` with its SQL interface, which keeps what it was told in a table."""

from __future__ import annotations

from typing import Any

import psycopg

_REALTIME = """
CREATE SCHEMA realtime;
CREATE TABLE realtime.messages (id bigint GENERATED ALWAYS AS IDENTITY, topic text NOT NULL, event text, payload jsonb,
    private boolean);
ALTER TABLE realtime.messages ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION realtime.topic() RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT current_setting('realtime.topic', true) $$;
CREATE FUNCTION realtime.send(payload jsonb, event text, topic text, private boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO realtime.messages (topic, event, payload, private) VALUES (topic, event, payload, private);
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'WarnSendingBroadcastMessage: %', SQLERRM;
END $$;
"""


def make_realtime(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(_REALTIME)


def heard(database: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the topic and the payload of each broadcast so far, and forget them; all are private."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "WITH gone AS (DELETE FROM realtime.messages RETURNING *)"
            " SELECT topic, payload, event, private FROM gone ORDER BY id"
        ).fetchall()
    assert all((event, private) == ("changed", True) for _, _, event, private in rows)
    return [(topic, payload) for topic, payload, _, _ in rows]
