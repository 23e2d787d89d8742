"""Nobody sees anything of the page without Airflow's login and the right to read the mirror's DAG."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi.routing import APIRoute

from airflow_provider_odoo_shadow.page.app import create_app
from airflow_provider_odoo_shadow.page.one_table import RunKind
from airflow_provider_odoo_shadow.page.pages import HEADERS
from tests.support.airflow_connections import shadow_connection
from tests.support.airflow_pages import PAGE, PickyAuthManager, Visits, links, seen, tags
from tests.support.many_tables import fill_with_tables

TABLE = "odoo_shadow_wide_1"
PARAMETERS = {"mirror": "own", "table": TABLE, "what": RunKind.SYNC, "name": "page.css"}
STATIC = "/static/{name}"
LOGIN = "/api/v2/auth/login"


def guarded() -> Iterator[tuple[APIRoute, str]]:
    """Yield each route with an address of it. One with a parameter that nobody knows fails here."""
    for route in create_app().routes:
        assert isinstance(route, APIRoute), "a route that the login of the application does not guard"
        yield route, PAGE + route.path.format(**PARAMETERS)


@pytest.fixture(autouse=True)
def mirrors(visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mirrors with a table each."""
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    for schema in ("own", "other"):
        fill_with_tables(database, schema, tables=1, days=1)
    visits.publish(own={"schema": "own"}, other={"schema": "other"})


def test_every_route_asks_for_the_login(visits: Visits) -> None:
    for route, path in guarded():
        assert visits.client().get(path).status_code == 200, path
        answer = visits.client(role=None).get(path)
        if route.path == STATIC:
            assert answer.status_code == 401
        else:
            assert answer.status_code == 302, path
            assert answer.headers["location"].startswith(f"{LOGIN}?next=%2Fodoo-shadow%2F")
        assert visits.client(role=None).head(path).status_code == answer.status_code
        for word in ("own", "odoo_shadow_db", "wide"):
            assert word not in answer.text, path


def test_no_route_changes_anything(visits: Visits) -> None:
    for route, path in guarded():
        assert route.methods == {"GET", "HEAD"}, path
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert visits.client(role="ADMIN").request(method, path).status_code == 405, path


def test_every_answer_has_the_headers(visits: Visits) -> None:
    for _, path in guarded():
        for answer in (
            visits.client().get(path),
            visits.client(role=None).get(path),
            visits.client().post(path),
            visits.client().get(f"{path}/nothing"),
        ):
            assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS), path
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy and "unsafe" not in policy


def test_a_mirror_whose_dag_is_refused_does_not_exist(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PickyAuthManager, "hidden", frozenset({"own_sync"}))
    of_a_mirror = [path for route, path in guarded() if "{mirror}" in route.path]
    assert len(of_a_mirror) > 1
    for path in of_a_mirror:
        answer = visits.client(role="ADMIN").get(path)
        assert answer.status_code == 404, path
        assert answer.text == visits.client(role="ADMIN").get(path.replace("/own", "/never")).text
    overview = visits.get("/", role="ADMIN")
    assert "/mirrors/own" not in overview and "own_verify" not in overview
    assert f"{PAGE}/mirrors/other" in links(overview)


@pytest.mark.parametrize("path", ["/mirrors/own", f"/mirrors/own/tables/{TABLE}"])
def test_a_mirrors_page_asks_for_rights_on_its_own_dags_only(
    visits: Visits, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asked: set[str] = set()
    decide = PickyAuthManager.is_authorized_dag

    def note(self: PickyAuthManager, **given: Any) -> bool:
        asked.add(given["details"].id)
        return decide(self, **given)

    monkeypatch.setattr(PickyAuthManager, "is_authorized_dag", note)
    visits.get(path)
    assert asked == {"own_sync", "own_verify"}


def test_somebody_without_any_dag_sees_no_mirror(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PickyAuthManager, "hidden", frozenset({"own_sync", "other_sync"}))
    assert "There is no mirror that you may see." in seen(visits.get("/"))


def test_a_dag_that_compares_can_be_refused_alone(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PickyAuthManager, "hidden", frozenset({"own_verify"}))
    for path in ("/", "/mirrors/own", f"/mirrors/own/tables/{TABLE}"):
        assert "own_verify" not in visits.get(path)
    table = visits.get(f"/mirrors/own/tables/{TABLE}", role="ADMIN")
    assert "Sync this table" in table and "Verify this table" not in table
    assert visits.client().get(f"{PAGE}/mirrors/own/tables/{TABLE}/start/verify").status_code == 404


def test_runs_are_for_those_who_may_see_them(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PickyAuthManager, "without_runs", frozenset({"outsider"}))
    assert "Last run" in seen(visits.get("/mirrors/own"))
    assert "Last run" not in seen(visits.get("/mirrors/own", name="outsider"))


def test_only_those_who_may_start_runs_are_offered_it(visits: Visits) -> None:
    path = f"/mirrors/own/tables/{TABLE}/start/sync"
    assert "You may not start runs of this DAG." in seen(visits.get(path, role="VIEWER"))
    assert not tags(visits.get(path, role="VIEWER"), "form")
    (form,) = tags(visits.get(path, role="USER"), "form")
    assert form["data-trigger"] == "/api/v2/dags/own_sync/dagRuns"
    assert form["data-configuration"] == '{"models": ["wide.model.1"]}'


def test_a_login_that_has_ended_is_asked_for_again(visits: Visits) -> None:
    user = SimpleAuthManagerUser(username="somebody", role="ADMIN")
    ended = get_auth_manager().generate_jwt(user, expiration_time_in_seconds=-int(timedelta(hours=1).total_seconds()))
    for token in (ended, "nonsense", ""):
        client = visits.client(role=None)
        client.cookies.set("_token", token)
        answer = client.get(f"{PAGE}/mirrors/own")
        assert answer.status_code == 302
        assert answer.headers["location"] == f"{LOGIN}?next=%2Fodoo-shadow%2Fmirrors%2Fown"


def test_programs_are_not_sent_to_the_login(visits: Visits) -> None:
    answer = visits.client(role=None).get(f"{PAGE}/", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="program", role="VIEWER"))
    answer = visits.client(role=None).get(f"{PAGE}/mirrors/own", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("/mirrors/own?q=a%26b", "%2Fodoo-shadow%2Fmirrors%2Fown%3Fq%3Da%2526b"),
        ("/mirrors/own?next=//evil.example", "%2Fodoo-shadow%2Fmirrors%2Fown%3Fnext%3D%2F%2Fevil.example"),
        ("/mirrors/%2e%2e", "%2Fodoo-shadow%2F"),
        ("/mirrors/a%5Cb", "%2Fodoo-shadow%2F"),
        ("/mirrors/a%e2%80%aeb", "%2Fodoo-shadow%2F"),
    ],
)
@pytest.mark.parametrize("host", [pytest.param("testserver", marks=pytest.mark.nightly), "evil.example"])
def test_the_login_leads_back_to_the_page_only(visits: Visits, path: str, after: str, host: str) -> None:
    answer = visits.client(role=None).get(PAGE + path, headers={"Host": host})
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{LOGIN}?next={after}"
    followed = visits.client(role=None).get(answer.headers["location"])
    assert followed.status_code == 307
    assert followed.headers["location"].startswith("/auth/login")
