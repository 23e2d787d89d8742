"""Search domains to SQL, with the comparisons of each flavour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from odoo_stand_in.declared.schema import X2MANY, Field, Model
from odoo_stand_in.orm import access, conditions
from odoo_stand_in.orm.environment import Environment
from odoo_stand_in.orm.errors import UserError
from odoo_stand_in.orm.query import Query

TRUE, FALSE = sql.SQL("TRUE"), sql.SQL("FALSE")
OPERATORS = frozenset(
    {"=", "!=", ">", ">=", "<", "<=", "in", "not in", "like", "ilike", "not like", "not ilike"}
    | {"=like", "=ilike", "child_of", "any", "not any"}
)
NEWER_OPERATORS = OPERATORS | {"not =like", "not =ilike"}


def search_query(env: Environment, model: Model, domain: Sequence[Any]) -> Query:
    """Return the query for the records that match the domain and that the user may see."""
    access.check_model(env, model, "read")
    if model.refusal is not None:
        raise UserError(model.refusal)
    query = Query(env, model)
    compiler = Compiler(env, query)
    condition = compiler.compile(domain, model, query.alias)
    if condition is not TRUE:
        query.where.append(condition)
    active = model.fields.get("active")
    if (
        active is not None
        and (active.store or active.inherited)
        and env.context.get("active_test", True)
        and not compiler.mentions_active
    ):
        query.where.append(sql.SQL("{} = TRUE").format(query.expression(model, query.alias, active)))
    rule = access.record_rule(env, model)
    if rule is not None:
        query.where.append(rule)
    return query


@dataclass
class _Node:
    """A part of a domain: `&`, `|` or `!` over other parts, or one condition."""

    word: str
    parts: list[_Node]
    item: Sequence[Any] | None = None


def _joined(word: str, first: _Node, second: _Node) -> _Node:
    """Two parts under `&` or `|`; long chains stay flat."""
    if second.word == word:
        second.parts.insert(0, first)
        return second
    return _Node(word, [first, second])


class Compiler:
    """One domain over one query."""

    def __init__(self, env: Environment, query: Query) -> None:
        self.env = env
        self.query = query
        self.mentions_active = False

    def compile(self, domain: Any, model: Model, alias: str) -> sql.Composable:
        """Compile the whole domain, in prefix notation with implicit `&`."""
        stack: list[_Node] = []
        try:
            for item in reversed(domain):
                if item == "!":
                    stack.append(_Node("!", [stack.pop()]))
                elif item in ("&", "|"):
                    stack.append(_joined(item, stack.pop(), stack.pop()))
                else:
                    name, operator, value = item
                    stack.append(_Node("", [], (name, operator, value)))
        except (IndexError, TypeError, ValueError):
            raise ValueError(f"Domain {domain!r} is syntactically not correct.") from None
        if not stack:
            return TRUE
        return self._render(_Node("&", stack[::-1]), model, alias, False)

    def _render(self, node: _Node, model: Model, alias: str, negate: bool) -> sql.Composable:
        """Render a part of the domain; a `!` is carried down to the conditions."""
        if node.item is not None:
            return self.leaf(node.item, model, alias, negate)
        if node.word == "!":
            return self._render(node.parts[0], model, alias, not negate)
        parts = [self._render(part, model, alias, negate) for part in node.parts]
        if len(parts) == 1:
            return parts[0]
        return sql.SQL("({})").format(sql.SQL(" AND " if (node.word == "&") is not negate else " OR ").join(parts))

    def leaf(self, item: Sequence[Any], model: Model, alias: str, negate: bool) -> sql.Composable:
        """One condition, or its opposite."""
        name, operator, value = item
        if (name, operator) in ((1, "="), (0, "=")):
            return TRUE if (name == value) is not negate else FALSE
        operator = self._operator(item)
        head, _, rest = str(name).partition(".")
        field = model.fields.get(head)
        if field is None:
            shown = (name, operator, value)
            where = "condition" if self.env.newer else "leaf"
            raise ValueError(f"Invalid field {model.name}.{head} in {where} {shown!r}")
        access.check_fields(self.env, model, [head], "read")
        if head == "active":
            self.mentions_active = True
        inverse = conditions.inverse(self.env.newer, operator)
        if rest and field.relation:
            return self._relation(model, alias, field, "not any" if negate else "any", [(rest, operator, value)])
        if not negate:
            return self._condition(model, alias, field, operator, value)
        if inverse is None:
            return sql.SQL("NOT ({})").format(self._condition(model, alias, field, operator, value))
        condition = self._condition(model, alias, field, inverse, value)
        if self.env.newer and operator[0] in "<>" and not conditions.has_falsy_value(field):
            return sql.SQL("({} OR {} IS NULL)").format(condition, self.query.expression(model, alias, field))
        return condition

    def _operator(self, item: Sequence[Any]) -> str:
        given = item[1]
        operator = {"<>": "!="}.get(str(given), str(given))
        if self.env.newer:
            operator = operator.lower()
            operator = "=" if operator == "==" else operator
            if operator not in NEWER_OPERATORS:
                raise ValueError(f"Invalid operator in condition {tuple(item)!r}")
        elif operator not in OPERATORS:
            raise ValueError(f"Invalid leaf {tuple(item)}")
        return operator

    def _condition(self, model: Model, alias: str, field: Field, operator: str, value: Any) -> sql.Composable:
        if operator in ("any", "not any"):
            return self._relation(model, alias, field, operator, value)
        if operator == "child_of":
            return self._hierarchy(model, alias, field, value)
        if field.type in X2MANY:
            return self._x2many(model, alias, field, operator, value)
        if field.type == "many2one" and _is_text(value):
            return self._by_name(model, alias, field, operator, value)
        if not self.env.newer and self._unsearchable(field):
            return TRUE
        expression = self.query.expression(model, alias, field)
        return conditions.compare(self.env.newer, field, expression, operator, value)

    @staticmethod
    def _unsearchable(field: Field) -> bool:
        """Tell whether a field is computed without search: Odoo 17 ignores the condition (and logs an error)."""
        stored_elsewhere = field.related or field.company_dependent or field.mirror_of
        return not field.store and not stored_elsewhere and field.name != "display_name"

    def _subquery(self, comodel: Model, domain: Any, active_test: bool) -> tuple[Query, sql.Composable]:
        env = self.env if active_test else self.env.with_context(active_test=False)
        if _denied(env, comodel):
            env = env.sudo()
        query = search_query(env, comodel, domain)
        return query, sql.SQL("{}{}").format(query.from_clause(), query.where_clause())

    def _relation(self, model: Model, alias: str, field: Field, operator: str, domain: Any) -> sql.Composable:
        comodel = self.env.model(field.relation or "")
        is_one = field.type == "many2one"
        found: sql.Composable
        query, tail = self._subquery(comodel, domain, active_test=not is_one)
        target = sql.SQL("SELECT {} {}").format(sql.Identifier(query.alias, "id"), tail)
        if is_one:
            found = sql.SQL("{} IN ({})").format(self.query.expression(model, alias, field), target)
        else:
            found = self._x2many_in(model, alias, field, target)
        return sql.SQL("({}) IS NOT TRUE").format(found) if operator == "not any" else found

    def _x2many_in(self, model: Model, alias: str, field: Field, ids: sql.Composable | None) -> sql.Composable:
        """Find records with at least one related record (among `ids`)."""
        own = sql.Identifier(alias, "id")
        extra: sql.Composable = sql.SQL("")
        if field.type == "many2many":
            among = extra
            if ids is not None:
                among = sql.SQL(" AND rel.{} IN ({})").format(sql.Identifier(field.rel_other or ""), ids)
            return sql.SQL("EXISTS (SELECT 1 FROM {} AS rel WHERE rel.{} = {}{})").format(
                sql.Identifier(field.rel_table or ""), sql.Identifier(field.rel_own or ""), own, among
            )
        comodel = self.env.model(field.relation or "")
        inverse = comodel.fields[field.relation_field or ""]
        if inverse.model_field:
            extra = sql.SQL(" AND many.{} = {}").format(sql.Identifier(inverse.model_field), sql.Literal(model.name))
        if ids is not None:
            extra = sql.SQL("{} AND many.id IN ({})").format(extra, ids)
        return sql.SQL("EXISTS (SELECT 1 FROM {} AS many WHERE many.{} = {}{})").format(
            sql.Identifier(comodel.table), sql.Identifier(inverse.name), own, extra
        )

    def _x2many(self, model: Model, alias: str, field: Field, operator: str, value: Any) -> sql.Composable:
        negative = operator in ("!=", "not in", "not like", "not ilike")
        if value in (False, None):
            some = self._x2many_in(model, alias, field, None)
            return some if negative else sql.SQL("NOT {}").format(some)
        if _is_text(value):
            positive = {"!=": "=", "not in": "in"}.get(operator, operator.removeprefix("not "))
            domain = [("display_name", positive, value)]
            _, tail = self._subquery(self.env.model(field.relation or ""), domain, True)
            ids: sql.Composable = sql.SQL("SELECT id {}").format(tail)
        else:
            listed = [one for one in (value if isinstance(value, list | tuple) else [value]) if one]
            ids = sql.SQL(", ").join(map(sql.Literal, listed)) if listed else sql.SQL("NULL")
        found = self._x2many_in(model, alias, field, ids)
        return sql.SQL("NOT {}").format(found) if negative else found

    def _by_name(self, model: Model, alias: str, field: Field, operator: str, value: Any) -> sql.Composable:
        """Compare a many2one with text: by the display name of its record."""
        negative = operator in ("!=", "not in", "not like", "not ilike")
        positive = {"!=": "=", "not in": "in"}.get(operator, operator.removeprefix("not "))
        if positive == "=" and isinstance(value, list | tuple):
            positive = "in"
        _, tail = self._subquery(
            self.env.model(field.relation or ""), [("display_name", positive, value)], active_test=False
        )
        column = self.query.expression(model, alias, field)
        found = sql.SQL("{} IN (SELECT id {})").format(column, tail)
        return sql.SQL("({}) IS NOT TRUE").format(found) if negative else found

    def _hierarchy(self, model: Model, alias: str, field: Field, value: Any) -> sql.Composable:
        """`child_of`, by walking down from these ids."""
        comodel = model if field.name == "id" else self.env.model(field.relation or "")
        start = sql.SQL("SELECT id FROM {} WHERE id = ANY({}::int[])").format(
            sql.Identifier(comodel.table), sql.Literal(value if isinstance(value, list | tuple) else [value])
        )
        ids = sql.SQL(
            "WITH RECURSIVE walk(id) AS ({} UNION SELECT tree.id FROM {} AS tree JOIN walk ON tree.parent_id = walk.id)"
            " SELECT id FROM walk"
        ).format(start, sql.Identifier(comodel.table))
        if field.relation == model.name:
            # The records below, rather than those whose parent is below.
            return sql.SQL("{} IN ({})").format(sql.Identifier(alias, "id"), ids)
        return sql.SQL("{} IN ({})").format(self.query.expression(model, alias, field), ids)


def _denied(env: Environment, model: Model) -> bool:
    return not access.allowed(env, model, "read")


def _is_text(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)
