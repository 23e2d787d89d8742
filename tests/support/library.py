"""A library in memory, mirrored: small enough to be compared cell by cell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import sql

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model, no_report
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.fields import Field
from tests.support.memory_source import MemorySource

BOOK, TABLE = "library.book", "odoo_shadow_library_book"
ODD = 'tab\tline\nreturn\rback\\slash "quoted" ünïcode \U0001f4d6 \\N'


def library_of(*, gives_copies: bool = False, tells_versions: bool = False) -> MemorySource:
    """Ten books; a page has four."""
    made = MemorySource(gives_copies=gives_copies, tells_versions=tells_versions)
    made.add_model(
        BOOK,
        Field("name", "char"),
        Field("pages", "integer"),
        Field("price", "float", has_digits=True),
        Field("is_lent", "boolean"),
        Field("printed_on", "date"),
        Field("author_id", "many2one", relation="library.author"),
        Field("cover", "binary"),
    )
    made.create(BOOK, 9, name="A book", pages=120, price=12.5, is_lent=True, printed_on="1999-12-31", author_id=7)
    made.create(BOOK, name=ODD)
    made.wait()
    return made


def mirror(library: MemorySource, shadow: ShadowDatabase, **options: Any) -> MirrorResult:
    report = options.pop("on_progress", no_report)
    settings = options.pop("settings", None)
    chosen = MirrorOptions(batch_size=options.pop("batch", 4), wait=timedelta(0), **options)
    return mirror_model(library, shadow, BOOK, run=Run(), options=chosen, settings=settings, on_progress=report)


def rows(shadow: ShadowDatabase, *columns: str) -> list[tuple[Any, ...]]:
    with shadow.transaction() as tx:
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        return tx.run("SELECT {listed} FROM {table} ORDER BY id", listed=listed, table=tx.own(TABLE))


def is_equal(library: MemorySource, shadow: ShadowDatabase) -> bool:
    """Whether every column of the shadow says what the library says."""
    fields = ("id", "name", "pages", "price", "is_lent", "author_id")
    ours = rows(shadow, *fields)
    empty = {"is_lent": False}
    theirs = [
        tuple(record[name] if record[name] is not False else empty.get(name) for name in fields)
        for _, record in sorted(library.models[BOOK].records.items())
    ]
    return [(*row[:3], None if row[3] is None else float(row[3]), *row[4:]) for row in ours] == theirs
