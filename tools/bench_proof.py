"""Benchmarks of what a run and a comparison cost when little or nothing has changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import Depth, VerifyOptions, verify_model
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.types import Argument, Json
from tools.bench_report import Measured
from tools.bench_servers import MODEL, Server, client_fields


class CountingClient(OdooClient):
    """Counts its calls, and notes what fields each reads."""

    def __init__(self, server: Server) -> None:
        super().__init__(client_fields(server))
        self.methods: list[str] = []
        self.fields: list[set[str]] = []

    def execute_kw(
        self,
        model: str,
        method: str,
        args: Sequence[Argument] = (),
        kwargs: Mapping[str, Argument] | None = None,
        *,
        can_split: bool = False,
    ) -> Json:
        """Call, and remember."""
        self.methods.append(method)
        if method == "search_read":
            fields = (kwargs or {}).get("fields")
            self.fields.append({str(name) for name in fields} if isinstance(fields, list) else set())
        return super().execute_kw(model, method, args, kwargs, can_split=can_split)

    def forget(self) -> None:
        """Start counting anew."""
        self.methods.clear()
        self.fields.clear()


def measure_proof(server: Server, odoo_dsn: str, url: str, rows: int) -> list[Measured]:
    """Measure on a table of so many rows; leaves one row less in Odoo."""
    measured: list[Measured] = []
    make_older(odoo_dsn)
    client = CountingClient(server)
    with ApiSource(client) as odoo, ShadowDatabase.from_url(url) as shadow:
        _mirror(odoo, shadow)
        client.forget()
        _mirror(odoo, shadow)
        measured.append((f"no-change run of {rows:,} rows, calls", str(len(client.methods)), "≤ 3 + 16 counts"))
        measured.append(_quick_verification(odoo, shadow, rows))
        measured.append(_deleted_row(odoo, client, shadow, odoo_dsn, rows))
        measured.append(_new_column(odoo, client, shadow))
    return measured


def make_older(odoo_dsn: str) -> None:
    """Let the rows be of an hour ago: those within the look-back are read again, and rightly so."""
    table = sql.Identifier(MODEL.replace(".", "_"))
    with psycopg.connect(odoo_dsn) as source:
        source.execute(sql.SQL("UPDATE {} SET write_date = write_date - interval '1 hour'").format(table))


def _quick_verification(odoo: ApiSource, shadow: ShadowDatabase, rows: int) -> Measured:
    started = time.perf_counter()
    found = verify_model(odoo, shadow, MODEL, run=Run(), options=MirrorOptions(), verify=VerifyOptions(Depth.QUICK))
    seconds = time.perf_counter() - started
    if found.differences:
        raise AssertionError("the shadow differs")
    return f"quick verification of {rows:,} rows, rows/s", f"{rows / seconds:,.0f}", "≥ 30,000"


def _deleted_row(odoo: ApiSource, client: CountingClient, shadow: ShadowDatabase, odoo_dsn: str, rows: int) -> Measured:
    table = sql.Identifier(MODEL.replace(".", "_"))
    with psycopg.connect(odoo_dsn) as source:
        source.execute("SET session_replication_role = replica")  # without looking through all foreign keys
        source.execute(
            sql.SQL("DELETE FROM {} WHERE id = (SELECT max(id) - %s FROM {})").format(table, table), [rows // 3]
        )
    client.forget()
    deleted = _mirror(odoo, shadow)
    if deleted != 1:
        raise AssertionError(f"{deleted} rows were removed instead of 1")
    return f"one deleted row among {rows:,}, calls of that run", str(len(client.methods)), "≤ 40"


def _new_column(odoo: ApiSource, client: CountingClient, shadow: ShadowDatabase) -> Measured:
    with shadow.transaction() as tx:
        tx.run("ALTER TABLE {table} DROP COLUMN city CASCADE", table=tx.own("odoo_shadow_res_partner"))
    client.forget()
    _mirror(odoo, shadow)
    fields = set[str]().union(*(fields for fields in client.fields if "city" in fields))
    return "fields read to fill one new column", ", ".join(sorted(fields)), "city, id"


def _mirror(odoo: ApiSource, shadow: ShadowDatabase) -> int:
    """Mirror, and return how many rows were removed."""
    return mirror_model(odoo, shadow, MODEL, run=Run(), options=MirrorOptions()).counts.deleted
