"""Brings documents up to date: makes those anew whose rows have changed, and removes those of records that are gone.

Each batch is a transaction of its own, so that whatever ends a pass, the next one does the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import LiteralString

from odoo_shadow.knowledge.documents.catalogue import Catalogue
from odoo_shadow.knowledge.documents.plan import Plan, Rows, Wanted
from odoo_shadow.knowledge.documents.query import changed_query, gone_query, records_query
from odoo_shadow.knowledge.documents.readers import Readers, read_readers
from odoo_shadow.knowledge.documents.render import RENDERING, Lines, write_document
from odoo_shadow.knowledge.documents.resolve import make_plan
from odoo_shadow.knowledge.documents.store import (
    Stored,
    Written,
    as_of_tables,
    finish_model,
    lock_model,
    register_model,
    remove_gone,
    write_documents,
)
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.state.schema import Origin

BATCH = 1_000
"""Documents of one transaction."""

_MOST_CHARACTERS = 2_000_000
"""Characters of the texts of one statement, about."""

_ADDRESS: LiteralString = "{url}/web#id={id}&model={model}&view_type=form"
"""Odoo 18 and 19 lead on from this address of earlier versions."""


@dataclass(frozen=True)
class Refreshed:
    """What a pass has done about one model.

    :param checked: documents whose rows were other versions, and that were written anew.
    :param total: how many documents there are now.
    """

    model: str
    added: int
    changed: int
    removed: int
    checked: int
    total: int

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing had to be done."""
        return not (self.added or self.changed or self.removed)


def refresh_model(
    shadow: ShadowDatabase,
    catalogue: Catalogue,
    readers: Readers,
    origin: Origin | None,
    wanted: Wanted,
    on_progress: Callable[[int, int], None],
) -> Refreshed:
    """Bring the documents of one model up to date.

    :param on_progress: is told how many documents of how many have been written.
    :raises TemplateError: the template names what there is not.
    :raises ShadowError: the database does not let it.
    """
    plan = make_plan(catalogue, wanted)
    form, readers_now = _form(plan, readers, origin), readers.digest(plan.tables)
    with shadow.transaction() as tx:
        register_model(tx, plan, readers_now)
        as_of = as_of_tables(tx, plan.tables)
        is_loaded = as_of_tables(tx, [plan.records.table]) is not None
    with shadow.transaction() as tx:
        lock_model(tx, plan.model, readers_now)
        # Rows that are still being loaded again are not gone.
        removed = remove_gone(tx, plan.model, gone_query(tx.schema, plan, readers)) if is_loaded else 0
        rows = tx.run("{query}", query=changed_query(tx.schema, plan, readers, form))
    ids = [int(row[0]) for row in rows]
    written = Written()
    for start in range(0, len(ids), BATCH):
        with shadow.transaction() as tx:
            lock_model(tx, plan.model, readers_now)
            written += _write(tx, plan, readers, form, origin, ids[start : start + BATCH])
        on_progress(min(start + BATCH, len(ids)), len(ids))
    with shadow.transaction() as tx:
        # Of now, not of when the pass began: what has been restricted meanwhile must not be shown.
        lock_model(tx, plan.model, read_readers(tx).digest(plan.tables))
        total = finish_model(tx, plan, as_of)
    return Refreshed(plan.model, written.added, written.changed, removed, len(ids), total)


def _write(
    tx: Transaction, plan: Plan, readers: Readers, form: str, origin: Origin | None, ids: Sequence[int]
) -> Written:
    written, documents, size = Written(), list[Stored](), 0
    for odoo_id, digest, companies, company, values, *belonging in tx.run(
        "{query}", query=records_query(tx.schema, plan, readers, form, ids)
    ):
        lines = [Lines(first or (), number or 0) for first, number in zip(belonging[::2], belonging[1::2], strict=True)]
        made = write_document(plan, odoo_id, values, lines)
        url = _address(origin.url, plan.model, odoo_id) if origin is not None and origin.url else None
        seen_by = "{" + ",".join(map(str, companies)) + "}"
        documents.append(Stored(made, plan.language, company, seen_by, url, digest))
        size += len(made.body)
        if size > _MOST_CHARACTERS:
            written, documents, size = written + write_documents(tx, plan.model, documents), [], 0
    return written + (write_documents(tx, plan.model, documents) if documents else Written())


def _address(url: str, model: str, odoo_id: int) -> str:
    return _ADDRESS.format(url=url.rstrip("/"), model=model, id=odoo_id)


def _form(plan: Plan, readers: Readers, origin: Origin | None) -> str:
    """Return a digest of all that documents depend on besides their rows."""
    said = [
        RENDERING,
        plan.language,
        [plan.title, plan.named, plan.body, plan.names, plan.date, plan.state, plan.company],
        None if origin is None else origin.url,
        readers.digest(plan.tables),
        [_described(rows) for rows in (plan.records, *plan.lines)],
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _described(rows: Rows) -> list[object]:
    values = [[item.label, item.kind, item.parts, dict(item.choices), item.currency] for item in rows.values]
    return [rows.label, rows.table, [[*vars(join).values()] for join in rows.joins], values]
