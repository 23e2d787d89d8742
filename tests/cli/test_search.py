"""`odoo-shadow search`: what it prints to people and programs, and what it says when it cannot search as it should."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.embeddings import endpoint
from tests.support.json_reference import documented
from tests.support.roles import as_role, new_role, reader_of, run_as_owner
from tests.support.shell import Shell
from tests.support.stored_documents import Stored, has_pgvector, open_search, store

MAY = datetime(2026, 5, 1, tzinfo=UTC)
DOCUMENTS = (
    Stored("sale.order", 31, "Sales Order S00031, Gemini Furniture", "[bold]sold \x1b[31m", "S00031", dated_at=MAY),
    Stored("res.partner", 5, "Contact Gemini Furniture", "City: Fairfield", company_id=1),
)


@pytest.fixture
def searching(shell: Shell, shadow: ShadowDatabase) -> Shell:
    """A shell on a shadow with two documents, which have no vectors."""
    open_search(shadow, vectors=False)
    store(shadow, *DOCUMENTS)
    return Shell({**shell.env, "EMBEDDINGS": "none"}, shell.secrets)


def test_people_and_programs_are_answered(searching: Shell, database: str) -> None:
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        reader = as_role(database, role)
        shown = searching.run("search", "order", "31", SUPABASE_DB_URL=reader)
        assert (shown.code, shown.err) == (0, "")
        assert shown.out == (
            "Sales Order S00031, Gemini Furniture  2026-05-01  1.00\n"
            "https://odoo.example.com/31\n"
            "[bold]sold \\x1b[31m\n"
        )
        told = searching.run("search", "Gemni", "--json", "--models", "res.partner", SUPABASE_DB_URL=reader)
    (entry,) = json.loads(told.out)
    assert set(entry) == documented("### Entries of search")
    assert (entry["odoo_model"], entry["odoo_id"], entry["url"]) == ("res.partner", 5, "https://odoo.example.com/5")
    assert entry["company_id"] == 1
    nothing = searching.run("search", "31", "--since", "2026-05-02", "--until", "9999-12-31", "--companies", "1, 2")
    assert (nothing.code, nothing.out) == (0, "Nothing was found.\n")


def test_what_is_worth_a_word(searching: Shell, shadow: ShadowDatabase, database: str) -> None:
    alone = searching.run("search", "x", EMBEDDINGS=None)
    assert "searches by words alone, since the documents have no embeddings" in alone.err
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_document_model SET as_of = now() - interval '3 days 1 hour'")
    assert "3 days ago: run odoo-shadow sync and odoo-shadow embed" in searching.run("search", "x").err
    assert searching.run("search", "x", "--json").out == "[]\n"
    if has_pgvector(database):
        open_search(shadow)
        with endpoint() as there:
            url, settings = there.settings.embeddings or "", {"EMBEDDINGS_MODEL": "another"}
            other = searching.run("search", "Gemini", EMBEDDINGS=url, **settings)
        assert "the documents' embeddings are by 'tiny 1', and 'another" in other.err and other.code == 0
        assert "Contact Gemini" in other.out and "\n\nSales Order" in other.out
        assert searching.run("search", "Gemini").err.count("words alone") == 0  # as somebody wants it


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", "--limit", "0"), "0 is not in the range 1<=x<=200"),
        (("x", "--companies", "a"), "'a' is not a list of numbers, such as 1,2."),
        (("x", "--since", "yesterday"), "'yesterday' is not a time: write a day (2026-10-31)"),
        (("",), "Error: Nothing was asked: write what to look for, such as a name, a number, or a question."),
        ((" \t", "?"), "Error: Nothing was asked: write what to look for"),
        (("x", "--models", "crm.*"), "There are no documents of models like crm.*."),
        (("x", "--models", ","), "No models are named: name at least one"),
        (("x", "--models", "res.partners"), "There are no documents of res.partners (did you mean res.partner?)."),
        ((), "Missing argument"),
    ],
)
def test_what_cannot_be_asked(searching: Shell, arguments: tuple[str, ...], message: str) -> None:
    outcome = searching.run("search", *arguments)
    assert outcome.code == 2 and message in " ".join(outcome.err.split())


def test_before_there_are_documents(shell: Shell) -> None:
    outcome = shell.run("search", "x")
    assert outcome.code == 2 and "There is no shadow in schema 'odoo_shadow': run odoo-shadow sync first" in outcome.err
    assert shell.run("sync", "--models", "res.company").code == 0
    outcome = shell.run("search", "x")
    assert (
        outcome.code == 2 and "There are no documents in schema 'odoo_shadow' yet: run odoo-shadow embed" in outcome.err
    )


@pytest.mark.parametrize("command", [("search", "x"), ("status",), ("embed", "--dry-run")])
def test_a_login_without_rights_learns_what_to_grant(searching: Shell, database: str, command: tuple[str, ...]) -> None:
    with new_role(database) as role:
        outcome = searching.run(*command, SUPABASE_DB_URL=as_role(database, role))
    assert outcome.code == 2 and outcome.err.startswith(
        f"Error: '{role}' may not read a shadow in schema 'odoo_shadow'"
    )
    assert re.search(rf"let it: .*GRANT [^;]+ TO {role}\n$", outcome.err)


def test_a_reader_is_told_that_the_syncs_role_embeds(searching: Shell, database: str) -> None:
    with reader_of(database) as reader, reader.transaction() as tx:
        role = tx.cursor.connection.info.user
        outcome = searching.run("embed", SUPABASE_DB_URL=as_role(database, role))
    assert outcome.code == 2 and "CREATE" not in outcome.err
    assert f"Only the sync's role writes documents, and '{role}' is another one" in outcome.err


def test_a_reader_is_told_whom_to_trust(searching: Shell, database: str) -> None:
    with new_role(database) as owner, reader_of(database) as reader, reader.transaction() as tx:
        run_as_owner(
            database,
            "ALTER SCHEMA odoo_shadow OWNER TO {owner}",
            "ALTER SCHEMA odoo_shadow_internal OWNER TO {owner}",
            "ALTER TABLE odoo_shadow.odoo_shadow_meta OWNER TO {owner}",
            owner=owner,
        )
        settings = {"SUPABASE_DB_URL": as_role(database, tx.cursor.connection.info.user)}
        said = (
            f"Error: The schema 'odoo_shadow' belongs to the role '{owner}': name it with --trusted-roles "
            "(TRUSTED_ROLES), if you trust it.\n"
        )
        for command in (("search", "31"), ("status",)):
            assert searching.run(*command, **settings).err == said
        trusted = searching.run("search", "31", TRUSTED_ROLES=owner, **settings)
        assert (trusted.code, trusted.err) == (0, "")
        run_as_owner(database, "ALTER SCHEMA odoo_shadow_internal OWNER TO CURRENT_USER")
        with new_role(database) as other:
            run_as_owner(database, "ALTER TABLE odoo_shadow.odoo_shadow_sync_log OWNER TO {other}", other=other)
            assert other in searching.run("search", "31", **settings).err
