"""Values that no column holds: computed each time they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from psycopg import sql

from odoo_stand_in.orm.environment import Environment

Values = Mapping[int, int | str]


def _rows_of_models(env: Environment, ids: Sequence[int]) -> Values:
    """`ir.model.count`: rows of the tables; SQL views and abstract models have none."""
    named = env.rows(sql.SQL("SELECT id, model FROM ir_model WHERE id = ANY({})").format(sql.Literal(list(ids))))
    models = ((one, env.registry.models.get(name)) for one, name in named)
    counts = [
        sql.SQL("SELECT {}, (SELECT count(*) FROM {})").format(sql.Literal(one), sql.Identifier(model.table))
        for one, model in models
        if model is not None and model.has_table and model.auto
    ]
    return {row[0]: row[1] for row in env.rows(sql.SQL(" UNION ALL ").join(counts))} if counts else {}


def _lines(env: Environment, ids: Sequence[int]) -> Values:
    """`x_kinds.x_line_count`: it changes without a trace on the record itself."""
    return dict(
        env.rows(
            sql.SQL(
                "SELECT x_kind_id, count(*)::int FROM x_kinds_line WHERE x_kind_id = ANY({}) GROUP BY x_kind_id"
            ).format(sql.Literal(list(ids)))
        )
    )


def _modules_of_models(env: Environment, ids: Sequence[int]) -> Values:
    """`ir.model.modules`: those that have a record of the model; a custom model has none."""
    return dict(
        env.rows(
            sql.SQL(
                "SELECT m.id, COALESCE(string_agg(DISTINCT d.module, ', ' ORDER BY d.module), '') FROM ir_model m"
                " LEFT JOIN (ir_model_data d JOIN ir_module_module i ON i.name = d.module AND i.state = 'installed')"
                " ON d.model = 'ir.model' AND d.res_id = m.id WHERE m.id = ANY({}) GROUP BY m.id"
            ).format(sql.Literal(list(ids)))
        )
    )


COMPUTED: Mapping[tuple[str, str], Callable[[Environment, Sequence[int]], Values]] = {
    ("ir.model", "count"): _rows_of_models,
    ("ir.model", "modules"): _modules_of_models,
    ("x_kinds", "x_line_count"): _lines,
}
