"""Binds a shadow schema to the Odoo database that it mirrors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.names import table_name
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.state.schema import (
    Origin,
    accept_origin,
    check_origin,
    claim_origin,
    is_recorded,
    recorded_origin,
    schema_version,
)
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.shadow.state.sync_log import has_run
from odoo_shadow.shadow.tables.present import recognize
from odoo_shadow.shadow.views.public_views import PUBLIC, READ_BY_MANY, check_public
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source, beside_of
from odoo_shadow.text.log import logger

log = logger(__name__)


def bind(odoo: Source, shadow: ShadowDatabase, models: Sequence[str] = ()) -> None:
    """Create or upgrade the schema, and make sure that it belongs to this Odoo database.

    Odoo is asked once per client, for the uuid of its database.

    :param models: what will be mirrored; before a first run, nothing else may have their names in `public`.
    :raises OdooConfigurationError: the API beside Odoo's own database is of another database.
    :raises ShadowOwnershipError: it mirrors another database, or holds objects of roles that are not trusted.
    :raises ShadowConflictError: something else has the names of the shadow's views.
    """
    with shadow.transaction() as tx:
        version = schema_version(tx)
        if not version or not has_run(tx):  # the schema may be there from a file of ddl
            check_public(tx, [table_name(model) for model in models])
            if not version and tx.schema == PUBLIC:
                log.warning("The schema is public: %s.", READ_BY_MANY)
        if version < VERSION:
            ensure_base(tx)
        recognize(tx)
        owner = recorded_origin(tx)
    origin = _origin(odoo)
    if not is_recorded(owner, origin):
        with shadow.transaction() as tx:
            claim_origin(tx, origin)


def check_names_in_public(shadow: ShadowDatabase) -> None:
    """Make sure, after a run, that whoever queries a mirrored table's name in `public` sees the shadow.

    :raises ShadowConflictError: something else has the name by now.
    """
    with shadow.transaction() as tx:
        if schema_version(tx):
            check_public(tx, [item.table for item in list_tables(tx)])


def check_binding(odoo: Source, shadow: ShadowDatabase) -> None:
    """Make sure that the schema may mirror this Odoo database, without writing anything.

    :raises ShadowOwnershipError: it mirrors another database.
    """
    origin = _origin(odoo)
    with shadow.transaction() as tx:
        owner = recorded_origin(tx) if schema_version(tx) else None
        if owner is not None:
            check_origin(tx, owner, origin)


def accept_database(odoo: Source, shadow: ShadowDatabase) -> None:
    """Let the schema mirror whatever database is at its address now: all watermarks are forgotten.

    The next run then reads every table whole, and removes what is gone; a suspicious share still has to be allowed.

    :raises ShadowOwnershipError: the schema mirrors a database at another address.
    """
    with shadow.transaction() as tx:
        if not schema_version(tx):
            return
        ensure_base(tx)
        owner = recorded_origin(tx)
        if owner is None:
            return
        origin = _origin(odoo)
        check_origin(tx, owner.accepting(origin), origin)
        accept_origin(tx)
    log.warning(
        "Schema '%s' mirrors what is at %s, database '%s', from now on: the next run reads every table whole, and "
        "needs --allow-mass-delete where a suspicious share of the rows is gone.",
        shadow.schema,
        odoo.access.url,
        odoo.access.database,
    )


def _origin(odoo: Source) -> Origin:
    """Read where the records come from. With the API beside its database, both must be of one Odoo database."""
    state, beside = odoo.database_state(), beside_of(odoo)
    origin = Origin(
        odoo.access.url,
        odoo.access.database,
        uuid=state.uuid,
        is_neutralized=state.is_neutralized,
        cluster=state.cluster,
        is_api_url=odoo.access.kind is SourceKind.API or beside is not None,
        source=str(odoo.access.kind),
    )
    if beside is not None:
        _check_beside(origin, beside)
    return replace(origin, url=beside.access.url) if beside is not None else origin


def _check_beside(origin: Origin, beside: Source) -> None:
    state = beside.database_state()
    uuids = {origin.uuid, state.uuid} - {None}
    flags = {origin.is_neutralized, state.is_neutralized} - {None}
    if origin.database != beside.access.database or len(uuids) > 1 or len(flags) > 1:
        raise OdooConfigurationError(
            f"The API at {beside.access.url}, database '{beside.access.database}', is not of the Odoo database "
            f"'{origin.database}' that is read beside it: correct one of both connections, or leave out the API's."
        )
