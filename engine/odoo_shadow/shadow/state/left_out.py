"""`odoo_shadow_left_out`: which models the newest plan leaves out and which fields each table leaves out, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import LEFT_OUT
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.shown import shown

MOST_MODELS = 2_000
MOST_FIELDS = 500
"""Of one model. A hostile server may have any number of names."""

_LONGEST_NAME = 200
_LONGEST_REASON = 300

_WANTED: LiteralString = (
    "SELECT w.model, w.field, w.reason FROM unnest({models}::text[], {fields}::text[], {reasons}::text[])"
    " AS w (model, field, reason)"
)
_DIFFERS: LiteralString = (
    "WITH wanted AS ({wanted}), known AS (SELECT odoo_model, field_name, reason FROM {table} WHERE {scope})"
    " SELECT EXISTS ((TABLE wanted EXCEPT TABLE known) UNION ALL (TABLE known EXCEPT TABLE wanted))"
)
_REPLACE: LiteralString = (
    "WITH wanted AS ({wanted}), gone AS (DELETE FROM {table} WHERE {scope}"
    " AND (odoo_model, field_name) NOT IN (SELECT model, field FROM wanted))"
    " INSERT INTO {table} AS l (odoo_model, field_name, reason) SELECT * FROM wanted"
    " ON CONFLICT (odoo_model, field_name) DO UPDATE SET reason = excluded.reason, noted_at = now()"
    " WHERE l.reason <> excluded.reason"
)


def note_left_out_models(tx: Transaction, reasons: Mapping[str, str]) -> None:
    """Replace the models that the mirror leaves out by these; writes nothing if they are known.

    :param reasons: by model, or by the pattern that matches none.
    """
    rows = [(name, "", reason) for name, reason in _bounded(reasons, MOST_MODELS, "model").items()]
    _replace(tx, rows, sql.SQL("field_name = ''"))


def note_left_out_fields(tx: Transaction, model: str, reasons: Mapping[str, str]) -> None:
    """Replace the fields that a model's table leaves out by these; writes nothing if they are known.

    :param reasons: by field.
    """
    rows = [(model, name, reason) for name, reason in _bounded(reasons, MOST_FIELDS, "field").items()]
    _replace(tx, rows, sql.SQL("odoo_model = {} AND field_name <> ''").format(model))


def _bounded(reasons: Mapping[str, str], most: int, what: str) -> dict[str, str]:
    found = {
        shown(name, longest=_LONGEST_NAME): shown(reason, longest=_LONGEST_REASON)
        for name, reason in islice(reasons.items(), most)
        if name
    }
    more = len(reasons) - most
    return {**found, counted(more, f"more {what}"): "not listed, as there are too many"} if more > 0 else found


def _replace(tx: Transaction, rows: Sequence[tuple[str, str, str]], scope: sql.Composable) -> None:
    models, fields, reasons = ([row[place] for row in rows] for place in range(3))
    wanted = sql.SQL(_WANTED).format(models=models, fields=fields, reasons=reasons)
    parts = {"table": tx.own(LEFT_OUT), "scope": scope, "wanted": wanted}
    ((differs,),) = tx.run(_DIFFERS, **parts)
    if differs:
        lock_schema(tx)
        tx.run(_REPLACE, **parts)
