"""One writer per table: a lease in a row that only the sync's role can reach.

A lease works through a transaction pooler, where session locks do not, and ends by itself when its holder dies.
Each page renews it in its own transaction, and a writer that has lost it writes nothing more. Each renewal gives it
another token: so a writer notices that the database has lost what it committed, as after a failover to a replica that
lagged, where a pooler goes on without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowBusyError
from odoo_shadow.shadow.relations import LEASE as LEASES
from odoo_shadow.shadow.relations import SCAN_RANGE, WATERMARK

LEASE = timedelta(seconds=90)
"""How long a dead writer can keep others from a table."""

RENEW_EVERY = timedelta(seconds=15)
"""How often a living writer renews its claim while it waits for Odoo."""

_TURNS = 2**32
"""Renewals that a claim has tokens for: one a second for a century."""


@dataclass(frozen=True)
class Lease:
    """A writer's claim on a table. With each renewal it gets its next token.

    :param holder: names the run for people; a retry of the same run has the same, and takes over at once.
    :param identity: distinguishes this try from an earlier one of the same run; tokens begin like it.
    :param turn: of the newest renewal.
    :param former: the turn before, as long as it is not known whether the newest renewal was committed.
    """

    holder: str
    identity: UUID
    turn: int = 0
    former: int | None = None

    @property
    def token(self) -> UUID:
        """What the newest renewal wrote."""
        return self._token(self.turn)

    @property
    def tokens(self) -> set[UUID]:
        """What the database may hold."""
        return {self.token} if self.former is None else {self.token, self._token(self.former)}

    @property
    def all_tokens(self) -> tuple[UUID, UUID]:
        """The first and the last token that this claim may ever have."""
        return self._token(0), self._token(_TURNS - 1)

    def _token(self, turn: int) -> UUID:
        return UUID(int=self.identity.int // _TURNS * _TURNS + turn)

    def is_own(self, token: UUID | None) -> bool:
        """Say whether a token is one of this claim's."""
        first, last = self.all_tokens
        return token is not None and first <= token <= last

    def renewed(self, found: UUID) -> Lease:
        """Return the claim with its next token, in place of the one that was found."""
        return replace(self, turn=self.turn + 1, former=found.int % _TURNS)

    def committed(self) -> Lease:
        """Return the claim whose newest renewal counts."""
        return replace(self, former=None)


def take_lease(tx: Transaction, table: str, lease: Lease) -> None:
    """Claim a table that is free, whose lease has expired, or that an earlier try of this run holds.

    :raises ShadowBusyError: says who holds it and until when.
    """
    try:
        with tx.cursor.connection.transaction():
            is_free = _lock_row(tx, table, lease.holder)
    except psycopg.errors.LockNotAvailable:
        is_free = False  # its holder is in the middle of a page
    if not is_free:
        holder, until = _newest_claim(tx, table)
        raise ShadowBusyError(
            f"{tx.schema}.{table} is being written by {holder or 'another run'}; if that run is dead, the table is "
            f"free again at {until.astimezone(UTC):%H:%M:%S} UTC.",
            holder,
        )
    _extend(tx, table, lease)


def _newest_claim(tx: Transaction, table: str) -> tuple[str | None, datetime]:
    """Return who holds a table, or a range of it, and until when."""
    rows = tx.run(
        "SELECT held_by, held_until FROM {claims} AS claim WHERE held_until >= clock_timestamp()"
        " ORDER BY held_until DESC LIMIT 1",
        claims=_claims(tx, table),
    )
    return rows[0] if rows else (None, datetime.now(UTC) + LEASE)


def _claims(tx: Transaction, table: str) -> sql.Composed:
    """Return the claims on a table, and those on ranges of it."""
    return sql.SQL(
        "(SELECT held_by, held_until FROM {leases} WHERE table_name = {table} UNION ALL"
        " SELECT held_by, held_until FROM {ranges} WHERE table_name = {table})"
    ).format(leases=tx.internal(LEASES), ranges=tx.internal(SCAN_RANGE), table=table)


