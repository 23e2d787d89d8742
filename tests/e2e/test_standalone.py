"""The whole thing as a platform team runs it: `airflow standalone`, triggered over REST, nothing patched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import psutil
import psycopg
import pytest
import requests

from odoo_stand_in import Fault
from tests.support.browsing import SLOW, running_browser, shown_in_airflow, visit
from tests.support.deployment import Deployment, hostile_model
from tests.support.webhooks import KEY
from tools.airflow_home import DAG_ID
from tools.standalone import ADMIN

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NO_RIGHTS = json.dumps(
    {"name": "odoo.exceptions.AccessError", "message": "No group allows this.", "debug": "Traceback"}
)

pytestmark = pytest.mark.timeout(600)


def test_the_scheduled_run_has_mirrored_all_priority_models(deployment: Deployment) -> None:
    runs = deployment.airflow.call("GET", f"/dags/{DAG_ID}/dagRuns?order_by=id")["dag_runs"]
    run = runs[0]
    states = deployment.states(run["dag_run_id"])
    assert run["run_type"] == "scheduled"
    assert set(states.values()) == {"success"}
    assert len(states) == 5 + 13
    assert len(deployment.tasks(run["dag_run_id"])) == 5 + 2  # small ones share a task for each place to work
    for model, rows in deployment.query("SELECT odoo_model, row_count FROM odoo_shadow_meta"):
        assert rows == len(deployment.odoo.execute(model, "search", [], context={"active_test": False})), model


@pytest.mark.nightly
def test_a_run_by_hand_takes_its_parameters(deployment: Deployment) -> None:
    (partner,) = deployment.odoo.execute("res.partner", "search", [], limit=1)
    deployment.odoo.execute("res.partner", "write", [partner], {"name": "Renamed by hand"})
    run_id = deployment.trigger(models=["res.partner", "sale.order"], batch_size=100)
    assert deployment.wait(run_id) == "success"
    # No order has changed, so that there is no task for orders.
    assert deployment.states(run_id) == dict.fromkeys(
        ("plan", "doctor", "res.partner", "settle", "complete", "report"), "success"
    )
    renamed = deployment.query("SELECT id FROM odoo_shadow.odoo_shadow_res_partner WHERE name = 'Renamed by hand'")
    assert renamed == [(partner,)]
    note = deployment.airflow.call("GET", f"/dags/{DAG_ID}/dagRuns/{run_id}")["note"]
    assert note.startswith("Odoo shadow: models: 1 mirrored, 1 unchanged; rows: 0 inserted, ")


def test_variables_and_mirror_rows_agree(deployment: Deployment) -> None:
    variables = deployment.airflow.call("GET", "/variables?limit=100")["variables"]
    shown = {item["key"]: json.loads(item["value"]) for item in variables}
    rows = deployment.query("SELECT table_name, last_write_date, last_id, rows_synced FROM odoo_shadow_watermark")
    assert len(rows) == 13
    for table, last_write_date, last_id, rows_synced in rows:
        variable = shown[f"odoo_shadow_watermark__odoo_shadow__{table}"]
        assert variable["last_write_date"] == last_write_date.isoformat()
        assert (variable["last_id"], variable["rows_synced"]) == (last_id, rows_synced)
    told = {item["key"]: item["description"] for item in variables}
    partners = json.loads(next(i["value"] for i in variables if i["key"].endswith("_res_partner")))["last_write_date"]
    assert told["odoo_shadow_watermark__odoo_shadow__odoo_shadow_res_partner"] == (
        f"res.partner (mirror odoo_shadow) is mirrored up to {partners[:16].replace('T', ' ')} UTC. To read again what "
        "was written since an earlier moment, set last_write_date back to it."
    )


def test_nonsense_is_refused_at_the_trigger(deployment: Deployment) -> None:
    for conf in ({"models": ["no.such.model"]}, {"batch_size": 0}, {"full": "perhaps"}):
        with pytest.raises(requests.HTTPError) as caught:
            deployment.trigger(**conf)
        assert caught.value.response.status_code == 400


@pytest.mark.nightly
def test_a_run_without_work_succeeds(deployment: Deployment) -> None:
    run_id = deployment.trigger(models=["sale.order", "project.project"])
    assert deployment.wait(run_id) == "success"
    assert deployment.states(run_id) == {
        **dict.fromkeys(("plan", "doctor", "settle", "complete", "report"), "success"),
        "mirror": "skipped",
    }


@pytest.mark.nightly
def test_a_failing_model_is_red_and_alone(deployment: Deployment) -> None:
    for model in ("res.company", "project.task"):
        (record,) = deployment.odoo.execute(model, "search", [], limit=1)
        deployment.odoo.execute(model, "write", [record], {"name": "Renamed by hand"})
    deployment.odoo.faults.add(
        Fault(
            model="account.move",
            method="search_count",
            times=100,
            status=403,
            headers={"Content-Type": "application/json"},
            body=NO_RIGHTS,
        )
    )
    try:
        run_id = deployment.trigger(models=["account.move", "res.company", "project.task"])
        assert deployment.wait(run_id) == "failed"
    finally:
        deployment.odoo.faults.clear()
    states = deployment.states(run_id)
    assert (states.pop("account.move"), states.pop("complete")) == ("failed", "upstream_failed")
    assert states.pop("doctor") == "failed"
    assert states == dict.fromkeys(("plan", "res.company", "project.task", "settle", "report"), "success")
    ((message,),) = deployment.query(
        "SELECT d.message FROM odoo_shadow_internal.sync_detail d JOIN odoo_shadow.odoo_shadow_sync_log l"
        " ON l.id = d.log_id WHERE l.status = 'error' AND l.table_name LIKE '%account_move'"
    )
    assert "is not allowed to call search_count on account.move" in message
    (failed,) = [task for task in deployment.tasks(run_id) if task["rendered_map_index"] == "account.move"]
    logged = [text for text in deployment.log(run_id, failed) if text and not text.startswith("::")]
    assert "is not allowed to call search_count on account.move" in logged[-1]
    (report,) = [task for task in deployment.tasks(run_id) if task["task_id"] == "report"]
    lines = [text for text in deployment.log(run_id, report) if text.startswith("odoo_shadow_account_move: ")]
    assert len(lines) == 1 and "is not allowed to call search_count on account.move" in lines[0]


@pytest.mark.nightly
def test_a_run_that_failed_is_posted_once(deployment: Deployment) -> None:
    run_id = deployment.trigger(modles=["res.partner"])  # a parameter that nobody reads, which the plan refuses
    assert deployment.wait(run_id) == "failed"
    link = f"{deployment.airflow.url}/dags/{DAG_ID}/runs/{quote(run_id, safe='')}"
    deployment.airflow.wait_until(lambda: any(link in text for text in deployment.mattermost.texts))
    (text,) = [text for text in deployment.mattermost.texts if link in text]
    assert text.startswith(
        f"Odoo shadow, mirror `odoo_shadow` (DAG `{DAG_ID}`): the run failed (tasks: `plan`). nothing was "
    )
    assert not any("succeeded" in text for text in deployment.mattermost.texts)
    assert deployment.odoo.api_key not in text and KEY not in text


def test_the_connection_can_be_tested_from_the_form(deployment: Deployment) -> None:
    odoo = deployment.odoo
    form = {"connection_id": "tried", "conn_type": "odoo", "host": odoo.url, "schema": odoo.database}
    good = {**form, "login": odoo.login, "password": odoo.api_key}
    answer = deployment.airflow.call("POST", "/connections/test", good)
    assert answer["status"] is True
    assert "Connected to Odoo 19.0" in answer["message"]
    assert "over JSON-2" in answer["message"]
    answer = deployment.airflow.call("POST", "/connections/test", {**good, "password": "wrong-secret-1"})
    assert answer["status"] is False
    assert "refused the login 'admin'" in answer["message"]
    assert "wrong-secret-1" not in answer["message"]


@pytest.mark.nightly
def test_a_hostile_model_runs_nothing_on_the_worker(deployment: Deployment) -> None:
    for dag in ("pattern_sync", "pattern_verify"):
        deployment.airflow.wait_until(lambda dag=dag: deployment.airflow.has_dag(dag))  # type: ignore[misc]
        deployment.airflow.call("PATCH", f"/dags/{dag}", {"is_paused": False})
    run_id = deployment.trigger(dag="pattern_sync")
    assert deployment.wait(run_id, dag="pattern_sync") == "success"
    models = ("res.country", "res.country.state")
    assert deployment.states(run_id, dag="pattern_sync") == dict.fromkeys(
        ("plan", "doctor", *models, "settle", "complete", "report"), "success"
    )
    with psycopg.connect(deployment.shadow_url) as connection:
        connection.execute(
            "INSERT INTO pattern.odoo_shadow_meta (table_name, odoo_model, row_count, last_sync_at)"
            " VALUES ('odoo_shadow_x_pwn', %s, 1, now())",
            [hostile_model(deployment.folder)],
        )
    run_id = deployment.trigger(dag="pattern_verify")
    assert deployment.wait(run_id, dag="pattern_verify") == "success"
    assert deployment.states(run_id, dag="pattern_verify") == dict.fromkeys(("plan", *models, "report"), "success")
    assert not (deployment.folder / "PROOF").exists()


def test_without_the_password_nobody_gets_in(deployment: Deployment) -> None:
    url, password = deployment.airflow.url, deployment.airflow.password
    assert requests.get(f"{url}/auth/token", timeout=30).status_code == 403
    assert requests.get(f"{url}/auth/token/login", timeout=30, allow_redirects=False).status_code == 403
    for guess in ("", ADMIN, password[:-1], f"{password}x"):
        answer = requests.post(f"{url}/auth/token", json={"username": ADMIN, "password": guess}, timeout=30)
        assert answer.status_code in (400, 401), guess
    assert requests.get(f"{url}/api/v2/connections", timeout=30).status_code == 401
    answer = requests.post(f"{url}/auth/token", json={"username": ADMIN, "password": password}, timeout=30)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert requests.get(f"{url}/api/v2/connections", headers=headers, timeout=30).status_code == 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser, where one is installed."""
    with running_browser() as running:
        yield running


