"""The tool `freshness`: as of when tables, documents and marts are."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from odoo_shadow.knowledge.mcp import answer
from odoo_shadow.knowledge.mcp.readable import readable_relations
from odoo_shadow.knowledge.mcp.unknown import not_known
from odoo_shadow.mirror.health.health import MirrorHealth, read_health
from odoo_shadow.shadow.relations import DOCUMENT_MODEL
from odoo_shadow.shadow.state.proofs import time_in_database
from odoo_shadow.text.amounts import counted

if TYPE_CHECKING:
    from odoo_shadow.knowledge.mcp.answer import Json
    from odoo_shadow.knowledge.mcp.session import Sessions
    from odoo_shadow.shadow.connection.database import Transaction

_MOST_TABLES = 200
_LONGEST_PROBLEM = 200
_MEANING = (
    "What was committed in Odoo before this moment is there; then a problem, if there is one. Tables are listed one by "
    "one if models are named."
)


def freshness(sessions: Sessions, models: list[str] | None) -> dict[str, Json]:
    """Say how far behind Odoo each table, mart and kind of document is.

    :param models: models, tables or marts to tell of one by one; None for a summary.
    :raises RefusedError: there is nothing of one of the names.
    :raises MirrorConfigurationError: there is no mirror in the schema.
    :raises ShadowError: the database could not be asked.
    """
    with sessions.open() as tx:
        now = time_in_database(tx)
        health = read_health(tx, now)
        documents = _documents(tx)
        wanted = None if models is None else {_plain(tx, health, name) for name in models}
        for name in sorted((wanted or set()) - _names(health) - documents.keys()):
            raise not_known(tx, readable_relations(tx), name)
    return {
        "note": answer.NOTE,
        "meaning": _MEANING,
        "now": answer.moment(now),
        "oldest_as_of": answer.moment(min((t.watermark for t in health.tables if t.watermark), default=None)),
        "tables": _tables(health, wanted),
        "marts": {
            f"{mart.glance.marts_schema}.{mart.glance.mart}": _said(mart.glance.as_of, mart.difference or mart.unloaded)
            for mart in health.marts
            if mart.is_built and (wanted is None or mart.glance.mart in wanted)
        },
        "documents": {model: as_of for model, as_of in documents.items() if wanted is None or model in wanted},
    }


def _plain(tx: Transaction, health: MirrorHealth, given: str) -> str:
    """Return a name without its schema."""
    schemas = {tx.schema, *(mart.glance.marts_schema for mart in health.marts)}
    schema, _, name = given.strip().partition(".")
    return name if name and schema in schemas else given.strip()


def _names(health: MirrorHealth) -> set[str]:
    tables = {name for item in health.tables for name in (item.model, item.table)}
    return tables | {mart.glance.mart for mart in health.marts}


def _tables(health: MirrorHealth, wanted: set[str] | None) -> dict[str, Json]:
    if wanted is not None:
        named = [item for item in health.tables if {item.model, item.table} & wanted][:_MOST_TABLES]
        return {item.model: _said(item.watermark, item.failing) for item in named}
    told = {
        item.model: _said(item.watermark, item.failing or "its first load has not ended")
        for item in health.tables
        if item.failing or item.watermark is None
    }
    others = [item.watermark for item in health.tables if item.watermark is not None and item.model not in told]
    summary: dict[str, Json] = {}
    if others:
        summary[f"{counted(len(others), 'table')} without a problem"] = f"{_said(min(others), '')} or later"
    return {**summary, **dict(islice(told.items(), _MOST_TABLES))}


def _said(as_of: datetime | None, problem: str) -> str:
    when = answer.moment(as_of) or "not known"
    return f"{when}; {answer.text(problem, _LONGEST_PROBLEM)}" if problem else when


def _documents(tx: Transaction) -> dict[str, Json]:
    table = tx.own(DOCUMENT_MODEL)
    ((may_read,),) = tx.run(
        "SELECT coalesce(has_table_privilege(to_regclass({table}), 'SELECT'), false)", table=table.as_string()
    )
    if not may_read:
        return {}
    rows = tx.run("SELECT odoo_model, as_of, is_shown FROM {table} ORDER BY 1 LIMIT 200", table=table)
    return {str(model): _said(as_of, "" if shown else "they are being made anew") for model, as_of, shown in rows}
