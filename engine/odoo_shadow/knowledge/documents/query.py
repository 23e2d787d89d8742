"""The queries that a plan asks: which records' rows have changed since their documents were made, and what they show.

The digest of a document is made of the version (`xmin`) of every row that it shows. A row that was written gets another
one when its transaction has been committed, so that no clock and no log is asked, and no late commit is missed: a
record whose digest is another one has changed, whatever wrote the row, and lines that went or came change it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from psycopg import sql

from odoo_shadow.knowledge.documents.plan import LINE, ROOT, Condition, Join, Kind, Plan, Rows, Value
from odoo_shadow.knowledge.documents.readers import Readers
from odoo_shadow.shadow import names
from odoo_shadow.shadow.relations import STORED_DOCUMENT

_VERSION: LiteralString = (
    "coalesce(hashint8extended(hashint8extended({row}.{id}, {row}.xmin::text::bigint), {place}), 0)"
)
# Rows that are shown twice must not cancel each other out: each line's digest depends on its id.
_OF_MANY: LiteralString = "coalesce(bit_xor(hashint8extended({digest}, {row}.{id})), 0)"
_OF_TEXT: LiteralString = "hashtextextended({}::text, 0)"

LONGEST_VALUE = 10_000
LONGEST_IN_LINE = 1_000
"""Characters of a value that are read at most."""
_MARKUP = 10

MOST_LINES = 200
"""Lines of one kind in a document; the number of the others is told."""


def changed_query(schema: str, plan: Plan, readers: Readers, form: str) -> sql.Composed:
    """Return the query for the ids of records whose documents are missing, or show rows as they no longer are.

    :param form: how the documents are made besides; another one makes all of them anew.
    """
    return sql.SQL(
        "SELECT n.id FROM ({digests}) AS n (id, digest) LEFT JOIN {stored} d ON d.odoo_model = {model}"
        " AND d.odoo_id = n.id WHERE d.rows_digest IS DISTINCT FROM n.digest ORDER BY n.id"
    ).format(
        digests=_records(schema, plan, readers, form, None, with_values=False),
        stored=sql.Identifier(schema, STORED_DOCUMENT),
        model=plan.model,
    )


def gone_query(schema: str, plan: Plan, readers: Readers) -> sql.Composed:
    """Return the condition on a stored document `d` that its record has gone, or no longer has one."""
    rows = plan.records
    return sql.SQL("NOT EXISTS (SELECT FROM {source} WHERE {root}.{id} = d.odoo_id{conditions})").format(
        source=_source(schema, rows, readers, readers.of_row(rows.table, ROOT)),
        root=sql.Identifier(ROOT),
        id=sql.Identifier(names.ID),
        conditions=_conditions(rows),
    )


def records_query(schema: str, plan: Plan, readers: Readers, form: str, ids: Sequence[int]) -> sql.Composed:
    """Return the query for what the documents of some records show.

    Its rows: id, digest, companies, company, values, and for each of the plan's lines the first ones and their number.
    """
    return _records(schema, plan, readers, form, ids, with_values=True)


def _records(
    schema: str, plan: Plan, readers: Readers, form: str, ids: Sequence[int] | None, *, with_values: bool
) -> sql.Composed:
    rows = plan.records
    who = readers.of_row(rows.table, ROOT)
    many = _many(schema, rows, readers, who, with_values=with_values)
    lines = [
        _lines(schema, plan, item, readers, ids, number, with_values=with_values)
        for number, item in enumerate(plan.lines)
    ]
    digest = [
        *_versions(rows),
        *(sql.SQL("{}.digest").format(sql.Identifier(alias)) for alias, _ in many),
        *(sql.SQL("coalesce(k{}.digest, 0)").format(sql.Literal(n)) for n in range(len(lines))),
        sql.SQL(_OF_TEXT).format(form),
    ]
    if readers.are_restricted:
        digest.append(sql.SQL(_OF_TEXT).format(who))
    shown: list[sql.Composable] = [sql.Identifier(ROOT, names.ID), sql.SQL(" # ").join(digest)]
    if with_values:
        company = sql.Identifier(ROOT, plan.company) if plan.company else sql.SQL("NULL::bigint")
        shown += [who, company, _listed(rows, LONGEST_VALUE)]
        for n in range(len(lines)):
            shown.append(sql.SQL("k{n}.shown, k{n}.line_count").format(n=sql.Literal(n)))
    return sql.SQL("SELECT {shown} FROM {source}{many}{lines} WHERE true{conditions}{chosen}").format(
        shown=sql.SQL(", ").join(shown),
        source=_source(schema, rows, readers, who),
        many=sql.SQL("").join(query for _, query in many),
        lines=sql.SQL("").join(lines),
        conditions=_conditions(rows),
        chosen=_chosen(ids),
    )


def _lines(
    schema: str, plan: Plan, rows: Rows, readers: Readers, ids: Sequence[int] | None, number: int, *, with_values: bool
) -> sql.Composed:
    """Return the join of all lines of each record, as one row."""
    root, line = sql.Identifier(ROOT), sql.Identifier(LINE)
    who = readers.of_row(plan.records.table, ROOT)
    many = _many(schema, rows, readers, who, with_values=with_values)
    digest = [*_versions(rows), *(sql.SQL("{}.digest").format(sql.Identifier(alias)) for alias, _ in many)]
    of_many = sql.SQL(_OF_MANY).format(digest=sql.SQL(" # ").join(digest), row=line, id=sql.Identifier(names.ID))
    shown: list[sql.Composable] = [sql.Identifier(ROOT, names.ID), sql.SQL("{} AS digest").format(of_many)]
    if with_values:
        order = [sql.Identifier(LINE, name) for name in (*filter(None, [rows.order]), names.ID)]
        shown.append(
            sql.SQL(
                "to_jsonb((array_agg({listed} ORDER BY {order}))[:{most}]) AS shown, count(*) AS line_count"
            ).format(listed=_listed(rows, LONGEST_IN_LINE), order=sql.SQL(", ").join(order), most=MOST_LINES)
        )
    return sql.SQL(
        " LEFT JOIN (SELECT {shown} FROM {parent} AS {root}{way}{joins}{many} WHERE true{conditions}{visible}{chosen}"
        " GROUP BY {root}.{id}) AS {name} ON {name}.id = {root}.{id}"
    ).format(
        shown=sql.SQL(", ").join(shown),
        parent=sql.Identifier(schema, plan.records.table),
        root=root,
        way=_way(schema, rows),
        joins=_joins(schema, rows, readers, who),
        many=sql.SQL("").join(query for _, query in many),
        conditions=_conditions(rows),
        visible=_if_all_see(" AND ", readers, rows.table, LINE, who),
        chosen=_chosen(ids),
        id=sql.Identifier(names.ID),
        name=sql.SQL("k{}").format(sql.Literal(number)),
    )


def _way(schema: str, rows: Rows) -> sql.Composed:
    """Return the joins from a record to its lines, backwards along the fields that lead from a line to it."""
    way: list[sql.Composed] = []
    above = ROOT
    for number, step in reversed([*enumerate(rows.steps)]):
        alias = LINE if number == 0 else f"v{number}"
        way.append(
            sql.SQL(" JOIN {table} AS {alias} ON {link} = {above}{there}").format(
                table=sql.Identifier(schema, step.table),
                alias=sql.Identifier(alias),
                link=sql.Identifier(alias, step.column),
                above=sql.Identifier(above, names.ID),
                there=_is_there(alias, marks_deleted=step.marks_deleted),
            )
        )
        above = alias
    return sql.SQL("").join(way)


def _source(schema: str, rows: Rows, readers: Readers, who: sql.Composed) -> sql.Composed:
    return sql.SQL("{table} AS {alias}{joins}").format(
        table=sql.Identifier(schema, rows.table),
        alias=sql.Identifier(rows.alias),
        joins=_joins(schema, rows, readers, who),
    )


def _joins(schema: str, rows: Rows, readers: Readers, who: sql.Composed) -> sql.Composed:
    return sql.SQL("").join(_join(schema, item, readers, who) for item in rows.joins)


def _join(schema: str, item: Join, readers: Readers, who: sql.Composed) -> sql.Composed:
    table, link = sql.Identifier(schema, item.table), sql.Identifier(item.of, item.column)
    key: sql.Composable = link
    if item.first_if_none:
        key = sql.SQL("coalesce({}, (SELECT min({}) FROM {}))").format(link, sql.Identifier(names.ID), table)
    return sql.SQL(" LEFT JOIN {table} AS {alias} ON {own} = {key}{visible}").format(
        table=table,
        alias=sql.Identifier(item.alias),
        own=sql.Identifier(item.alias, names.ID),
        key=key,
        visible=_if_all_see(" AND ", readers, item.table, item.alias, who),
    )


def _many(
    schema: str, rows: Rows, readers: Readers, who: sql.Composed, *, with_values: bool
) -> list[tuple[str, sql.Composed]]:
    """Return the joins of the rows that lists of ids name, each as one row, by alias."""
    found = []
    for value in rows.values:
        if value.many is None:
            continue
        named, ((of, column),) = value.many, value.parts
        alias = f"{named.alias}x"
        row = sql.Identifier(named.alias)
        digest = sql.SQL(_OF_MANY).format(
            digest=sql.SQL(" # ").join(_versions(named)), row=row, id=sql.Identifier(names.ID)
        )
        texts = [_text(item) for item in named.values]
        text = sql.SQL("string_agg(concat_ws(' ', {}), ', ' ORDER BY u.place)").format(sql.SQL(", ").join(texts))
        query = sql.SQL(
            " CROSS JOIN LATERAL (SELECT {digest} AS digest, {text} AS shown"
            " FROM unnest({ids}) WITH ORDINALITY AS u (id, place) JOIN {table} AS {row} ON {own} = u.id"
            "{there}{joins}{visible}) AS {alias}"
        ).format(
            digest=digest,
            text=text if with_values else sql.SQL("NULL::text"),
            ids=sql.Identifier(of, column),
            table=sql.Identifier(schema, named.table),
            row=row,
            own=sql.Identifier(named.alias, names.ID),
            there=_is_there(named.alias, marks_deleted=named.marks_deleted),
            joins=_joins(schema, named, readers, who),
            visible=_if_all_see(" WHERE ", readers, named.table, named.alias, who),
            alias=sql.Identifier(alias),
        )
        found.append((alias, query))
    return found


def _if_all_see(word: LiteralString, readers: Readers, table: str, alias: str, who: sql.Composable) -> sql.Composable:
    found = readers.all_see(table, alias, who)
    return sql.SQL("") if found is None else sql.SQL(word) + found


def _versions(rows: Rows) -> list[sql.Composed]:
    aliases = [rows.alias, *(join.alias for join in rows.joins)]
    return [
        sql.SQL(_VERSION).format(row=sql.Identifier(alias), id=sql.Identifier(names.ID), place=sql.Literal(place))
        for place, alias in enumerate(aliases)
    ]


def _listed(rows: Rows, longest: int) -> sql.Composed:
    """Return all values as one list of texts; an amount is the number with its currency.

    :param longest: characters of a value that are read; markup takes more than its text.
    """
    shown = [
        _pair(value)
        if value.kind is Kind.AMOUNT
        else sql.SQL("left({}, {})").format(_text(value), longest * (_MARKUP if value.kind is Kind.HTML else 1))
        for value in rows.values
    ]
    return sql.SQL("to_jsonb(ARRAY[{}]::text[])").format(sql.SQL(", ").join(shown))


def _pair(value: Value) -> sql.Composed:
    number = sql.SQL("{}::text").format(sql.Identifier(*value.parts[0]))
    if value.currency is None:
        return number
    return sql.SQL("{} || coalesce(' ' || {}, '')").format(number, sql.Identifier(*value.currency))


def _text(value: Value) -> sql.Composed:
    if value.many is not None:
        return sql.SQL("{}.shown").format(sql.Identifier(f"{value.many.alias}x"))
    if len(value.parts) == 1:
        return sql.SQL("{}::text").format(sql.Identifier(*value.parts[0]))
    parts = sql.SQL(", ").join(sql.Identifier(*part) for part in value.parts)
    return sql.SQL("nullif(concat_ws(' ', {}), '')").format(parts)


def _conditions(rows: Rows) -> sql.Composed:
    found = [sql.SQL(" AND {}").format(_condition(item)) for item in rows.conditions]
    return sql.SQL("").join([*found, _is_there(rows.alias, marks_deleted=rows.marks_deleted)])


def _is_there(alias: str, *, marks_deleted: bool) -> sql.Composable:
    return sql.SQL(" AND {} IS NULL").format(sql.Identifier(alias, names.DELETED_AT)) if marks_deleted else sql.SQL("")


def _condition(item: Condition) -> sql.Composed:
    column = sql.Identifier(item.alias, item.column)
    if item.values is True:
        return sql.SQL("{} IS NOT NULL").format(column)
    if item.values is False:
        return sql.SQL("{} IS NULL").format(column)
    return sql.SQL("{}::text = ANY({}::text[])").format(column, list(item.values))


def _chosen(ids: Sequence[int] | None) -> sql.Composed:
    if ids is None:
        return sql.SQL("").format()
    return sql.SQL(" AND {} = ANY({}::bigint[])").format(sql.Identifier(ROOT, names.ID), list(ids))
