"""The buttons of a task: the table's page, the model's list in Odoo, the last verification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import pytest

from airflow_provider_odoo_shadow.get_provider_info import get_provider_info
from airflow_provider_odoo_shadow.links.addresses import list_in_odoo, page
from airflow_provider_odoo_shadow.links.odoo_shadow import LINKS
from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_stand_in import StandIn
from tests.support.airflow_connections import odoo_connection, shadow_connection
from tests.support.dag_runs import links, run

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour


# --- addresses


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("", "/plugin/odoo-shadow/odoo-shadow/mirrors/eu/tables/odoo_shadow_res_partner"),
        ("https://af.example.com", "https://af.example.com/plugin/odoo-shadow/odoo-shadow/mirrors/eu/tables/{}"),
        ("https://example.com/af/", "https://example.com/af/plugin/odoo-shadow/af/odoo-shadow/mirrors/eu/tables/{}"),
        ("javascript:alert(1)//", ""),
        ("ftp://af.example.com", ""),
        ("https://user:secret@af.example.com", ""),
        ("http://[", ""),
    ],
)
def test_the_page_is_where_airflow_is(monkeypatch: pytest.MonkeyPatch, base: str, address: str) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    assert page("eu", "odoo_shadow_res_partner") == address.format("odoo_shadow_res_partner")


def test_names_are_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "")
    hostile = page("../é?", "a/b#c", "verification")
    assert hostile == "/plugin/odoo-shadow/odoo-shadow/mirrors/..%2F%C3%A9%3F/tables/a%2Fb%23c#verification"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "https://a:b@erp.example.com", "//x", ""])
def test_odoo_is_opened_over_http_only(url: str) -> None:
    assert list_in_odoo(url, "res.partner") == ""


def test_a_model_without_an_action_of_its_own_leads_to_odoo() -> None:
    assert list_in_odoo("https://erp.example.com/", "x_studio.thing") == "https://erp.example.com/web"


def test_every_priority_model_with_a_list_has_its_action() -> None:
    without = {model for model in PRIORITY_MODELS if "#action=" not in list_in_odoo("https://erp.example.com", model)}
    assert without == {"sale.order.line"}  # Odoo has no menu, and no action in all versions, for lines of orders


# --- what Airflow keeps


def test_a_task_leads_to_its_table_and_to_its_model(
    dags: Mapping[str, DAG], odoo: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://af.example.com/af")
    dag_run = run(dags["one_model"])
    table = (
        "https://af.example.com/af/plugin/odoo-shadow/af/odoo-shadow/mirrors/odoo_shadow/tables/odoo_shadow_res_partner"
    )
    kept = links(dag_run)
    assert kept["partners"] == {
        "ShadowTableLink": table,
        "OdooLink": f"{odoo.url}/web#action=base.action_partner_form&model=res.partner&view_type=list",
        "LastVerificationLink": f"{table}#verification",
    }
    assert not [secret for secret in (odoo.password, odoo.api_key, odoo.login) if secret in str(kept)]


def test_what_airflow_shows_are_these_links(
    dags: Mapping[str, DAG], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    dag_run = run(dags["one_model"])
    (ti,) = dag_run.get_task_instances()
    task = DagSerialization.from_dict(DagSerialization.to_dict(dags["one_model"])).get_task("partners")
    shown = {name: task.get_extra_links(ti, name) for name in task.extra_links}
    kept = links(dag_run)["partners"]
    assert shown == {
        "Shadow table": kept["ShadowTableLink"],
        "Odoo": kept["OdooLink"],
        "Last verification": kept["LastVerificationLink"],
    }


def test_mapped_tasks_have_the_links_of_their_models(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn
) -> None:
    dags = mirror_dags(models=["res.partner", "res.company"], parallel_models=1)
    for dag_id in ("own_sync", "own_verify"):
        kept = links(run(dags[dag_id]))
        tables = {item["ShadowTableLink"].rpartition("/mirrors/")[2] for item in kept.values()}
        lists = {item["OdooLink"].removeprefix(odoo.url).partition("&")[0] for item in kept.values()}
        if dag_id == "own_sync":  # one task for both
            assert (tables, lists) == ({"own"}, {"/web"})
        else:
            assert tables == {"own/tables/odoo_shadow_res_partner", "own/tables/odoo_shadow_res_company"}
            assert lists == {"/web#action=base.action_partner_form", "/web#action=base.action_res_company_form"}


def test_a_task_that_failed_has_links_without_a_secret(
    dags: Mapping[str, DAG], odoo: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    monkeypatch.setattr(odoo, "password", "wrong-secret-1")
    monkeypatch.setattr(odoo, "api_key", "wrong-secret-1")
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    monkeypatch.setattr(odoo, "password", "right")
    monkeypatch.setattr(odoo, "api_key", "right")
    dag_run = run(dags["one_model"])
    assert dag_run.state == "failed"
    kept = links(dag_run)["partners"]
    assert kept["ShadowTableLink"].endswith("/mirrors/odoo_shadow/tables/odoo_shadow_res_partner")
    assert kept["OdooLink"].startswith(odoo.url)
    assert "wrong-secret-1" not in str(kept)


def test_a_task_without_a_connection_has_no_link_to_odoo(
    dags: Mapping[str, DAG], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ODOO_DEFAULT")
    assert links(run(dags["one_model"]))["partners"]["OdooLink"] == ""


def test_the_providers_metadata_list_the_links() -> None:
    listed = get_provider_info()["extra-links"]
    assert isinstance(listed, list)
    assert [resolve_name(path) for path in listed] == [type(link) for link in LINKS]
