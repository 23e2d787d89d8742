"""Arguments of the operator and parameters of a run: what would be taken for something else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.errors import ShadowConfigurationError
from tests.support.dag_runs import run, states

if TYPE_CHECKING:
    from airflow.sdk import DAG, Context

NO_CONTEXT = cast("Context", {})


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ({"full": "False"}, "full is text, but must be True or False."),
        ({"preview": "false"}, "preview is text, but must be True or False."),
        ({"allow_mass_delete": "no"}, "allow_mass_delete is text, but must be True or False."),
        ({"allow_mass_delete": 1}, "allow_mass_delete is 1, but must be True or False."),
        ({"batch_size": "2000"}, "batch_size is text, but must be a whole number."),
        ({"batch_size": True}, "batch_size is True, but must be a whole number."),
        ({"look_back": 15}, "look_back is 15, but must be a timedelta, such as timedelta(minutes=15)."),
        ({"on_delete": "Delete"}, "on_delete is text, but must be one of delete, mark, ignore."),
        ({"on_delete": ""}, "on_delete is empty, but must be one of delete, mark, ignore."),
        ({"model_settings": ["phone"]}, "The settings of res.partner: a list is not a mapping of settings by name."),
        (
            {"model_settings": {"exclude_field": ["phone"]}},
            "The settings of res.partner, exclude_field: there is no such setting (did you mean exclude_fields?).",
        ),
        (
            {"model_settings": {"exclude_fields": "phone"}},
            "The settings of res.partner, exclude_fields: it must be a list: put [ ] around it (it is text).",
        ),
    ],
)
def test_an_argument_that_python_would_take_for_something_else(argument: dict[str, Any], said: str) -> None:
    operator = OdooToPostgresOperator(task_id="partners", model="res.partner", **argument)
    with pytest.raises(MirrorConfigurationError) as caught:
        operator.execute(NO_CONTEXT)
    assert str(caught.value) == said


def test_the_arguments_that_there_are_are_as_before() -> None:
    operator = OdooToPostgresOperator(
        task_id="t", model="res.partner", full=True, on_delete="mark", look_back=timedelta(0), odoo_conn_id="nowhere"
    )
    with pytest.raises(KeyError, match="dag_run"):  # all of them have been looked at
        operator.execute(NO_CONTEXT)


@pytest.mark.parametrize("schema", ["", "pg_x", "pg_", "information_schema", " ", "a\nb", 5, None])
def test_a_schema_that_cannot_be(schema: object) -> None:
    from airflow_provider_odoo_shadow.hooks.shadow import shadow_database

    with pytest.raises(ShadowConfigurationError, match=r"must have a name|cannot hold a mirror"):
        shadow_database("nowhere", cast("str", schema))


@pytest.mark.nightly
def test_a_parameter_of_the_verification_that_there_is_not_fails_the_run(dags: Mapping[str, DAG]) -> None:
    """Otherwise a run that was to look only would repair."""
    dag_run = run(dags["odoo_shadow_verify"], repiar=False)
    assert dag_run.state == "failed"
    assert states(dag_run)["plan"] == "failed"
