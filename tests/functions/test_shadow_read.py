"""shadow-read over a real shadow: rows once, then 304 until a sync has changed one, and each caller their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
import requests

from odoo_stand_in import StandIn
from tests.support.edge_functions import EdgeFunction, edge_function
from tests.support.raw_server import RawServer, Request
from tests.support.roles import new_role, run_as_owner
from tests.support.shell import Shell, shell_for
from tests.support.small_postgrest import Caller, SmallPostgrest
from tools.embedded_postgres import new_database

RPC = "/rest/v1/rpc/odoo_shadow_read_version"
READ = "/rest/v1/odoo_shadow_res_partner"
PUBLISHABLE = "sb_publishable_one"


@dataclass(frozen=True)
class Project:
    """A shadow of partners, the API in front of it, and the function in front of that."""

    function: EdgeFunction
    api: RawServer
    odoo: StandIn
    shell: Shell
    partner: int

    def read(self, query: str = "", *, caller: str = "reader", known: str | None = None) -> requests.Response:
        """Read partners with the token of a caller; `known` is the ETag of an answer that the caller has."""
        headers = {"apikey": PUBLISHABLE, **({} if known is None else {"If-None-Match": known})}
        self.api.requests.clear()
        return self.function.ask(path=f"/partners{query}", key=caller, headers=headers)

    @property
    def asked(self) -> list[str]:
        """What the function asked the API, without queries."""
        return [request.path.partition("?")[0] for request in self.api.requests]

    def change(self, name: str) -> None:
        """Rename a partner in Odoo, and sync."""
        self.odoo.execute("res.partner", "write", [self.partner], {"name": name})
        outcome = self.shell.run("sync", "--models", "res.partner")
        assert outcome.code == 0, outcome.err


@pytest.fixture(scope="module")
def project(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    database = new_database(postgres)
    with (
        StandIn(postgres, flavour="19", database="shadowread") as odoo,
        new_role(database) as role,
        RawServer() as api,
        edge_function(
            "shadow-read",
            tmp_path_factory.mktemp("function"),
            SUPABASE_URL=api.url,
            SUPABASE_PUBLISHABLE_KEYS=f'{{"default": "{PUBLISHABLE}"}}',
        ) as function,
    ):
        (partner,) = odoo.execute("res.partner", "search", [], limit=1, order="id")
        shell = shell_for(odoo, database)
        project = Project(function, api, odoo, shell, partner)
        project.change("Before")
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        restrict_halves(database)
        stranger = Caller("pg_monitor")  # any role without rights on the shadow
        same = {"sub": "the same user"}
        api.everything = SmallPostgrest(
            database,
            {
                "reader": Caller(role),
                "even": Caller(role, {**same, "half": 0}),
                "odd": Caller(role, {**same, "half": 1}),
                PUBLISHABLE: stranger,
            },
        )
        project.change("Before")
        yield project


def restrict_halves(database: str) -> None:
    """Let a claim that the version knows nothing of decide which half of the partners a caller sees."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_res_partner ENABLE ROW LEVEL SECURITY")
        connection.execute("DROP POLICY IF EXISTS odoo_shadow_readers ON odoo_shadow.odoo_shadow_res_partner")
        connection.execute(
            "CREATE POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_res_partner FOR SELECT USING"
            " (coalesce((current_setting('request.jwt.claims', true)::jsonb ->> 'half')::int, id % 2) = id % 2)"
        )


def test_rows_are_read_once_until_a_sync_changes_one(project: Project) -> None:
    first = project.read("?limit=1")
    assert (first.status_code, project.asked) == (200, [RPC, READ])
    assert [row["name"] for row in first.json()] == ["Before"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert {name.strip().lower() for name in first.headers["Vary"].split(",")} >= {"authorization", "apikey"}
    tag = first.headers["ETag"]

    again = project.read("?limit=1", known=f'"another", W/{tag.removeprefix("W/")}')
    assert (again.status_code, again.content, project.asked) == (304, b"", [RPC])
    assert again.headers["ETag"].removeprefix("W/") == tag.removeprefix("W/")
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert "apikey" in again.headers["Vary"]
    assert project.read("?limit=2", known=tag).status_code == 200  # another question

    project.change("After")
    after = project.read("?limit=1", known=tag)
    assert (after.status_code, [row["name"] for row in after.json()]) == (200, ["After"])
    assert project.read("?limit=1", known=after.headers["ETag"]).status_code == 304


def test_rows_that_change_while_they_are_read_are_read_once_more(project: Project) -> None:
    project.change("Unchanged")
    own = project.api.everything
    assert own is not None
    calls: list[Request] = []

    def change_after_the_first(request):  # type: ignore[no-untyped-def]
        reply = own(request)
        if not calls:
            project.change("Changed in between")
        calls.append(request)
        return reply

    project.api.everything = change_after_the_first
    try:
        tag = project.read("?limit=1").headers["ETag"]
    finally:
        project.api.everything = own
    later = project.read("?limit=1", known=tag)
    names = [row["name"] for row in later.json()] if later.status_code == 200 else "304: the old rows stay"
    assert names == ["Changed in between"]


@pytest.mark.attack
def test_no_caller_gets_the_rows_of_another(project: Project) -> None:
    """Not even where two tokens have one role, one user and one version, and only a claim decides."""
    even, odd = project.read(caller="even"), project.read(caller="odd")
    assert {row["id"] % 2 for row in even.json()} == {0} and {row["id"] % 2 for row in odd.json()} == {1}
    assert even.headers["ETag"] != odd.headers["ETag"]
    with_the_others_tag = project.read(caller="odd", known=even.headers["ETag"])
    assert (with_the_others_tag.status_code, with_the_others_tag.json()) == (200, odd.json())
    for answer in (even, odd):
        assert answer.headers["Cache-Control"].startswith("private")


def test_the_caller_has_no_more_rights_than_without_the_function(project: Project) -> None:
    for token, status in ((PUBLISHABLE, 403), ("forged", 401)):
        answer = project.read(caller=token)
        assert (answer.status_code, answer.json()["error"]) == (status, "rest_refuses")
        assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers
        assert "permission denied" not in answer.text and "JWS" not in answer.text


def test_filters_limit_and_order(project: Project) -> None:
    ids = [row["id"] for row in project.read("?limit=3&offset=1").json()]
    assert len(ids) == 3 and ids == sorted(ids)
    (row,) = project.read(f"?id=eq.{ids[1]}").json()
    assert set(row) == {"id", "name", "email", "country_id", "company_id"}
    broken = project.read("?id=eq.seven")
    assert (broken.status_code, broken.json()["error"]) == (400, "rest_refuses")
    assert "seven" not in broken.text
