"""The blocks of ids in which a table is counted."""

from __future__ import annotations

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.tables import ids
from odoo_shadow.shadow.tables.ids import Block, LiveIds, add_mark_column
from tests.support.tables import make_table

IN_A_ROW, FAR_APART, WIDE = 60_000, 20_000, 400
"""More than what is sampled: each row takes so many bytes."""


def fill(shadow: ShadowDatabase, table: str, number: int, step: int, start: int = 0) -> None:
    """Add rows with ids at the same distance."""
    with shadow.transaction() as tx:
        tx.run(
            "INSERT INTO {table} (id, name) SELECT {start} + n * {step}::bigint, repeat('x', {wide})"
            " FROM generate_series(1, {number}) AS n",
            table=tx.own(table),
            wide=WIDE,
            start=start,
            step=step,
            number=number,
        )


def test_blocks_are_of_about_the_same_size_however_ids_lie(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    fill(shadow, table, FAR_APART, 1_000_003)
    fill(shadow, table, IN_A_ROW, -1)
    fill(shadow, table, 1, -1, start=names.LEAST_ID + 1)
    fill(shadow, table, 1, 1, start=2**63 - 2)
    with shadow.transaction() as tx:
        add_mark_column(tx, table)
        live = LiveIds.of(tx, table)
        assert live.remove(tx, list(range(-2000, 0)), OnDelete.MARK) == 2000
        pages = int(tx.run("SELECT pg_relation_size({name}) / 8192", name=tx.own(table).as_string(tx.cursor))[0][0])
        assert pages > 4 * ids._SAMPLED_PAGES
        blocks = live.blocks(tx, 100, 16)
        edges = [block.up_to_id for block in blocks]
        counted = [live.count(tx, low, high) for low, high in zip([None, *edges], edges, strict=False)]
    assert len(blocks) == 16 and edges[-1] is None and edges[:-1] == sorted({*edges[:-1]})  # type: ignore[type-var]
    assert [block.rows for block in blocks] == counted
    rows = IN_A_ROW + FAR_APART + 2 - 2000
    assert sum(counted) == rows and max(counted) < 2 * rows / 16


def test_small_tables_have_few_blocks(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    with shadow.transaction() as tx:
        assert LiveIds.of(tx, table).blocks(tx, 10, 4) == [Block(None, 0)]
    fill(shadow, table, 30, 1)
    with shadow.transaction() as tx:
        live = LiveIds.of(tx, table)
        assert live.blocks(tx, 30, 4) == [Block(None, 30)]
        assert live.blocks(tx, 29, 4) == [Block(15, 15), Block(None, 15)]
        assert [block.rows for block in live.blocks(tx, 1, 3)] == [10, 10, 10]
