"""Counts where Odoo's tables and its API differ: archived many2many targets, and numbers that no double holds."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from psycopg import sql

from odoo_shadow.source.database.catalogue import StoredField, StoredModel
from odoo_shadow.source.database.cells import is_there
from odoo_shadow.source.database.links import ROW
from odoo_shadow.source.database.locks import Relations
from odoo_shadow.source.database.relations import Table, read_tables
from odoo_shadow.source.database.session import Sessions, Transaction
from odoo_shadow.source.differences import Differences, FieldRows
from odoo_shadow.source.errors import OdooError

_RULES = "ir_rule"
_RIGHTS = "ir_model_access"
_COLUMNS = frozenset({"active", "model_id", "perm_read"})
"""Of both of them (Odoo 16.0 to 19.0)."""
_ACTIVE = "active"

_ARCHIVED: LiteralString = (
    "(SELECT count(DISTINCT l.{own}) FROM {comodel} c JOIN {link} l ON l.{other} = c.id WHERE c.active IS NOT TRUE)"
)
_NO_DOUBLE: LiteralString = (
    "count(*) FILTER (WHERE CASE WHEN {0} IS NULL THEN false WHEN abs({0}) < 1e300"
    " THEN {0}::float8::text::numeric <> {0} ELSE true END)"
)
_LARGE: LiteralString = "count(*) FILTER (WHERE {0} NOT BETWEEN -9007199254740991 AND 9007199254740991)"
"""From 2^53 on, not every whole number is a double."""


@dataclass(frozen=True)
class _Question:
    """What is counted for one model.

    :param reads: the tables that are read.
    """

    model: StoredModel
    archived: Mapping[str, sql.Composable]
    digits: Mapping[str, sql.Composable]
    large: Mapping[str, sql.Composable]
    reads: Relations

    @property
    def is_empty(self) -> bool:
        return not (self.archived or self.digits or self.large)

    def counts(self, tx: Transaction) -> list[int]:
        """Return the counts, in the order of the questions."""
        numbers = [*self.digits.values(), *self.large.values()]
        parts: list[sql.Composable] = list(self.archived.values())
        if numbers and self.model.table is not None:
            counted = sql.SQL("(SELECT ARRAY[{}] FROM {} AS {})").format(
                sql.SQL(", ").join(numbers), tx.odoos(self.model.table.name), ROW
            )
            parts.append(counted)
        ((*found,),) = tx.run("SELECT {parts}", parts=sql.SQL(", ").join(parts))
        return [*found[: len(self.archived)], *(found[-1] if numbers else ())]


def find_differences(
    sessions: Sessions,
    models: Sequence[StoredModel],
    fields: Mapping[str, Collection[str]],
    tables: Mapping[str, str],
    within: timedelta,
) -> Differences:
    """Look for what differs. See `source.differences.KnowsDifferences`.

    :param tables: of all models, by model.
    """
    with sessions.transaction() as tx:
        questions = _questions(tx, models, fields, tables)
        ruled, queries = _ruled(tx, fields), _queries(tx, tables)
    until = time.monotonic() + within.total_seconds()
    found: dict[str, list[FieldRows]] = {"archived": [], "digits": [], "large": []}
    not_counted: list[str] = []
    for question in questions:
        left = until - time.monotonic()
        counts = _counts(sessions, question, left) if left > 0 else None
        if counts is None:
            not_counted.append(question.model.name)
            continue
        asked = [(kind, name) for kind in found for name in getattr(question, kind)]
        for (kind, name), rows in zip(asked, counts, strict=True):
            if rows:
                found[kind].append(FieldRows(question.model.name, name, rows))
    computed = [
        (model.name, name)
        for model in models
        for name in sorted(fields[model.name])
        if name != "id" and not is_there(model, name)
    ]
    return Differences(
        tuple(found["archived"]),
        tuple(found["digits"]),
        tuple(found["large"]),
        tuple(computed),
        ruled,
        queries,
        tuple(not_counted),
    )


def _counts(sessions: Sessions, question: _Question, seconds: float) -> list[int] | None:
    """Count; None if that takes too long, or is not possible: then the model's own finding says why."""
    try:
        with sessions.transaction(question.model.name, question.reads) as tx:
            limit = str(max(1, int(seconds * 1000)))
            tx.cursor.execute(sql.SQL("SET LOCAL statement_timeout TO {}").format(limit))
            return question.counts(tx)
    except OdooError:
        return None


