"""The connection of an endpoint for embeddings: every form that people write, and what is wrong in one sentence."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

import pytest

from airflow_provider_odoo_shadow.hooks.embeddings import embedder_of
from odoo_shadow.knowledge.embedding.errors import EmbeddingConfigurationError, EmbeddingError
from tests.support.embeddings import KEY, MODEL, NAME, endpoint

GOOD = {"conn_type": "http", "host": "https://api.example.com/v1", "password": KEY, "extra": {"model": MODEL}}


@pytest.fixture(autouse=True)
def metadata(airflow_database: None) -> None:
    """Airflow looks connections up in its database, too."""


def test_every_form_leads_to_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint() as there:
        parts = urlsplit(there.server.url)
        extra = {"model": MODEL, "dimensions": "4", "timeout": 5}
        forms = (
            json.dumps({**GOOD, "host": f"{there.server.url}/v1", "extra": extra}),
            json.dumps({**GOOD, "host": f"{there.server.url}/v1/embeddings", "extra": extra}),
            json.dumps({**GOOD, "host": parts.hostname, "port": parts.port, "extra": extra}),
            json.dumps({**GOOD, "host": f"{parts.hostname}/v1", "port": parts.port, "schema": "http", "extra": extra}),
            f"http://:{quote(KEY)}@{parts.hostname}:{parts.port}/v1?model={MODEL}&dimensions=4",
        )
        for form in forms:
            monkeypatch.setenv("AIRFLOW_CONN_VECTORS", form)
            with embedder_of(None, "vectors") as embedder:
                assert embedder is not None and (embedder.name, embedder.dimensions) == (NAME, 4), form
        assert {request.path for request in there.server.requests} == {"/v1/embeddings"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"extra": {}}, "The extra model of Airflow connection 'vectors' is missing: set it to the name"),
        ({"extra": {"modle": MODEL}}, "there is no extra field 'modle' (did you mean model?)."),
        ({"extra": {"model": MODEL, "dimensions": "many"}}, "its extra dimensions must be a whole number"),
        ({"extra": {"model": MODEL, "dimensions": 9_999}}, "vectors have between 1 and 4,000 dimensions"),
        ({"extra": {"model": MODEL, "timeout": True}}, "its extra timeout must be a number of seconds"),
        ({"login": "me"}, "an endpoint has a key, in the password, and no login."),
        ({"host": "http://api.example.com/v1"}, "set the extra allow_http=true of Airflow connection 'vectors'"),
        ({"host": "ftp://api.example.com"}, "The host of Airflow connection 'vectors' is not local, none or a URL"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, object], said: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_VECTORS", json.dumps({**GOOD, **changed}))
    with pytest.raises((EmbeddingConfigurationError, EmbeddingError)) as caught, embedder_of(None, "vectors"):
        pass
    assert said in str(caught.value)
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)


def test_a_connection_that_is_not_there() -> None:
    with pytest.raises(EmbeddingConfigurationError) as caught, embedder_of(None, "absent"):
        pass
    assert str(caught.value).startswith("There is no Airflow connection 'absent' for embeddings: add it, of type HTTP")
    with embedder_of("none", None) as embedder:
        assert embedder is None
