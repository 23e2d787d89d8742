"""The tool `query`: one statement that reads, within bounds of time, rows and characters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql

from odoo_shadow.knowledge.mcp.answer import NOTE, Json
from odoo_shadow.knowledge.mcp.as_of import read_as_of
from odoo_shadow.knowledge.mcp.attributes import refuse_calls
from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.knowledge.mcp.exchange import Exchange
from odoo_shadow.knowledge.mcp.gate import let_pass
from odoo_shadow.knowledge.mcp.readable import readable_relations, restricted_tables
from odoo_shadow.knowledge.mcp.values import value_of
from odoo_shadow.postgres.errors import is_of_connection
from odoo_shadow.shadow.relations import (
    DOCUMENT_MODEL,
    MART_FRESHNESS,
    MART_VERIFICATION,
    META,
    SYNC_LOG,
    VERIFICATION,
    WATERMARK,
)
from odoo_shadow.text.shown import shown

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from odoo_shadow.knowledge.mcp.gate import Passed
    from odoo_shadow.knowledge.mcp.limits import Limits
    from odoo_shadow.knowledge.mcp.session import Sessions
    from odoo_shadow.shadow.connection.database import Transaction

_FIXED_LENGTH = frozenset({16, 20, 21, 23, 26, 700, 701, 1082, 1083, 1114, 1184, 1266, 2950})
"""The numbers of the types whose values are short: booleans, integers, floats, dates, times, UUIDs."""

_ANSWER = "odoo_shadow.answer"
"""The setting in which the block leaves what it has collected."""

_LONGEST_ERROR = 400
# All of the statement's work is done within the block: an error's text, which may repeat a value of a gigabyte, is cut
# here as values are, before anything is sent.
_BLOCK: LiteralString = """
DECLARE
    asked refcursor;
    line text;
    lines text := '';
    taken integer := 0;
    is_cut boolean := false;
    hint text;
BEGIN
    OPEN asked NO SCROLL FOR EXECUTE {statement};
    LOOP
        FETCH asked INTO line;
        EXIT WHEN NOT FOUND;
        is_cut := taken = {rows} OR pg_catalog.length(lines) + pg_catalog.length(line) > {characters};
        EXIT WHEN is_cut;
        lines := pg_catalog.concat(lines, CASE WHEN taken > 0 THEN ',' END, line);
        taken := taken + 1;
    END LOOP;
    lines := pg_catalog.concat('{{"is_cut":', is_cut::text, ',"rows":[', lines, ']}}');
    PERFORM pg_catalog.set_config({answer}, lines, true);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    hint := pg_catalog.left(hint, {error});
    RAISE EXCEPTION '%', pg_catalog.left(SQLERRM, {error}) USING ERRCODE = SQLSTATE, HINT = hint;
