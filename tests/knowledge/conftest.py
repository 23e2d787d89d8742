"""Fixtures of the tests about documents, embeddings and search."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tenacity import wait_none

from odoo_shadow.knowledge.embedding import openai
from tests.support.mcp_site import Site, make_site
from tools.embedded_postgres import drop_database, new_database


@pytest.fixture(autouse=True)
def no_pause_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that fails is asked again at once, unless it asks for a wait."""
    monkeypatch.setattr(openai, "_BACK_OFF", wait_none())


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Site]:
    """A small mirror with a mart and documents, and a login that may only read."""
    url = new_database(postgres)
    with make_site(url) as made:
        yield made
    drop_database(postgres, url)