@pytest.mark.nightly
def test_the_page_leads_from_a_mirror_to_a_run_of_one_table(deployment: Deployment, browser: Browser) -> None:
    """By clicks, inside the frame in which Airflow shows it."""
    airflow = deployment.airflow
    with visit(browser, airflow.url, airflow.password) as (page, complaints):
        page.get_by_role("link", name="Odoo shadow").click()
        shown_in_airflow(page, "Odoo shadow").get_by_role("link", name=DAG_ID.removesuffix("_sync"), exact=True).click()
        mirror = shown_in_airflow(page, "odoo_shadow")
        mirror.get_by_role("link", name="res.partner", exact=True).click()
        table = shown_in_airflow(page, "res.partner")
        page.wait_for_url("**/plugin/odoo-shadow/odoo-shadow/mirrors/odoo_shadow/tables/odoo_shadow_res_partner")
        table.get_by_role("link", name="Sync this table").click()
        shown_in_airflow(page, "Sync res.partner").get_by_role("button", name="Trigger").click()
        page.wait_for_url(f"**/dags/{DAG_ID}/runs/**")
        run_id = unquote(page.url.rpartition("/")[2])
        run = airflow.call("GET", f"/dags/{DAG_ID}/dagRuns/{run_id}")
        assert run["conf"] == {"models": ["res.partner"]}
        assert deployment.wait(run_id) == "success"
        page.goto(f"{airflow.url}/plugin/odoo-shadow/odoo-shadow/mirrors/odoo_shadow/tables/odoo_shadow_res_partner")
        table = shown_in_airflow(page, "res.partner")
        table.get_by_text("Replay from a time").click()
        table.get_by_role("link", name="odoo_shadow_watermark__odoo_shadow__odoo_shadow_res_partner").click()
        page.get_by_role("heading", name="1 Variable").wait_for()
        assert complaints == []


