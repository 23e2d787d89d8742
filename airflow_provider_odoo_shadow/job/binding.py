"""Binds a shadow schema to the Odoo database that it mirrors."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooAccessError
from airflow_provider_odoo_shadow.target.base import (
    Origin,
    check_origin,
    claim_origin,
    ensure_base,
    recorded_origin,
    schema_version,
)
from airflow_provider_odoo_shadow.target.database import ShadowDatabase, Transaction
from airflow_provider_odoo_shadow.target.public_views import BOOKS, publish


def bind(odoo: OdooClient, shadow: ShadowDatabase) -> None:
    """Make or upgrade the schema, and make sure that it belongs to this Odoo database.

    :raises ShadowOwnershipError: it mirrors another one.
    """
    with shadow.transaction() as tx:
        if ensure_base(tx):
            publish(tx, BOOKS)
        is_bound = _has_same_address(recorded_origin(tx), odoo)
    if not is_bound:
        identified = replace(_address(odoo), uuid=_database_uuid(odoo))
        with shadow.transaction() as tx:
            claim_origin(tx, identified)


def check_binding(tx: Transaction, odoo: OdooClient) -> None:
    """Make sure that the schema may mirror this Odoo database, without writing anything.

    :raises ShadowOwnershipError: it mirrors another one.
    """
    owner = recorded_origin(tx) if schema_version(tx) else None
    if owner is not None and not _has_same_address(owner, odoo):
        check_origin(tx, owner, replace(_address(odoo), uuid=_database_uuid(odoo)))


def _has_same_address(owner: Origin | None, odoo: OdooClient) -> bool:
    return owner is not None and replace(owner, uuid=None) == _address(odoo)


def _address(odoo: OdooClient) -> Origin:
    return Origin(odoo.connection.url, odoo.connection.database)


def _database_uuid(odoo: OdooClient) -> str | None:
    try:
        found = odoo.look_up("ir.config_parameter", [("key", "=", "database.uuid")], ["value"])
    except OdooAccessError:
        return None  # integration users may not read it; then address and name identify the database
    return found[0].text("value") or None if found else None
