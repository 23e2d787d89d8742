"""Lets one SELECT on the mirror and its marts pass, and tells a language model why anything else does not.

It is the first of two walls. It knows what PostgreSQL's rights do not: how long something runs, what PUBLIC may read
and call, and what would help whoever asks. The other wall is the role, which can do nothing but read (`role`): what
deceives this parser gains nothing there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from odoo_shadow.knowledge.mcp.allowed import BEFORE_TEXT, FUNCTIONS, NAMING_TYPES, SEARCH_FUNCTIONS, SYNTAX, TYPES
from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.knowledge.mcp.statement_text import Kind, StatementText, Token, read_statement
from odoo_shadow.shadow.relations import MARTS
from odoo_shadow.text.nearest import nearest

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of statements that are refused here

_ALLOWED = (exp.Select, exp.SetOperation, exp.Values, exp.Subquery)
_FORBIDDEN = (
    *(exp.Command, exp.DDL, exp.DML, exp.Into, exp.Lock, exp.Set, exp.Copy, exp.Merge, exp.Update, exp.Delete),
    *(exp.Parameter, exp.Placeholder, exp.SessionParameter, exp.Transaction),
)
_ONE_SELECT = (
    "Only one SELECT is run here (or WITH … SELECT, VALUES, UNION), and it changes nothing: no EXPLAIN, SET, INTO, "
    "FOR UPDATE, parameters, or statements that write"
)
_DESCRIBE = "describe lists tables, views and marts, and describe with a name their columns"
_CATALOGUE = "pg_"
_PLAIN_TYPES = "only text, numbers, boolean, dates and times, interval, uuid, json, jsonb, and arrays of these"
_COLON, _OPENING = Token(Kind.SYMBOL, ":"), Token(Kind.SYMBOL, "(")
_PARSED_TYPES = TYPES | {"array"}
"""As the parser names them."""


@dataclass(frozen=True)
class Relations:
    """What may be read.

    :param mirror: the mirror's schema.
    :param by_schema: the names of tables and views in each schema, the mirror's first.
    """

    mirror: str
    by_schema: Mapping[str, frozenset[str]]

    def schema_of(self, name: str) -> str | None:
        """Return the schema in which a name without one is found."""
        return next((schema for schema, names in self.by_schema.items() if name in names), None)

    def check_is_built(self, name: str) -> None:
        """Refuse the name of a mart that there could be and is not, and say what makes it."""
        if name in MARTS and self.schema_of(name) is None:
            raise RefusedError(
                f"The mart {name} is not here: it has not been built (odoo-shadow marts build), its models are not "
                "mirrored, or this login may not read it. Add figures up from the tables instead."
            )


@dataclass(frozen=True)
class Passed:
    """A statement that may be run.

    :param text: without comments.
    :param relations: the schema and name of everything that it reads, the search function included.
    :param attributes: the names behind dots, most of them of columns.
    """

    text: str
    relations: tuple[tuple[str, str], ...]
    attributes: frozenset[str] = frozenset()


def let_pass(statement: str, readable: Relations, longest: int) -> Passed:
    """Read a statement, and make sure that it is one that may be run.

    :param longest: characters that it may have.
    :raises RefusedError: it may not be run; the reason says what to write instead.
    """
    read = read_statement(statement, longest)
    tree = _parse(read)
    _check_calls(read.tokens, tree, readable)
    _check_types(read.tokens, tree)
    searched = ((readable.mirror, name) for name, _ in _before_parentheses(read.tokens) if name in SEARCH_FUNCTIONS)
    return Passed(read.text, (*_relations(tree, readable), *searched), frozenset(_attributes(read.tokens)))


def _parse(read: StatementText) -> exp.Expression:
    try:
        words = Postgres().tokenize(read.text)
        trees = sqlglot.parse(read.text, read="postgres")
    except (SqlglotError, RecursionError) as error:
        raise RefusedError(f"The statement cannot be parsed{_place(error)}. {_ONE_SELECT}.") from None
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, _ALLOWED):
        raise RefusedError(f"{_ONE_SELECT}.")
    for kind, own in ((TokenType.STRING, Kind.STRING), (TokenType.IDENTIFIER, Kind.QUOTED)):
        if [word.text for word in words if word.token_type is kind] != [t.text for t in read.tokens if t.kind is own]:
            raise RefusedError("The statement's quotes can be read in more than one way: write it more plainly.")
    for node in tree.walk():
        if isinstance(node, _FORBIDDEN):
            raise RefusedError(f"{_ONE_SELECT}.")
    return tree


def _place(error: Exception) -> str:
    found = getattr(error, "errors", None)
    first = found[0] if found else {}
    line, column = first.get("line"), first.get("col")
    return f" at line {line}, column {column}" if line and column else ""


def _check_calls(tokens: Sequence[Token], tree: exp.Expression, readable: Relations) -> None:
    """Refuse every name before a parenthesis that is not known to be harmless."""
    listed = _names_with_columns(tree)
    called = Counter(name for name, _ in _before_parentheses(tokens))
    for name, qualifier in _before_parentheses(tokens):
        if qualifier is None and (name in SYNTAX or name in FUNCTIONS or name in SEARCH_FUNCTIONS):
            continue
        if qualifier == "pg_catalog" and name in FUNCTIONS:
            continue
        if qualifier == readable.mirror and name in SEARCH_FUNCTIONS:
            continue
        # Such as v(a, b) after VALUES; a function of that name would have to be called elsewhere.
        if qualifier is None and name in listed and called[name] == 1 and not name.startswith(_CATALOGUE):
            continue
        meant = nearest(name, FUNCTIONS, alike=0.8)
        hint = f" (did you mean {meant}?)" if meant else ""
        raise RefusedError(
            f"{name}() cannot be called here{hint}: aggregates, window functions, and functions for text, numbers, "
            "dates, arrays and JSON can."
        )


def _check_types(tokens: Sequence[Token], tree: exp.Expression) -> None:
    """Refuse types but the plain ones: those of others turn numbers into names of roles, schemas, other tables."""
    for token in tokens:
        if token.kind in {Kind.WORD, Kind.QUOTED} and token.text in NAMING_TYPES:
            raise RefusedError(f"The type {token.text} cannot be used here: {_DESCRIBE}.")
    for token in _types(tokens):
        if token.kind is not Kind.WORD or token.text not in TYPES:
            raise RefusedError(f"The type {token.text!r} cannot be used here, {_PLAIN_TYPES}.")
    for cast in tree.find_all(exp.Cast):
        if not isinstance(cast.to, exp.DataType) or any(not _is_plain(kind) for kind in cast.to.find_all(exp.DataType)):
            raise RefusedError(f"A cast to {cast.to.sql('postgres')!r} cannot be used here, {_PLAIN_TYPES}.")


def _types(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield what stands where PostgreSQL reads a type: after ::, in CAST(… AS …), and before a text, as in date '…'."""
    for at, (token, following) in enumerate(pairwise(tokens)):
        if token == following == _COLON and at + 2 < len(tokens):
            yield tokens[at + 2]
        if token == Token(Kind.WORD, "cast") and following == _OPENING:
            yield from _cast_to(tokens[at + 2 :])
        is_name = token.kind is Kind.QUOTED or (token.kind is Kind.WORD and token.text not in BEFORE_TEXT)
        if following.kind is Kind.STRING and is_name:
            yield token


