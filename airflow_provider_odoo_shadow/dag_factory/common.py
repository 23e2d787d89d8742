"""What all DAGs of a mirror have in common, and all tasks that are tried again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

import pendulum

from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy


class DagArguments(TypedDict):
    """The arguments of a DAG that do not depend on what it does."""

    start_date: datetime
    catchup: bool
    max_active_runs: int
    tags: list[str]
    default_args: dict[str, str]


def dag_arguments(mirror: DagConfig) -> DagArguments:
    """Return what each of a mirror's DAGs has: one run at a time, no runs of the past, owner and tags."""
    return DagArguments(
        start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=["odoo", "odoo-shadow", *mirror.tags],
        default_args={"owner": mirror.owner} if mirror.owner else {},
    )


class Retries(TypedDict):
    """The arguments of a task that say when it is tried again."""

    retries: int
    retry_delay: timedelta
    retry_exponential_backoff: float
    retry_policy: MirrorRetryPolicy


def retries(mirror: DagConfig) -> Retries:
    """Return how often and when a task of a mirror is tried again."""
    return Retries(
        retries=mirror.retries,
        retry_delay=timedelta(seconds=mirror.retry_delay_seconds),
        retry_exponential_backoff=2,
        retry_policy=MirrorRetryPolicy(),
    )
