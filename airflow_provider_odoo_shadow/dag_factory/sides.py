"""Both sides of a mirror, for the tasks that work on the mirror as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.hooks.source import odoo_source
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.port import Source


@contextmanager
def both_sides(mirror: DagConfig) -> Iterator[tuple[Source, ShadowDatabase]]:
    """Open Odoo and the shadow's database. Raises an `OdooError` or a `ShadowError`."""
    with (
        shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow,
        odoo_source(
            shadow,
            source=mirror.source,
            odoo_conn_id=mirror.api_conn_id,
            odoo_credentials=mirror.odoo_credentials,
            odoo_database_conn_id=mirror.odoo_database_conn_id,
        ) as odoo,
    ):
        yield odoo, shadow
