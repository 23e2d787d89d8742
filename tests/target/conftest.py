"""A database that the tests of a module share, empty at the start of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.target.emptying import empty
from tools.embedded_postgres import drop_database, new_database


@pytest.fixture(scope="module")
def one_database(postgres: str) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture
def database(one_database: str) -> Iterator[str]:
    yield one_database
    empty(one_database)
