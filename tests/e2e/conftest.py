"""One Airflow for all files of this folder: it takes a minute to come up and to load all models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deployment import Deployment, running_deployment


@pytest.fixture(scope="package")
def deployment(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A whole deployment; a test leaves no run behind that is active, and no DAG paused."""
    with running_deployment(postgres, tmp_path_factory.mktemp("airflow")) as running:
        yield running
