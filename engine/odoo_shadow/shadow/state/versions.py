"""The versions of records that a table holds, as a source told them when the table was brought up to date.

Those of a scan that reads everything are noted when it begins, so that it may take several tries, and count when it has
ended: what has changed since differs from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import VERSION, VERSION_BLOCK


@dataclass(frozen=True)
class StoredVersions:
    """What `source.versions.Versions` has, and the fields that were read.

    :param fields: those whose values have versions of their own.
    """

    basis: str
    position: int | None
    rows: int
    fields: tuple[str, ...]
    blocks: Mapping[int, int]


def read_versions(tx: Transaction, tables: Sequence[str]) -> dict[str, StoredVersions]:
    """Return the versions of those tables of which they are known, by table."""
    heads = tx.run(
        "SELECT table_name, basis, position, row_count, fields FROM {version}"
        " WHERE table_name = ANY({tables}::text[]) AND is_held",
        version=tx.internal(VERSION),
        tables=list(tables),
    )
    blocks: dict[str, dict[int, int]] = {}
    for table, block, digest in tx.run(
        "SELECT table_name, block, digest FROM {blocks} WHERE table_name = ANY({tables}::text[])",
        blocks=tx.internal(VERSION_BLOCK),
        tables=[str(row[0]) for row in heads],
    ):
        blocks.setdefault(str(table), {})[int(block)] = int(digest)
    return {
        str(table): StoredVersions(basis, position, int(rows), tuple(fields), blocks.get(str(table), {}))
        for table, basis, position, rows, fields in heads
    }


def store_versions(tx: Transaction, table: str, versions: StoredVersions, *, is_held: bool = True) -> None:
    """Record which versions a table holds now, in the transaction that makes it true; write only what differs.

    :param is_held: false for those that it will hold when the scan that begins now has ended.
    """
    tx.run(
        "INSERT INTO {version} (table_name, basis, position, fields, row_count, is_held)"
        " VALUES ({table}, {basis}, {position}, {fields}::text[], {rows}, {is_held})"
        " ON CONFLICT (table_name) DO UPDATE SET basis = excluded.basis, position = excluded.position,"
        " fields = excluded.fields, row_count = excluded.row_count, is_held = excluded.is_held",
        version=tx.internal(VERSION),
        table=table,
        basis=versions.basis,
        position=versions.position,
        fields=list(versions.fields),
        rows=versions.rows,
        is_held=is_held,
    )
    store_blocks(tx, table, versions.blocks)
    tx.run(
        "DELETE FROM {blocks} WHERE table_name = {table} AND block <> ALL({kept}::bigint[])",
        blocks=tx.internal(VERSION_BLOCK),
        table=table,
        kept=list(versions.blocks),
    )


def store_blocks(tx: Transaction, table: str, blocks: Mapping[int, int]) -> None:
    """Record the versions of some blocks whose rows the table holds now."""
    if blocks:
        tx.run(
            "INSERT INTO {blocks} AS b (table_name, block, digest)"
            " SELECT {table}, * FROM unnest({numbers}::bigint[], {digests}::bigint[])"
            " ON CONFLICT (table_name, block) DO UPDATE SET digest = excluded.digest"
            " WHERE b.digest <> excluded.digest",
            blocks=tx.internal(VERSION_BLOCK),
            table=table,
            numbers=list(blocks),
            digests=list(blocks.values()),
        )


def hold_versions(tx: Transaction, table: str) -> None:
    """Let the versions count that were noted when a scan began: it has ended."""
    tx.run("UPDATE {version} SET is_held = true WHERE table_name = {table}", version=tx.internal(VERSION), table=table)


def forget_versions(tx: Transaction, table: str) -> None:
    """Forget the versions of a table: something else than their source has written it."""
    tx.run("DELETE FROM {version} WHERE table_name = {table}", version=tx.internal(VERSION), table=table)