def _questions(
    tx: Transaction, models: Sequence[StoredModel], fields: Mapping[str, Collection[str]], tables: Mapping[str, str]
) -> list[_Question]:
    """Return what there is to count, by model, what is quick first; tables that the role may not read are not asked."""
    chosen = [(model, [model.fields[n] for n in sorted(fields[model.name]) if is_there(model, n)]) for model in models]
    links = [item for _, named in chosen for item in named if item.link is not None]
    related = {tables[item.relation] for item in links if item.relation and item.relation in tables}
    known = read_tables(tx, {*related, *(item.link[0] for item in links if item.link is not None)})
    questions = (_question(tx, model, named, tables, known) for model, named in chosen)
    asked = [item for item in questions if not item.is_empty]
    sizes = _sizes(tx, {name for item in asked for name in item.reads.tables})
    return sorted(asked, key=lambda item: sum(sizes.get(name, 0) for name in item.reads.tables))


def _sizes(tx: Transaction, tables: Collection[str]) -> dict[str, int]:
    """Return how large tables are, in pages, when they were last looked at."""
    rows = tx.run(
        "SELECT c.relname, c.relpages FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = ANY({names}::name[])",
        schema=tx.schema,
        names=sorted(tables),
    )
    return {str(name): int(pages) for name, pages in rows}


def _question(
    tx: Transaction,
    model: StoredModel,
    fields: Sequence[StoredField],
    tables: Mapping[str, str],
    known: Mapping[str, Table],
) -> _Question:
    archived: dict[str, sql.Composable] = {}
    digits: dict[str, sql.Composable] = {}
    large: dict[str, sql.Composable] = {}
    names: set[str] = set()
    is_counted = model.table is not None and model.table.kind in ("r", "p") and model.table.may_be_read
    for field in fields:
        comodel, kind = known.get(tables.get(field.relation or "", "")), model.column_of(field.name)
        if field.link is not None and comodel is not None:
            link = known.get(field.link[0])
            if link is not None and _may_be_joined(link) and _may_be_joined(comodel, with_column=_ACTIVE):
                archived[field.name] = _archived(tx, field.link, comodel)
                names |= {link.name, comodel.name}
        elif is_counted and kind in ("numeric", "bigint"):
            column = sql.SQL("{}.{}").format(ROW, sql.Identifier(field.name))
            if kind == "numeric" and field.type in ("float", "monetary"):
                digits[field.name] = sql.SQL(_NO_DOUBLE).format(column)
            elif kind == "bigint" and field.type in ("integer", "many2one_reference"):
                large[field.name] = sql.SQL(_LARGE).format(column)
    if model.table is not None and (digits or large):
        names.add(model.table.name)
    return _Question(model, archived, digits, large, Relations(tuple(sorted(names))))


def _may_be_joined(table: Table, *, with_column: str | None = None) -> bool:
    """Say whether a table is one whose rows are there to be counted, and that has a yes-or-no column of some name."""
    has_it = with_column is None or table.columns.get(with_column) == "boolean"
    return table.kind in ("r", "p") and table.may_be_read and has_it


def _archived(tx: Transaction, link: tuple[str, str, str], comodel: Table) -> sql.Composed:
    table, own, other = link
    return sql.SQL(_ARCHIVED).format(
        own=sql.Identifier(own),
        other=sql.Identifier(other),
        link=tx.odoos(table),
        comodel=tx.odoos(comodel.name),
    )


def _may_ask(tx: Transaction, name: str) -> bool:
    table = read_tables(tx, [name]).get(name)
    return table is not None and table.may_be_read and table.columns.keys() >= _COLUMNS


def _ruled(tx: Transaction, models: Collection[str]) -> tuple[str, ...] | None:
    if not _may_ask(tx, _RULES):
        return None
    rows = tx.run(
        "SELECT DISTINCT m.model FROM {rules} r JOIN {models} m ON m.id = r.model_id"
        " WHERE r.active AND r.perm_read AND m.model = ANY({chosen}::text[])",
        rules=tx.odoos(_RULES),
        models=tx.odoos("ir_model"),
        chosen=list(models),
    )
    return tuple(sorted(str(model) for (model,) in rows))


def _queries(tx: Transaction, tables: Collection[str]) -> tuple[str, ...]:
    """Return the models that have no table, and that Odoo lets somebody read. Up to Odoo 18 some of them are abstract.

    :param tables: the models that have one.
    """
    if not _may_ask(tx, _RIGHTS):
        return ()
    rows = tx.run(
        "SELECT m.model FROM {models} m WHERE NOT coalesce(m.transient, false)"
        " AND NOT coalesce((to_jsonb(m) ->> 'abstract')::boolean, false) AND m.model <> ALL({known}::text[])"
        " AND EXISTS (SELECT FROM {rights} a WHERE a.model_id = m.id AND a.active AND a.perm_read)",
        models=tx.odoos("ir_model"),
        rights=tx.odoos(_RIGHTS),
        known=list(tables),
    )
    return tuple(sorted(str(model) for (model,) in rows))
