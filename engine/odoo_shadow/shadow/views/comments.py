"""Comments of tables, views and their columns: Odoo's labels, which PostgREST shows in the description of its API.

A label is whatever somebody has typed in Odoo. Programs read instructions out of comments: pg_graphql takes
`@graphql({…})` for one, by which a label could rename or open what it describes, so no comment contains it.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

LONGEST_COMMENT = 1000
"""Characters of a label that a comment shows."""

_AS_COMMENT: LiteralString = "left(regexp_replace({text}, '@(?=graphql)', '@ ', 'gi'), {longest})"
_OF_VIEW: LiteralString = """
DECLARE
    shown oid := to_regclass({view});
    source oid := to_regclass({table});
    item record;
BEGIN
    FOR item IN
        SELECT w.text FROM pg_class c, obj_description(c.oid, 'pg_class') AS d (text), concat_ws(chr(10),
            CASE c.relkind WHEN 'v' THEN split_part(d.text, chr(10), 1)
            ELSE translate(d.text, chr(13) || chr(10), '  ') || {ending} END, {note}) AS w (text)
        WHERE c.oid = source AND w.text IS DISTINCT FROM obj_description(shown, 'pg_class')
    LOOP
        EXECUTE format('COMMENT ON VIEW %s IS %L', {view}, item.text);
    END LOOP;
    FOR item IN
        SELECT a.attname, d.text
        FROM pg_attribute a
        LEFT JOIN pg_attribute b ON b.attrelid = a.attrelid AND b.attnum = a.attnum - 1
        CROSS JOIN LATERAL (SELECT col_description(source, coalesce(
            (SELECT t.attnum FROM pg_attribute t WHERE t.attrelid = source AND t.attname = a.attname),
            (SELECT t.attnum FROM pg_attribute t WHERE t.attrelid = source AND t.attname = b.attname)))) AS d (text)
        WHERE a.attrelid = shown AND a.attnum > 0
        AND d.text IS DISTINCT FROM col_description(shown, a.attnum)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', {view}, item.attname, item.text);
    END LOOP;
END
"""


def as_comment(text: LiteralString) -> sql.Composed:
    """Return the expression for the comment that shows a label.

    :param text: the expression for the label.
    """
    return sql.SQL(_AS_COMMENT).format(text=sql.SQL(text), longest=LONGEST_COMMENT)


def view_comments_statement(
    view: sql.Identifier, table: sql.Identifier, note: str, *, ending: str = ""
) -> sql.Composed:
    """Return the statement that gives a view the comments of the table or view that it shows, where they differ.

    A column with names has no column in the table: it gets the comment of the ids that it stands behind.

    :param note: the last line of the view's own comment.
    :param ending: what is added to the line before it, the label of the table.
    """
    body = sql.SQL(_OF_VIEW).format(view=view.as_string(), table=table.as_string(), note=note, ending=ending)
    # Quoted as a literal, the block cannot end early, whatever its names are.
    return sql.SQL("DO {}").format(body.as_string())
