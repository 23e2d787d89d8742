"""`odoo_shadow_left_out`: which models the newest plan leaves out and which fields each table leaves out, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType
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

NO_LINKS: Mapping[str, str] = MappingProxyType({})

_LONGEST_NAME = 200
_LONGEST_REASON = 300

_WANTED: LiteralString = (
    "SELECT w.model, w.field, w.reason, w.relation"
    " FROM unnest({models}::text[], {fields}::text[], {reasons}::text[], {relations}::text[])"
    " AS w (model, field, reason, relation)"
)
_DIFFERS: LiteralString = (
    "WITH wanted AS ({wanted}), known AS (SELECT odoo_model, field_name, reason, relation FROM {table} WHERE {scope})"
    " SELECT EXISTS ((TABLE wanted EXCEPT TABLE known) UNION ALL (TABLE known EXCEPT TABLE wanted))"
)
_REPLACE: LiteralString = (
    "WITH wanted AS ({wanted}), gone AS (DELETE FROM {table} WHERE {scope}"
    " AND (odoo_model, field_name) NOT IN (SELECT model, field FROM wanted))"
    " INSERT INTO {table} AS l (odoo_model, field_name, reason, relation) SELECT * FROM wanted"
    " ON CONFLICT (odoo_model, field_name) DO UPDATE"
    " SET reason = excluded.reason, relation = excluded.relation, noted_at = now()"
    " WHERE (l.reason, l.relation) IS DISTINCT FROM (excluded.reason, excluded.relation)"
)


def note_left_out_models(tx: Transaction, reasons: Mapping[str, str]) -> None:
    """Replace the models that the mirror leaves out by these; writes nothing if they are known.

    :param reasons: by model, or by the pattern that matches none.
    """
    rows = [(name, "", reason, None) for name, reason in _bounded(reasons, MOST_MODELS, "model").items()]
    _replace(tx, rows, sql.SQL("field_name = ''"))


def note_left_out_fields(
    tx: Transaction, model: str, reasons: Mapping[str, str], links: Mapping[str, str] = NO_LINKS
) -> None:
    """Replace the fields that a model's table leaves out by these; writes nothing if they are known.

    :param reasons: by field.
    :param links: the models that fields point to, each to one record, by field.
    """
    relations = {name: shown(relation, longest=_LONGEST_NAME) for name, relation in links.items()}
    found = _bounded(reasons, MOST_FIELDS, "field")
    rows = [(model, name, reason, relations.get(name)) for name, reason in found.items()]
    _replace(tx, rows, sql.SQL("odoo_model = {} AND field_name <> ''").format(model))


def _bounded(reasons: Mapping[str, str], most: int, what: str) -> dict[str, str]:
    found = {
        shown(name, longest=_LONGEST_NAME): shown(reason, longest=_LONGEST_REASON)
        for name, reason in islice(reasons.items(), most)
        if name
    }
    more = len(reasons) - most
    return {**found, counted(more, f"more {what}"): "not listed, as there are too many"} if more > 0 else found


def _replace(tx: Transaction, rows: Sequence[tuple[str, str, str, str | None]], scope: sql.Composable) -> None:
    models, fields, reasons, relations = ([row[place] for row in rows] for place in range(4))
    wanted = sql.SQL(_WANTED).format(models=models, fields=fields, reasons=reasons, relations=relations)
    parts = {"table": tx.own(LEFT_OUT), "scope": scope, "wanted": wanted}
    ((differs,),) = tx.run(_DIFFERS, **parts)
    if differs:
        lock_schema(tx)
        tx.run(_REPLACE, **parts)
