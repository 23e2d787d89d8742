"""Airflow's API server in the test's own process, with the plugin's page, and people who visit it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from airflow.api.common.delete_dag import delete_dag
from airflow.api_fastapi.app import create_app, get_auth_manager, purge_cached_app
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.exceptions import DagNotFound
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from fastapi import FastAPI
from sqlalchemy import delete
from starlette.testclient import TestClient

from tests.support.airflow_home import DAGS_FOLDER

BUNDLE = "dags-folder"
PAGE = "/odoo-shadow"


class PickyAuthManager(SimpleAuthManager):
    """Airflow's simple one, which besides refuses some DAGs to everybody, and some people their runs."""

    hidden: frozenset[str] = frozenset()
    published: Collection[str] | None = None
    """The DAGs of the test that is going on: those that others have left do not concern it."""
    without_runs: frozenset[str] = frozenset()

    def is_authorized_dag(self, **asked: Any) -> bool:
        details = asked.get("details")
        dag_id = None if details is None else details.id
        is_of_others = self.published is not None and dag_id not in self.published
        if dag_id is not None and (dag_id in self.hidden or is_of_others):
            return False
        if asked.get("access_entity") is DagAccessEntity.RUN and asked["user"].get_name() in self.without_runs:
            return False
        return super().is_authorized_dag(**asked)


@dataclass
class Visits:
    """The server, and what one sees there."""

    app: FastAPI
    folder: Path
    made: set[str] = field(default_factory=set)

    def publish(self, **mirrors: Mapping[str, object]) -> None:
        """Let Airflow read the DAGs of these mirrors, as its DAG processor does."""
        path = self.folder / "mirrors.yaml"
        path.write_text(yaml.safe_dump({"mirrors": {name: dict(given) for name, given in mirrors.items()}}))
        with patch.dict("os.environ", AIRFLOW__ODOO_SHADOW__MIRRORS_FILE=str(path)), create_session() as session:
            bag = DagBag(str(DAGS_FOLDER))
            assert bag.import_errors == {}
            if session.get(DagBundleModel, BUNDLE) is None:
                session.add(DagBundleModel(name=BUNDLE))
                session.flush()
            sync_bag_to_db(bag, BUNDLE, None, session=session)
            self.made |= {*bag.dags}

    def client(self, role: str | None = "VIEWER", name: str = "somebody") -> TestClient:
        """Return a browser of somebody who is logged in; of nobody for no role."""
        client = TestClient(self.app, follow_redirects=False)
        if role is not None:
            user = SimpleAuthManagerUser(username=name, role=role)
            client.cookies.set("_token", get_auth_manager().generate_jwt(user))
        return client

    def get(self, path: str, **client: Any) -> str:
        """Return a page's HTML."""
        answer = self.client(**client).get(PAGE + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def change(self, dag_id: str, **values: object) -> None:
        """Change what Airflow knows of a DAG."""
        with create_session() as session:
            dag = session.get(DagModel, dag_id)
            for name, value in values.items():
                setattr(dag, name, value)

    def forget(self) -> None:
        """Let Airflow forget the DAGs of this test, with their runs."""
        with create_session() as session:  # Airflow deletes no DAG with tasks at work, as killed tests leave them
            at_work = TaskInstance.state == TaskInstanceState.RUNNING
            session.execute(delete(TaskInstance).where(TaskInstance.dag_id.in_(self.made), at_work))
        for dag_id in self.made:
            with suppress(DagNotFound):
                delete_dag(dag_id, keep_records_in_log=False)


@contextmanager
def api_server(folder: Path) -> Iterator[FastAPI]:
    """Serve Airflow's API and the page, until the end."""
    manager = f"{PickyAuthManager.__module__}.{PickyAuthManager.__name__}"
    settings = {
        "AIRFLOW__CORE__AUTH_MANAGER": manager,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
    }
    with patch.dict("os.environ", settings):
        try:
            yield create_app("core")
        finally:
            purge_cached_app()


class _Seen(HTMLParser):
    """Collects what a reader sees, and the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def seen(html: str) -> str:
    """Return the text of a page, on one line."""
    parser = _Seen()
    parser.feed(html)
    return " ".join(parser.words)


def tags(html: str, name: str | None = None) -> list[dict[str, str | None]]:
    """Return the attributes of a page's tags, of all or of those with a name."""
    parser = _Seen()
    parser.feed(html)
    return [attributes for tag, attributes in parser.tags if name in (None, tag)]


def links(html: str) -> list[str]:
    """Return where a page's links lead."""
    return [str(item["href"]) for item in tags(html, "a") if item.get("href")]
