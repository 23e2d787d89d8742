"""What the documentation says of Airflow is what the provider does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from airflow_provider_odoo_shadow.dag_factory.config import load_mirrors
from airflow_provider_odoo_shadow.dag_factory.sync_dag import build_sync_dag
from airflow_provider_odoo_shadow.dag_factory.verify_dag import build_verify_dag
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError, VerificationError
from odoo_shadow.shadow.errors import ShadowFatalError
from odoo_shadow.source.errors import OdooFatalError
from tests.support.book import ROOT, names_in, page, section
from tools import reference


def test_the_retry_policy_is_as_the_page_says() -> None:
    policy = MirrorRetryPolicy()
    not_again = (OdooFatalError, ShadowFatalError, MirrorConfigurationError, MassDeletionError, VerificationError)
    said = section(page("reference/errors.md"), "## What Airflow tries again")
    assert {f"`{kind.__name__}`" for kind in not_again} == set(re.findall(r"`\w+Error`", said))
    for kind in reference.error_classes():
        error = kind.__new__(kind)
        error.__dict__.setdefault("retry_after", None)
        decision = policy.evaluate(error, 1, 3)
        is_again = decision.action != policy.evaluate(MassDeletionError("x"), 1, 3).action
        assert is_again != isinstance(error, not_again), kind.__name__


@cache
def dags() -> Mapping[str, Any]:
    (mirror,) = load_mirrors(ROOT / "dags" / "odoo_shadow.yaml")
    return {"odoo_shadow_sync": build_sync_dag(mirror), "odoo_shadow_verify": build_verify_dag(mirror)}


@pytest.mark.parametrize("dag_id", ["odoo_shadow_sync", "odoo_shadow_verify"])
def test_the_page_has_every_task_and_parameter(dag_id: str) -> None:
    dag = dags()[dag_id]
    told = section(page("reference/airflow.md"), f"## {dag_id}")
    assert set(names_in(section(told, "### Tasks"))) == set(dag.task_ids)
    assert set(names_in(section(told, "### Trigger form"))) == set(dag.params)
