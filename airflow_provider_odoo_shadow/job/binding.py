"""Binds a shadow schema to the Odoo database that it mirrors."""

from __future__ import annotations

from collections.abc import Sequence
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
from airflow_provider_odoo_shadow.target.base_statements import VERSION
from airflow_provider_odoo_shadow.target.database import ShadowDatabase, Transaction
from airflow_provider_odoo_shadow.target.names import table_name
from airflow_provider_odoo_shadow.target.present import recognize
from airflow_provider_odoo_shadow.target.public_views import check_public
from airflow_provider_odoo_shadow.target.registry import list_tables


def bind(odoo: OdooClient, shadow: ShadowDatabase, models: Sequence[str] = ()) -> None:
    """Make or upgrade the schema, and make sure that it belongs to this Odoo database.

    :param models: what will be mirrored; before a first run, nothing else may have their names in `public`.
    :raises ShadowOwnershipError: it mirrors another one, or holds what roles own that are not trusted.
    :raises ShadowConflictError: something else has the names of the shadow's views.
    """
    with shadow.transaction() as tx:
        version = schema_version(tx)
        if not version:
            check_public(tx, [table_name(model) for model in models])
        if version < VERSION:
            ensure_base(tx)
        recognize(tx)
        is_bound = _has_same_address(recorded_origin(tx), odoo)
    if not is_bound:
        identified = replace(_address(odoo), uuid=_database_uuid(odoo))
        with shadow.transaction() as tx:
            claim_origin(tx, identified)


def check_names_in_public(shadow: ShadowDatabase) -> None:
    """Make sure, after a run, that whoever queries a mirrored table's name in `public` sees the shadow.

    :raises ShadowConflictError: something else has come to stand there.
    """
    with shadow.transaction() as tx:
        if schema_version(tx):
            check_public(tx, [item.table for item in list_tables(tx)])


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
