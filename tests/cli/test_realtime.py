"""`--realtime-broadcast`: one broadcast per table and run, and none twice."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.book import page, section
from tests.support.realtime import heard, make_realtime
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import Shell

BOTH = ("--models", "res.company,res.partner")
TELL = "--realtime-broadcast"
COMPANIES, PARTNERS = "odoo_shadow_res_company", "odoo_shadow_res_partner"


def corrupt(database: str, table: str) -> None:
    run_as_owner(database, "UPDATE odoo_shadow.{table} SET name = 'Corrupted', _sync_hash = ''", table=table)


def test_changed_tables_are_told_once_and_without_rows(shell: Shell, database: str, tmp_path: Path) -> None:
    make_realtime(database)
    assert shell.run("sync", *BOTH).code == 0
    assert heard(database) == []
    assert shell.run("sync", *BOTH, TELL).code == 0
    told = dict(heard(database))
    assert told.keys() == {f"odoo_shadow:{COMPANIES}", f"odoo_shadow:{PARTNERS}"}
    payload = told[f"odoo_shadow:{COMPANIES}"]
    assert payload.keys() == {"table", "model", "watermark", "rows_version"}
    assert (payload["table"], payload["model"]) == (COMPANIES, "res.company")
    assert shell.run("sync", *BOTH).code == 0
    assert heard(database) == []
    # Runs that are not told anything go on telling, also those that repair.
    corrupt(database, COMPANIES)
    assert shell.run("verify", *BOTH, "--repair").code == 0
    ((topic, after),) = heard(database)
    assert topic == f"odoo_shadow:{COMPANIES}" and after["rows_version"] > payload["rows_version"]
    config = tmp_path / "odoo_shadow.yaml"
    config.write_text("mirrors: {own: {models: [res.company]}}", encoding="utf-8")
    corrupt(database, COMPANIES)
    assert shell.run("sync", "--full", "--config", str(config)).code == 0
    assert heard(database) == []


def test_without_realtime_the_run_ends_well_with_a_sentence(shell: Shell, database: str) -> None:
    outcome = shell.run("sync", "--models", "res.company", TELL)
    assert outcome.code == 0
    assert outcome.err.count("this database has no function realtime.send that this role may call") == 1


def test_what_realtime_does_not_take_is_told_with_the_next_run(shell: Shell, database: str) -> None:
    make_realtime(database)
    run_as_owner(database, "ALTER TABLE realtime.messages ADD CONSTRAINT full_disk CHECK (false) NOT VALID")
    refused = shell.run("sync", "--models", "res.company", TELL)
    assert refused.code == 0 and "Realtime was not told of changed tables, and will be with the next run" in refused.err
    assert heard(database) == []
    run_as_owner(database, "ALTER TABLE realtime.messages DROP CONSTRAINT full_disk")
    assert shell.run("sync", "--models", "res.company").code == 0
    assert [topic for topic, _ in heard(database)] == [f"odoo_shadow:{COMPANIES}"]


def test_a_function_of_somebody_else_is_not_called(shell: Shell, database: str) -> None:
    make_realtime(database)
    with new_role(database) as other:
        run_as_owner(
            database,
            "ALTER FUNCTION realtime.send(jsonb, text, text, boolean) OWNER TO {other}",
            other=other,
        )
        outcome = shell.run("sync", "--models", "res.company", TELL)
        assert "no function realtime.send" in outcome.err and heard(database) == []


def test_the_policy_of_the_book_lets_readers_hear_of_what_they_may_read(shell: Shell, database: str) -> None:
    make_realtime(database)
    assert shell.run("sync", *BOTH, TELL).code == 0
    text = section(page("how-to/live-dashboards.md"), "## Who may listen")
    policy = text.partition("```sql\n")[2].partition("```")[0]
    with new_role(database, "authenticated") as role, psycopg.connect(database, autocommit=True) as connection:
        connection.execute(policy.encode())
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow, realtime TO {role}",
            "GRANT SELECT ON realtime.messages, odoo_shadow.odoo_shadow_res_company TO {role}",
            role=role,
        )
        with psycopg.connect(as_role(database, role), autocommit=True) as reader:
            for topic, may in (
                (f"odoo_shadow:{COMPANIES}", True),
                (f"odoo_shadow:{PARTNERS}", False),
                ("odoo_shadow:nothing", False),
                ("odoo_shadow:'; --", False),
                ("chat:room", False),
            ):
                # As Realtime asks it when somebody joins a private channel.
                reader.execute("SELECT set_config('realtime.topic', %s, false)", (topic,))
                found = reader.execute(sql.SQL("SELECT EXISTS (SELECT FROM realtime.messages)")).fetchall()
                assert found == [(may,)], topic
        connection.execute("DROP SCHEMA realtime CASCADE")