END
"""
_COUNTING = frozenset({DOCUMENT_MODEL, MART_FRESHNESS, MART_VERIFICATION, META, SYNC_LOG, VERIFICATION, WATERMARK})
"""Tables that count rows, whoever sees those, or name the ids of some."""

_COULD_HELP = {
    psycopg.errors.UndefinedColumn.sqlstate: " describe with the table's name lists its columns.",
    psycopg.errors.UndefinedTable.sqlstate: " describe lists tables, views and marts.",
    psycopg.errors.InsufficientPrivilege.sqlstate: " Only the mirror and its marts can be read.",
}


def query(sessions: Sessions, statement: str, most_rows: int) -> dict[str, Json]:
    """Run a statement, and return its columns and rows.

    :param most_rows: rows to return; whether there are more is said.
    :raises RefusedError: it may not be run, fails, or takes too long; the message helps to write a better one.
    :raises ShadowError: the database could not be asked.
    """
    with sessions.open() as tx:
        readable = readable_relations(tx)
        passed = let_pass(statement, readable, sessions.limits.statement_characters)
        refuse_calls(tx, passed, readable)
        _refuse_counts(tx, passed)
        as_of = read_as_of(tx, passed, readable)
        answer = run_bounded(tx, passed.text, tuple(readable.by_schema), most_rows, sessions.limits)
    return {"note": NOTE, **as_of.as_json(), **answer}


def _refuse_counts(tx: Transaction, passed: Passed) -> None:
    """Refuse the tables that count all rows, where this login sees some of them. Raises a `RefusedError`."""
    counting = sorted({f"{schema}.{name}" for schema, name in passed.relations if name in _COUNTING})
    if counting and restricted_tables(tx):
        raise RefusedError(
            f"{counting[0]} counts rows that this login must not see: ask describe what there is, freshness how fresh "
            "it is, and count the rows themselves."
        )


def run_bounded(
    tx: Transaction, statement: str, schemas: Sequence[str], most_rows: int, limits: Limits
) -> dict[str, Json]:
    """Run a statement that has passed the gate; what the gate has overlooked meets the same bounds.

    PostgreSQL's own parser takes it only as one whole statement, and again as a part of a SELECT. It cuts each value,
    and the text of an error, before anything is sent.

    :param schemas: where names without a schema are looked up.
    :raises RefusedError: it fails, or takes too long.
    """
    path = sql.SQL(", ").join(sql.Identifier(name) for name in ("pg_catalog", *schemas, "pg_temp"))
    tx.run("SET LOCAL search_path TO {path}", path=path)
    exchange = Exchange.begin(tx.cursor.connection, limits)
    try:
        described = exchange.prepare(statement)
        types = [described.ftype(at) for at in range(described.nfields)]
        names = [(described.fname(at) or b"").decode("utf-8", "replace") for at in range(described.nfields)]
        _check_columns(types, limits)
        exchange.run(_block(_wrapped(statement, types, most_rows, limits), most_rows, limits))
        ((found,),) = _texts(exchange.run(f"SELECT pg_catalog.current_setting('{_ANSWER}')"))
    except psycopg.Error as error:
        if is_of_connection(error):
            raise  # that is not the statement's fault
        raise RefusedError(_explained(error)) from None
    answer = json.loads(found)
    if answer["is_cut"] and not answer["rows"]:
        raise RefusedError(f"One row alone has more than {limits.characters} characters: name fewer columns.")
    rows: list[Json] = [
        [value_of(text, kind, limits.value_characters) for text, kind in zip(row, types, strict=True)]
        for row in answer["rows"]
    ]
    return {"columns": list(names), "rows": rows, "is_cut": answer["is_cut"]}


def _check_columns(types: Sequence[int], limits: Limits) -> None:
    if not types:
        raise RefusedError("The statement returns nothing: write one SELECT with columns.")
    if len(types) > limits.columns:
        raise RefusedError(f"The answer has {len(types)} columns, and at most {limits.columns} are given: name those.")


def _wrapped(statement: str, types: Sequence[int], most_rows: int, limits: Limits) -> str:
    """Return the statement as a query whose rows are JSON, with values no longer than agreed."""
    columns = [sql.Identifier(f"c{at}") for at in range(len(types))]
    cut = [
        sql.SQL("{}::text" if kind in _FIXED_LENGTH else "left({}::text, {})").format(
            column, limits.value_characters + 1
        )
        for column, kind in zip(columns, types, strict=True)
    ]
    begin = sql.SQL("SELECT to_json(ARRAY[{}])::text FROM (").format(sql.SQL(", ").join(cut))
    end = sql.SQL(") AS asked ({}) LIMIT {}").format(sql.SQL(", ").join(columns), sql.Literal(most_rows + 1))
    # It stays a text, which PostgreSQL has parsed as a whole before.
    return "\n".join((begin.as_string(), statement, end.as_string()))


def _block(statement: str, most_rows: int, limits: Limits) -> str:
    """Return the block that runs a query and collects its rows."""
    body = sql.SQL(_BLOCK).format(
        statement=statement, rows=most_rows, characters=limits.characters, answer=_ANSWER, error=_LONGEST_ERROR
    )
    # Quoted as a literal, the block cannot end early.
    return sql.SQL("DO {}").format(body.as_string()).as_string()


def _texts(found: PGresult) -> list[list[str]]:
    return [[(found.get_value(row, at) or b"").decode() for at in range(found.nfields)] for row in range(found.ntuples)]


def _explained(error: psycopg.Error) -> str:
    """Return what PostgreSQL says, without what it adds from elsewhere, such as a context, and bounded."""
    said = shown(error.diag.message_primary or type(error).__name__, longest=_LONGEST_ERROR)
    hint = f" {shown(error.diag.message_hint, longest=_LONGEST_ERROR)}" if error.diag.message_hint else ""
    return f"PostgreSQL refuses the statement: {said}.{hint}{_COULD_HELP.get(error.sqlstate or '', '')}"