@pytest.mark.nightly
def test_the_page_fits_every_screen_and_both_colours(deployment: Deployment, browser: Browser) -> None:
    """And what a model is called runs nothing: the mirror `pattern` has one that would."""
    airflow = deployment.airflow
    with visit(browser, airflow.url, airflow.password, width=360) as (page, complaints):
        for path in (
            "",
            "mirrors/odoo_shadow",
            "mirrors/pattern",
            "mirrors/odoo_shadow/tables/odoo_shadow_res_partner",
        ):
            colours = set()
            for theme in ("light", "dark"):
                page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
                page.goto(f"{airflow.url}/odoo-shadow/{path}")
                colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            assert len(colours) == 2
        assert complaints == []


def test_the_page_is_for_those_who_are_logged_in(deployment: Deployment, browser: Browser) -> None:
    url, password = deployment.airflow.url, deployment.airflow.password
    for path in ("/", "/mirrors/odoo_shadow", "/static/page.css"):
        answer = requests.get(f"{url}/odoo-shadow{path}", timeout=30, allow_redirects=False)
        assert answer.status_code in (302, 401) and "odoo_shadow_db" not in answer.text
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/odoo-shadow/mirrors/odoo_shadow?q=partner")
    page.fill("input[name=username]", ADMIN)
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/odoo-shadow/mirrors/odoo_shadow?q=partner", timeout=SLOW)
    context.close()