def _lock_row(tx: Transaction, table: str, holder: str) -> bool:
    """Lock a table's row for this transaction, and return whether this run may take the table."""
    tx.run(
        "SET LOCAL lock_timeout TO '1s'; INSERT INTO {leases} (table_name) VALUES ({table})"
        " ON CONFLICT (table_name) DO NOTHING; INSERT INTO {watermark} (table_name) VALUES ({table})"
        " ON CONFLICT (table_name) DO NOTHING",
        leases=tx.internal(LEASES),
        watermark=tx.own(WATERMARK),
        table=table,
    )
    tx.run("SELECT 1 FROM {leases} WHERE table_name = {table} FOR UPDATE", leases=tx.internal(LEASES), table=table)
    # The claims of dead workers end: one that was only silent finds that out with its next page.
    tx.run(
        "UPDATE {ranges} SET held_by = NULL, held_token = NULL, held_until = NULL WHERE table_name = {table}"
        " AND (held_until < clock_timestamp() OR held_by = {holder})",
        ranges=tx.internal(SCAN_RANGE),
        table=table,
        holder=holder,
    )
    ((is_free,),) = tx.run(
        "SELECT NOT EXISTS (SELECT FROM {claims} AS claim WHERE held_until >= clock_timestamp()"
        " AND held_by IS DISTINCT FROM {holder})",
        claims=_claims(tx, table),
        holder=holder,
    )
    return bool(is_free)


def is_free(tx: Transaction, table: str) -> bool:
    """Say whether no live run writes a table."""
    return living_holder(tx, table) is None


def living_holder(tx: Transaction, table: str) -> str | None:
    """Return the run that writes a table now, None if there is none."""
    rows = tx.run(
        "SELECT coalesce(held_by, '') FROM {claims} AS claim WHERE held_until >= clock_timestamp() LIMIT 1",
        claims=_claims(tx, table),
    )
    return str(rows[0][0]) if rows else None


def renew_lease(tx: Transaction, table: str, lease: Lease) -> Lease:
    """Lock the table's row for this transaction and extend the claim; return it with its new token.

    :raises ShadowBusyError: another run has taken the table over, or the database has lost what this one wrote last;
        nothing of this transaction may stay.
    """
    ((holder, token),) = tx.run(
        "SELECT held_by, held_token FROM {leases} WHERE table_name = {table} FOR UPDATE",
        leases=tx.internal(LEASES),
        table=table,
    ) or [(None, None)]
    check_claim(f"{tx.schema}.{table}", lease, holder, token)
    renewed = lease.renewed(token)
    _extend(tx, table, renewed)
    return renewed


def check_claim(what: str, lease: Lease, holder: str | None, token: UUID | None) -> None:
    """Make sure that the database holds what a claim's last committed renewal wrote.

    :param what: the table, and the range.
    :raises ShadowBusyError: it does not.
    """
    if token in lease.tokens:
        return
    lost = "the database has lost what this run wrote last, as after a failover to a server that lagged"
    if lease.is_own(token):
        raise ShadowBusyError(f"{what}: {lost}: the next try goes on from what is there.")
    or_lost = f", or {lost}" if holder is None else ""
    raise ShadowBusyError(
        f"{what} was taken over by {holder or 'another run'} after this run had been silent for more than "
        f"{LEASE.total_seconds():g} seconds{or_lost}."
    )


def release_lease(tx: Transaction, table: str, lease: Lease) -> bool:
    """Release the table, if this try still holds it; return whether it did."""
    tx.run(
        "UPDATE {leases} SET held_by = NULL, held_token = NULL, held_until = NULL"
        " WHERE table_name = {table} AND held_token BETWEEN {first} AND {last}",
        leases=tx.internal(LEASES),
        table=table,
        first=lease.all_tokens[0],
        last=lease.all_tokens[1],
    )
    return tx.cursor.rowcount > 0


def _extend(tx: Transaction, table: str, lease: Lease) -> None:
    tx.run(
        "UPDATE {leases} SET held_by = {holder}, held_token = {token}, held_until = clock_timestamp() + {lease}"
        " WHERE table_name = {table}",
        leases=tx.internal(LEASES),
        table=table,
        holder=lease.holder,
        token=lease.token,
        lease=LEASE,
    )
