"""Fixtures of the tests about documents, embeddings and search."""

from __future__ import annotations

import pytest
from tenacity import wait_none

from odoo_shadow.knowledge.embedding import openai


@pytest.fixture(autouse=True)
def no_pause_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that fails is asked again at once, unless it asks for a wait."""
    monkeypatch.setattr(openai, "_BACK_OFF", wait_none())