@pytest.mark.parametrize("path", ["/", "/auth/token", "/api/v2/monitor/health", "/execution/health"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", ""])
def test_another_hosts_name_is_refused(deployment: Deployment, path: str, host: str) -> None:
    """A page in a browser that resolves its own name to 127.0.0.1 still tells its own name."""
    url, port = deployment.airflow.url, deployment.airflow.url.rpartition(":")[2]
    answer = requests.get(f"{url}{path}", headers={"Host": host.format(port=port)}, timeout=30, allow_redirects=False)
    assert answer.status_code == 400
    login = {"username": ADMIN, "password": deployment.airflow.password}
    answer = requests.post(f"{url}/auth/token", headers={"Host": host.format(port=port)}, json=login, timeout=30)
    assert answer.status_code == 400


def test_other_users_of_this_machine_learn_nothing(deployment: Deployment) -> None:
    assert deployment.folder.stat().st_mode & 0o077 == 0
    assert (deployment.folder / "passwords.json").stat().st_mode & 0o077 == 0
    secrets = (deployment.airflow.password, deployment.odoo.api_key)
    for process in psutil.process_iter(["cmdline"]):
        listed = " ".join(process.info["cmdline"] or ())
        assert not any(secret in listed for secret in secrets)
    for path in deployment.folder.rglob("*.log"):
        assert deployment.airflow.password not in path.read_text(errors="replace"), path


def test_no_secret_is_in_any_log_or_xcom(deployment: Deployment) -> None:
    secrets = (deployment.odoo.api_key, "wrong-secret-1", KEY)
    texts = {path: path.read_text(errors="replace") for path in deployment.folder.rglob("*.log")}
    assert any("first load" in text for text in texts.values())  # the tasks' logs are among them
    for path, text in texts.items():
        for secret in secrets:
            assert secret not in text, path
    for run in deployment.airflow.call("GET", f"/dags/{DAG_ID}/dagRuns")["dag_runs"]:
        entries = f"/dags/{DAG_ID}/dagRuns/{run['dag_run_id']}/taskInstances/mirror/xcomEntries?limit=100"
        assert deployment.odoo.api_key not in json.dumps(deployment.airflow.call("GET", entries))
