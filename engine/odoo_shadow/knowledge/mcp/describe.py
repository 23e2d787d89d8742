"""The tool `describe`: which tables, views and marts there are, and what their columns mean, in few words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from odoo_shadow.knowledge.mcp import answer
from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.knowledge.mcp.matching import Matching
from odoo_shadow.knowledge.mcp.readable import readable_relations, restricted_tables
from odoo_shadow.knowledge.mcp.unknown import not_known
from odoo_shadow.shadow.names import NAMED_ENDING, view_names
from odoo_shadow.shadow.relations import DOCUMENT, FIELD, MART_FRESHNESS, META, SEARCH, SELECTION

if TYPE_CHECKING:
    from odoo_shadow.knowledge.mcp.answer import Json
    from odoo_shadow.knowledge.mcp.gate import Relations
    from odoo_shadow.knowledge.mcp.session import Sessions
    from odoo_shadow.shadow.connection.database import Transaction

Item = TypeVar("Item")

MODELS_A_PAGE = 100
COLUMNS_A_PAGE = 80
_MOST_CHOICES = 15
_MOST_POINTING = 20
_LONGEST_LABEL = 80
_LONGEST_MEANING = 240
_MARTS_FIRST = (
    "Figures by month, customer, product, account: ask the marts first; amounts there are in the company's currency. "
)
_NO_MARTS = (
    "There are no marts, or none that this login may read: add figures up from the tables, where amounts may be "
    "of several currencies. "
)
_HINTS = (
    "Single records: the view that ends in _named, which has names beside ids (partner_id_name) and labels beside "
    "codes (state_label). The table of model a.b is odoo_shadow_a_b. Times are UTC."
)


_SOME_ROWS = " This login sees some rows only of the tables that are listed without a number: count those by query."


def describe(sessions: Sessions, name: str | None, matching: str | None, page: int) -> dict[str, Json]:
    """Describe what there is, or one model, table, view or mart.

    :param matching: keep only what has to do with this word: by names, labels, choices, or what people call it.
    :param page: from 1 on.
    :raises RefusedError: there is nothing of that name, or no such page.
    :raises ShadowError: the database could not be asked.
    """
    wanted = Matching(matching)
    with sessions.open() as tx:
        readable = readable_relations(tx)
        found = _overview(tx, readable, wanted, page) if name is None else _one(tx, readable, name, wanted, page)
    return {"note": answer.NOTE, **found}


def _overview(tx: Transaction, readable: Relations, matching: Matching, page: int) -> dict[str, Json]:
    known = [
        (str(model), str(table), str(label or ""), rows)
        for model, table, label, rows in tx.run(
            "SELECT odoo_model, table_name, label, row_count FROM {meta} ORDER BY odoo_model", meta=tx.own(META)
        )
        if table in readable.by_schema[tx.schema]
    ]
    models = sorted((item for item in known if matching.fits_model(item[0], item[2])), key=matching.place_of_model)
    columns = matching.columns(tx, {table: model for model, table, _, _ in known})
    shown, pages = _page(models, page, MODELS_A_PAGE)
    all_marts = dict(_marts(tx, readable))
    marts = {mart: meaning for mart, (meaning, columns) in all_marts.items() if matching.fits(mart, meaning, columns)}
    has_documents = DOCUMENT in readable.by_schema[tx.schema]
    restricted = restricted_tables(tx)
    return {
        "hints": (_MARTS_FIRST if all_marts else _NO_MARTS) + _HINTS + (_SOME_ROWS if restricted else ""),
        "schema": tx.schema,
        **({} if models or marts or columns else {"nothing_matches": matching.hint("list everything")}),
        "marts": {mart: answer.text(meaning, _LONGEST_MEANING) for mart, meaning in marts.items()} if page == 1 else {},
        "models": {
            model: ", ".join(
                (
                    answer.text(label, _LONGEST_LABEL),
                    *(() if table in restricted else (f"{rows} rows",)),
                    *_unusual(model, table),
                )
            )
            for model, table, label, rows in shown
        },
        **({"columns_that_match": columns} if columns and page == 1 else {}),
        **pages,
        "documents": f"{tx.schema}.{DOCUMENT}: what search finds"
        if has_documents
        else "none yet: search finds nothing",
    }


def _unusual(model: str, table: str) -> tuple[str, ...]:
    """Return a table's name if it does not follow from the model's."""
    return () if table == f"odoo_shadow_{model.replace('.', '_')}" else (f"table {table}",)


def _marts(tx: Transaction, readable: Relations) -> Iterator[tuple[str, tuple[str, str]]]:
    """Return the meaning of each mart, and the names of its columns."""
    for schema, names in readable.by_schema.items():
        if schema == tx.schema:
            continue
        for mart, meaning, columns in tx.run(
            "SELECT c.relname::text, obj_description(c.oid, 'pg_class'), (SELECT string_agg(a.attname, ' ')"
            " FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relname = ANY({names})"
            " ORDER BY c.relname",
            schema=schema,
            names=sorted(names - {MART_FRESHNESS}),
        ):
            yield f"{schema}.{mart}", (str(meaning or ""), str(columns or ""))


def _one(tx: Transaction, readable: Relations, given: str, matching: Matching, page: int) -> dict[str, Json]:
    name = given.strip().rpartition(".")[2] if given.strip().partition(".")[0] in readable.by_schema else given.strip()
    rows = tx.run(
        "SELECT odoo_model, table_name, label, row_count FROM {meta} WHERE odoo_model = {name}"
        " OR table_name IN ({name}, {table}, {plain})",
        meta=tx.own(META),
        name=name,
        table=name.removesuffix(NAMED_ENDING),
        plain=f"odoo_shadow_{name.replace('.', '_')}",
    )
    if rows and rows[0][1] in readable.by_schema[tx.schema]:
        return _model(tx, readable, rows[0], matching, page)
    schema = readable.schema_of(name)
    if schema is None:
        function = _function(tx, name.rstrip("()"))
        if function is not None:
            return function
        raise not_known(tx, readable, given.strip())
    return _relation(tx, schema, name, matching, page)


def _model(
    tx: Transaction, readable: Relations, found: Sequence[object], matching: Matching, page: int
) -> dict[str, Json]:
    model, table, label, rows = (str(found[0]), str(found[1]), str(found[2] or ""), int(str(found[3])))
    view = next(view_names(table))
    columns = list(_columns(tx, table, matching))
    shown, pages = _page(columns, page, COLUMNS_A_PAGE)
    is_whole = page == 1 and matching.is_all
    return {
        "model": model,
        "label": answer.text(label, _LONGEST_LABEL),
        "table": f"{tx.schema}.{table}",
        **({"view": f"{tx.schema}.{view}"} if view in readable.by_schema[tx.schema] else {}),
        **({} if table in restricted_tables(tx) else {"rows": rows}),
        **({} if columns else {"nothing_matches": matching.hint("list all columns")}),
        "columns": dict(shown),
        **pages,
        **({"pointed_to_by": _pointing(tx, readable, model)} if is_whole else {}),
    }


def _columns(tx: Transaction, table: str, matching: Matching) -> Iterator[tuple[str, Json]]:
    choices: dict[str, list[str]] = {}
    for column, value, label in tx.run(
        "SELECT column_name, value, label FROM {selection} WHERE table_name = {table} ORDER BY column_name, position",
        selection=tx.own(SELECTION),
        table=table,
    ):
        choices.setdefault(str(column), []).append(f"{value}={label}" if value != label else str(value))
    for column, kind, label, relation, is_by_company in tx.run(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), f.label, f.relation, f.is_company_dependent"
        " FROM pg_attribute a LEFT JOIN {field} f ON f.table_name = {table} AND f.column_name = a.attname"
        " WHERE a.attrelid = {qualified}::regclass AND a.attnum > 0 AND NOT a.attisdropped"
        " AND f.vanished_at IS NULL AND a.attname NOT IN ('_sync_hash', '_synced_at')"
        " ORDER BY a.attname <> 'id', a.attname",
        field=tx.own(FIELD),
        table=table,
        qualified=tx.own(table).as_string(),
    ):
        named = choices.get(str(column), [])
        if matching.fits(column, label, *named):
            yield str(column), "".join(_words(str(kind), label, relation, named, is_by_company=bool(is_by_company)))


def _words(kind: str, label: object, relation: object, choices: Sequence[str], *, is_by_company: bool) -> Iterator[str]:
    yield _SHORT.get(kind, kind)
    if label:
        yield f" {answer.text(label, _LONGEST_LABEL)}"
    if relation:
        yield f" ({answer.text(relation, _LONGEST_LABEL)})"
    if choices:
        listed = "|".join(answer.text(choice, _LONGEST_LABEL) for choice in choices[:_MOST_CHOICES])
        yield f": {listed}{'|…' if len(choices) > _MOST_CHOICES else ''}"
    if is_by_company:
        yield " (by company)"


_SHORT = {"timestamp with time zone": "timestamptz", "double precision": "float", "boolean": "bool", "bigint": "int"}


def _pointing(tx: Transaction, readable: Relations, model: str) -> list[Json]:
    """Return the columns of other tables that contain ids of a model, those of its lines first."""
    rows = tx.run(
        "SELECT m.odoo_model, m.table_name, f.column_name FROM {field} f JOIN {meta} m USING (table_name)"
        " WHERE f.relation = {model} AND f.odoo_type = 'many2one' AND f.vanished_at IS NULL"
        " AND f.column_name NOT IN ('create_uid', 'write_uid')"
        " ORDER BY NOT starts_with(m.odoo_model, {model}), 1, 3",
        field=tx.own(FIELD),
        meta=tx.own(META),
        model=model,
    )
    names = [f"{name}.{column}" for name, table, column in rows if table in readable.by_schema[tx.schema]]
    return [*names[:_MOST_POINTING], *(["…"] if len(names) > _MOST_POINTING else [])]


def _relation(tx: Transaction, schema: str, name: str, matching: Matching, page: int) -> dict[str, Json]:
    rows = tx.run(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum),"
        " obj_description(a.attrelid, 'pg_class') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {name} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        schema=schema,
        name=name,
    )
    columns = [
        (str(column), f"{_SHORT.get(str(kind), str(kind))} {answer.text(meaning or '', _LONGEST_MEANING)}".strip())
        for column, kind, meaning, _ in rows
        if matching.fits(column, meaning)
    ]
    shown, pages = _page(columns, page, COLUMNS_A_PAGE)
    meaning = answer.text(rows[0][3] or "", _LONGEST_MEANING) if rows else ""
    said: dict[str, Json] = {} if columns or not rows else {"nothing_matches": matching.hint("list all columns")}
    return {"table": f"{schema}.{name}", "meaning": meaning, **said, "columns": dict(shown), **pages}


def _function(tx: Transaction, name: str) -> dict[str, Json] | None:
    """Describe the function that finds documents; None if that is not what is asked for, or there is none."""
    rows = tx.run(
        "SELECT pg_get_function_arguments(p.oid), pg_get_function_result(p.oid) FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = {schema} AND p.proname = {name}"
        " AND p.proname = {search} AND has_function_privilege(p.oid, 'EXECUTE') LIMIT 1",
        schema=tx.schema,
        name=name,
        search=SEARCH,
    )
    if not rows:
        return None
    return {
        "function": f"{tx.schema}.{SEARCH}",
        "meaning": "Documents that fit a query by words, names and codes, the best first; the tool search does so by "
        "meaning, too.",
        "takes": str(rows[0][0]),
        "returns": str(rows[0][1]),
        "example": f"SELECT odoo_model, odoo_id, title, score FROM {tx.schema}.{SEARCH}(query => 'oak table')",  # noqa: S608 - an answer, not run
    }


def _page(items: Sequence[Item], page: int, size: int) -> tuple[Sequence[Item], dict[str, Json]]:
    """Return the items of a page, and which it is, where there are more. Raises `RefusedError` beyond the last one."""
    pages = max(1, -(-len(items) // size))
    if page > pages:
        raise RefusedError(f"There is no page {page}: {'there is one' if pages == 1 else f'there are {pages}'}.")
    place: dict[str, Json] = {"page": page, "pages": pages} if pages > 1 else {}
    return items[(page - 1) * size : page * size], place
