"""Digests of the versions of a table's rows, by block of ids, from what PostgreSQL itself notes of each row.

`xmin`, the transaction that wrote a version of a row, is another one after every change, also one inside a savepoint.
It is compared for equality only: so neither open transactions nor the order of commits matter, nor that transaction ids
wrap around. VACUUM FREEZE, VACUUM FULL and CLUSTER leave it readable and as it is (seen on PostgreSQL 15 to 18).

Where transaction ids may have been given a second time, versions say nothing: after a restore, a failover or on another
server. That shows by the cluster's identifier, its timeline, and a log that has become shorter. A timeline is that of
the log itself: a server that was made the primary tells the former one as that of its checkpoint for some minutes.
A disk that was set back to a snapshot of it shows by none of these once its log has grown again: hence `write_date` is
in the digest, too, which the same transaction id has not twice.

Some changes write no row: a column that was dropped and made again has another value in all of them. That shows by the
columns' numbers. Rows that are not in PostgreSQL's own kind of table, such as a foreign one, have no such versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import LiteralString

from psycopg import sql

from odoo_shadow.source.database.catalogue import StoredField, StoredModel
from odoo_shadow.source.database.cells import PROPERTIES, is_there
from odoo_shadow.source.database.cluster import read_cluster
from odoo_shadow.source.database.conditions import domain_clause
from odoo_shadow.source.database.links import ROW
from odoo_shadow.source.database.locks import PARTS, Relations
from odoo_shadow.source.database.relations import Table
from odoo_shadow.source.database.session import Sessions, Transaction, position_in_log
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.versions import BLOCK_IDS, Versions

_SHIFT = BLOCK_IDS.bit_length() - 1
_MODULUS = 2**63 - 1

_OF_ROWS = "SELECT {row}.id::bigint >> {shift}, hashint8extended({row}.id::bigint, {version}), 1"
_XMIN: LiteralString = "{row}.xmin::text::bigint"
_WITH_DATE: LiteralString = (
    "coalesce(timestamp_hash_extended({row}.write_date, {row}.xmin::text::bigint), {row}.xmin::text::bigint)"
)
_TIMESTAMP = "timestamp without time zone"
_CONVERSIONS = {"properties": 1, "reference": 1}
"""Types whose values are made of more than their column, and the version of how: with another one, rows are read again
although they have not changed."""
_ARE_HEAPS: LiteralString = (
    "SELECT bool_and(c.relkind = 'p' OR (c.relkind = 'r' AND a.amname = 'heap'))"
    " FROM part JOIN pg_class c USING (oid) LEFT JOIN pg_am a ON a.oid = c.relam"
)


def read_versions(sessions: Sessions, model: StoredModel, reading: Reading, read_as: str) -> Versions | None:
    """Return the versions of a model's records; None where the table has none, or the role may not know the cluster.

    :param read_as: what decides about values in addition to the records.
    """
    table = model.table
    if table is None or table.is_view or not table.may_be_locked:
        return None
    linked = [model.fields[name] for name in _with_rows_elsewhere(model, reading)]
    domain = domain_clause(model, reading.domain)
    others = {item.link[0] if item.link else PROPERTIES for item in linked}
    by_row = {PROPERTIES} & others
    with sessions.transaction(model.name, Relations(tuple(sorted({table.name, *others})))) as tx:
        cluster = read_cluster(tx)
        if cluster is None or not _are_of_postgres(tx, [table.name, *by_row]):
            return None
        sessions.read_no_earlier(position_in_log(tx.cursor))
        parts: list[sql.Composable] = [_of_rows(tx, table, domain)]
        parts += [
            _of_links(tx, item) if item.type == "many2many" else _of_properties(tx, model, item) for item in linked
        ]
        rows = tx.run(
            "SELECT block, mod(sum(digest), {modulus})::bigint, sum(rows)::bigint"
            " FROM ({parts}) v (block, digest, rows) GROUP BY block",
            modulus=_MODULUS,
            parts=sql.SQL(" UNION ALL ").join(parts),
        )
    places = [[name, *table.places[name]] for name in sorted({*reading.fields} & table.places.keys())]
    names = [item.name for item in linked]
    about = [cluster.identifier, cluster.timeline, table.name, places, read_as, names, list(map(str, reading.domain))]
    about += [[name, *conversion] for name in reading.fields if (conversion := _conversion(model, name))]
    basis = hashlib.sha256(json.dumps(about, default=str).encode()).hexdigest()[:32]
    blocks = {int(block): int(digest) for block, digest, _ in rows}
    return Versions(basis, cluster.position, sum(int(number) for _, _, number in rows), blocks)


def _conversion(model: StoredModel, name: str) -> list[object]:
    """Return what decides about a field's values in addition to its column; rows are read again where it is another."""
    field = model.fields.get(name)
    if field is None or field.type not in _CONVERSIONS:
        return []
    return [_CONVERSIONS[field.type], repr(field.definition)]


def _with_rows_elsewhere(model: StoredModel, reading: Reading) -> list[str]:
    """Return the fields of a reading whose values are rows of other tables."""
    return sorted(
        name
        for name in reading.fields
        if name in model.fields
        and is_there(model, name)
        and (model.fields[name].type == "many2many" or model.fields[name].by_property)
    )


def _are_of_postgres(tx: Transaction, tables: Sequence[str]) -> bool:
    """Say whether all rows of tables are in PostgreSQL's own kind of table, those of partitions and heirs included."""
    ((are_so,),) = tx.run(PARTS + _ARE_HEAPS, schema=tx.schema, names=list(tables))
    return bool(are_so)


def _of_rows(tx: Transaction, table: Table, domain: sql.Composable) -> sql.Composed:
    has_date = table.columns.get("write_date") == _TIMESTAMP
    return sql.SQL(_OF_ROWS + " FROM {table} AS {row} WHERE {row}.id IS NOT NULL AND {domain}").format(
        row=ROW,
        shift=_SHIFT,
        version=sql.SQL(_WITH_DATE if has_date else _XMIN).format(row=ROW),
        table=tx.odoos(table.name),
        domain=domain,
    )


def _of_links(tx: Transaction, field: StoredField) -> sql.Composed:
    """Return the digests of a many2many's links: a link that goes leaves no version behind, but is missing here."""
    if field.link is None:
        raise AssertionError("a many2many without a table is not there")
    table, own, other = field.link
    return sql.SQL(
        "SELECT l.{own}::bigint >> {shift},"
        " hashint8extended(l.{own}::bigint, hashint8extended(l.{other}::bigint, {field})), 0"
        " FROM {table} l WHERE l.{own} IS NOT NULL AND l.{other} IS NOT NULL"
    ).format(own=sql.Identifier(own), other=sql.Identifier(other), shift=_SHIFT, field=field.id, table=tx.odoos(table))


def _of_properties(tx: Transaction, model: StoredModel, field: StoredField) -> sql.Composed:
    """Return the digests of a field's rows in `ir_property`, in the blocks of the records that they belong to."""
    return sql.SQL(
        "SELECT split_part(p.res_id, ',', 2)::bigint >> {shift},"
        " hashint8extended(p.id::bigint, p.xmin::text::bigint), 0"
        " FROM {table} p WHERE p.fields_id = {field} AND p.res_id ~ {pattern}"
    ).format(
        shift=_SHIFT,
        table=tx.odoos(PROPERTIES),
        field=field.id,
        pattern=f"^{model.name.replace('.', '[.]')},[0-9]{{1,18}}$",
    )
