"""Which PostgreSQL cluster holds Odoo's database, and where in its history it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import errors as pg

from odoo_shadow.source.database.session import Transaction

_IDENTIFIER: LiteralString = "SELECT system_identifier FROM pg_control_system()"
_HISTORY: LiteralString = (
    ", CASE WHEN pg_is_in_recovery() THEN"
    " greatest((SELECT timeline_id FROM pg_control_checkpoint()),"
    " (SELECT min_recovery_end_timeline FROM pg_control_recovery()))"
    " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,"
    " CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint END"
)


@dataclass(frozen=True)
class Cluster:
    """A cluster, and where in its history it is.

    :param identifier: its system identifier, which a replica has, too.
    :param timeline: another one after each failover.
    :param position: in its log; None for a replica.
    """

    identifier: int
    timeline: int
    position: int | None


def read_identifier(tx: Transaction) -> int | None:
    """Return the system identifier of the PostgreSQL cluster; None if it is kept from the role."""
    ((may_know,),) = tx.run("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
    return int(tx.run(_IDENTIFIER)[0][0]) if may_know else None


def read_cluster(tx: Transaction) -> Cluster | None:
    """Return the cluster; None, at the end of the transaction, if it is kept from the role."""
    try:
        ((identifier, timeline, position),) = tx.run("SELECT (" + _IDENTIFIER + ")" + _HISTORY)
    except pg.InsufficientPrivilege:
        return None
    return Cluster(int(identifier), int(timeline), position)