def _cast_to(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield what follows each AS of a CAST whose parenthesis has been opened, but those within others."""
    depth = 0
    for token, following in pairwise(tokens):
        depth += (token == _OPENING) - (token == Token(Kind.SYMBOL, ")"))
        if depth < 0:
            return
        if depth == 0 and token == Token(Kind.WORD, "as"):
            yield following


def _is_plain(kind: exp.DataType) -> bool:
    named = str(kind.args.get("kind")).lower() if kind.this == exp.DataType.Type.USERDEFINED else kind.this.name.lower()
    return named in _PARSED_TYPES


def _attributes(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the names behind dots; those before a parenthesis are looked at as functions."""
    for at, token in enumerate(tokens):
        if at and tokens[at - 1] == Token(Kind.SYMBOL, ".") and token.kind in {Kind.WORD, Kind.QUOTED}:
            yield token.text


def _before_parentheses(tokens: Sequence[Token]) -> Iterator[tuple[str, str | None]]:
    """Yield the names before parentheses, with what qualifies them."""
    for at, token in enumerate(tokens):
        if at and token == Token(Kind.SYMBOL, "(") and tokens[at - 1].kind in {Kind.WORD, Kind.QUOTED}:
            is_qualified = at > 2 and tokens[at - 2] == Token(Kind.SYMBOL, ".")
            name = tokens[at - 1]
            # "in"(…) is a function, and in (…) is not.
            is_odd = name.kind is Kind.QUOTED and name.text in SYNTAX
            yield name.text, tokens[at - 3].text if is_qualified else ('"' if is_odd else None)


def _names_with_columns(tree: exp.Expression) -> set[str]:
    """Return the aliases that name columns in parentheses."""
    aliases = tree.find_all(exp.TableAlias)
    return {_name(alias.this) for alias in aliases if alias.this is not None and alias.args.get("columns")}


def _name(node: object) -> str:
    if isinstance(node, exp.Identifier):
        return str(node.this) if node.quoted else str(node.this).lower()
    return ""


def _relations(tree: exp.Expression, readable: Relations) -> Iterator[tuple[str, str]]:
    queries = {_name(query.args["alias"].this) for query in tree.find_all(exp.CTE)}
    odd = sorted(name for name in queries if name.startswith(_CATALOGUE))
    if odd:
        raise RefusedError(f"A WITH query cannot be called '{odd[0]}': names that begin with pg_ are PostgreSQL's own.")
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue  # a function, which was looked at as such
        schema, name = _name(table.args.get("db")), _name(table.this)
        if table.args.get("catalog"):
            raise RefusedError("Other databases cannot be read: write schema.table.")
        if schema or name not in queries:
            yield _found(schema, name, readable)


def _found(schema: str, name: str, readable: Relations) -> tuple[str, str]:
    readable.check_is_built(name)
    if schema and schema not in readable.by_schema:
        listed = " and ".join(readable.by_schema)
        raise RefusedError(f"Schema '{schema}' cannot be read here, only {listed}: {_DESCRIBE}.")
    found = schema if schema and name in readable.by_schema[schema] else None
    if not schema:
        found = readable.schema_of(name)
    if found is None:
        meant = _meant(name, readable)
        hint = f" (did you mean {meant}?)" if meant else ""
        where = f"in schema '{schema}'" if schema else "here"
        raise RefusedError(f"There is no table '{name}' {where}{hint}: {_DESCRIBE}.")
    return found, name


def _meant(name: str, readable: Relations) -> str | None:
    """Return the nearest table; a model's own name, such as sale_order, means its named view."""
    for schema, names in readable.by_schema.items():
        for candidate in (f"odoo_shadow_{name}_named", f"odoo_shadow_{name}", f"mart_{name}"):
            if candidate in names:
                return f"{schema}.{candidate}"
    found = nearest(name, {item for names in readable.by_schema.values() for item in names})
    return None if found is None else f"{readable.schema_of(found)}.{found}"
