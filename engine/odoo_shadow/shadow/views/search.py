"""Makes the function `odoo_shadow_search`, and makes it anew when its text, the embeddings or pgvector are others.

It runs with the caller's rights. Its namesake in `public` calls it, so that plain SQL and PostgREST find it there.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import LiteralString, cast

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.shadow.owners.made_objects import MadeObject, ObjectKind, record_statement
from odoo_shadow.shadow.relations import DOCUMENT_MODEL, EMBEDDING_MODEL, SEARCH, STORED_DOCUMENT
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.views.public_views import publish_search

MOST_EXACT = 10_000
"""Among so many documents that somebody sees, every one is looked at; what is nearest of more is found by an index."""
MOST_OF_A_WORD = 3_000
"""A word that more documents have finds none by itself, where there are more than `MOST_EXACT`."""

_FILES = files("odoo_shadow.shadow.views")
_NAME = re.compile(r"\{(\w+)\}")
_NO_VECTORS = (
    "Searching by words alone: the documents have no embeddings. odoo-shadow embed makes them, or says why not."
)
_COMMENT = "Kept by odoo-shadow: finds documents by words, names, codes and meaning, with the rights of whoever asks"

_RESULT: LiteralString = (
    "TABLE (id bigint, odoo_model text, odoo_id bigint, title text, url text, score double precision,"
    " as_of timestamptz, snippet text, company_id bigint, dated_at timestamptz,"
    " by_words boolean)"
)
_ARGUMENTS: LiteralString = (
    "query text, query_embedding {vector} DEFAULT NULL, match_count integer DEFAULT 10, models text[] DEFAULT NULL,"
    " company_ids bigint[] DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL"
)
_IS_WANTED = """(models IS NULL OR d.odoo_model = ANY (models))
    AND (company_ids IS NULL OR d.company_id IS NULL OR d.company_id = ANY (company_ids))
    AND (since IS NULL OR d.dated_at >= since) AND (until IS NULL OR d.dated_at < until)"""
_NO_BLANKS = r"'[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]'"

# Each statement is planned for its values: what is not asked for costs nothing. An index of vectors is searched until
# there are enough that the caller may see.
_CREATE: LiteralString = """CREATE FUNCTION {function}({arguments}) RETURNS {result}
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET jit = off {settings}AS {body}"""
_VECTOR_SETTINGS: LiteralString = (
    "SET hnsw.iterative_scan = relaxed_order SET hnsw.ef_search = 100 SET hnsw.max_scan_tuples = 100000"
    " SET hnsw.scan_mem_multiplier = 4"
    # So that what the body sets ends with it.
    " SET enable_bitmapscan = on SET enable_seqscan = on SET enable_sort = on "
)
_THERE: LiteralString = (
    "SELECT p.oid::regprocedure::text, p.prosrc, pg_get_userbyid(p.proowner),"
    " p.proowner IN {trusted} FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = {schema} AND p.proname = {name}"
)


@dataclass(frozen=True)
class _Vectors:
    """The embeddings that are in use.

    :param schema: pgvector's.
    """

    column: str
    model: str
    dimensions: int
    schema: str


def renew_search(tx: Transaction) -> None:
    """Make the function and its namesake in `public`, or make them anew if they would be others now.

    :raises ShadowConflictError: somebody else's function has its name.
    """
    vectors = _vectors_in_use(tx)
    kind = sql.Identifier(vectors.schema, "vector") if vectors else sql.SQL("text")
    arguments, result = sql.SQL(_ARGUMENTS).format(vector=kind), sql.SQL(_RESULT)
    _renew(tx, vectors, kind, arguments)
    publish_search(tx, arguments, result)


def _vectors_in_use(tx: Transaction) -> _Vectors | None:
    rows = tx.run(
        "SELECT m.column_name, m.name, m.dimensions, n.nspname FROM {known} m"
        " JOIN pg_attribute a ON a.attrelid = to_regclass({stored}) AND a.attname = m.column_name"
        " AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace"
        " WHERE m.is_current",
        known=tx.own(EMBEDDING_MODEL),
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
    )
    return _Vectors(*rows[0]) if rows else None


def _renew(tx: Transaction, vectors: _Vectors | None, kind: sql.Composable, arguments: sql.Composable) -> None:
    body = _body(tx, vectors)
    there = tx.run(
        _THERE,
        trusted=sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles)),
        schema=tx.schema,
        name=SEARCH,
    )
    for signature, _, owner, is_trusted in there:
        if not is_trusted:
            raise ShadowConflictError(
                f"The function {signature} belongs to the role '{owner}', which is not trusted: drop or rename it."
            )
    if [row[1] for row in there] == [body]:
        return
    lock_schema(tx)
    for signature, *_ in there:
        tx.run("DROP FUNCTION {function}", function=sql.SQL(cast(LiteralString, signature)))
    if vectors:
        # Its settings are known once it is loaded; before that, only a superuser may give them to a function.
        tx.run("SELECT '[1]'::{vector}", vector=kind)
    function = tx.own(SEARCH)
    tx.run(
        _CREATE,
        function=function,
        arguments=arguments,
        result=sql.SQL(_RESULT),
        settings=sql.SQL(_VECTOR_SETTINGS if vectors else ""),
        body=body,
    )
    tx.run("COMMENT ON FUNCTION {function} IS {comment}", function=function, comment=_COMMENT)
    tx.run_all([record_statement(tx.schema, MadeObject(tx.schema, SEARCH, ObjectKind.FUNCTION, SEARCH))])


def _body(tx: Transaction, vectors: _Vectors | None) -> str:
    """Return the function's body; it begins with a digest of all that the function is made of."""
    names: dict[str, sql.Composable] = {
        "schema_name": sql.Literal(tx.schema),
        "stored_name": sql.Literal(STORED_DOCUMENT),
        "documents": tx.own(STORED_DOCUMENT),
        "models": tx.own(DOCUMENT_MODEL),
        "plain": tx.own("odoo_shadow_plain"),
        "codes": tx.own("odoo_shadow_codes"),
        "spellings": tx.own("odoo_shadow_spellings"),
        "is_wanted": sql.SQL(_IS_WANTED),
        "no_blanks": sql.SQL(_NO_BLANKS),
        "most_exact": sql.Literal(MOST_EXACT),
        "most_of_a_word": sql.Literal(MOST_OF_A_WORD),
    }
    if vectors is None:
        names["by_meaning"] = sql.SQL("RAISE NOTICE '%', {};").format(_NO_VECTORS)
    else:
        schema = sql.Identifier(vectors.schema)
        names |= {
            "vector_schema": schema,
            "dimensions": sql.Literal(vectors.dimensions),
            "model_name": sql.Literal(vectors.model),
            "column": sql.Identifier(vectors.column),
            "query_vector": sql.SQL("{schema}.l2_normalize(query_embedding)::{schema}.halfvec({dimensions})").format(
                schema=schema, dimensions=vectors.dimensions
            ),
        }
        names["by_meaning"] = _filled("search_nearest.sql", names)
    text = _filled("search.sql", names).as_string(tx.cursor)
    made_of = f"{_CREATE} {_ARGUMENTS} {_RESULT} {_VECTOR_SETTINGS} {text}"
    return f"-- Made of {hashlib.sha256(made_of.encode()).hexdigest()[:16]}\n{text}"


def _filled(name: str, names: dict[str, sql.Composable]) -> sql.Composed:
    pieces = _NAME.split((_FILES / name).read_text(encoding="utf-8"))  # every second one is a name
    return sql.Composed(
        [names[piece] if index % 2 else sql.SQL(cast(LiteralString, piece)) for index, piece in enumerate(pieces)]
    )
