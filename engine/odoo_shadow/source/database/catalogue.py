"""What Odoo's database says of its models: which tables they are in, and what their fields are.

Read from Odoo's own `ir_model` and `ir_model_fields`, and from PostgreSQL's catalogue (Odoo 16.0 to 19.0).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as with_default

from odoo_shadow.source.database.choices import LISTED, choices_behind, choices_of
from odoo_shadow.source.database.company_values import differs_by_company, is_computed
from odoo_shadow.source.database.definitions import Place, place_of
from odoo_shadow.source.database.language import in_language
from odoo_shadow.source.database.locks import Relations
from odoo_shadow.source.database.relations import Table, granting, has_table, may_read, read_tables
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.source.errors import OdooAccessError, OdooConfigurationError, OdooUnknownModelError
from odoo_shadow.source.values import storable

NEEDED = (
    *("ir_model", "ir_model_constraint", "ir_model_data", "ir_model_fields", "ir_model_fields_selection"),
    *("ir_module_module", "res_company", "res_lang"),
)
"""Odoo's own tables without which nothing can be known of the others."""

_ACTIONS = {"ir.actions.actions": "ir_actions"}
"""A table with another name than its model's, of which no constraint tells (Odoo 16.0 to 19.0)."""

CATALOGUE = Relations(
    (
        *("ir_model", "ir_model_constraint", "ir_model_data", "ir_model_fields", "ir_model_fields_selection"),
        "ir_module_module",
    )
)
"""What is read together to know of models."""


@dataclass(frozen=True)
class StoredField:
    """A field, as `ir_model_fields` describes it.

    :param id: of its row there: another one is another field, even with the same name.
    :param link: of a many2many: its table, and the columns with this model's ids and with the other's.
    :param by_property: whether values are rows of `ir_property`, as those that differ by company are up to Odoo 17.
    :param definition: of properties: where they are defined, None if that is not certain.
    """

    id: int
    name: str
    type: str
    store: bool
    relation: str | None
    required: bool
    manual: bool
    related: str | None
    translate: bool
    company_dependent: bool
    label: str
    link: tuple[str, str, str] | None = None
    selection: tuple[tuple[str, str], ...] = ()
    by_property: bool = False
    definition: Place | None = None

    @property
    def holds_properties(self) -> bool:
        """Whether it has values of properties."""
        return self.type == "properties" and self.store


@dataclass(frozen=True)
class StoredModel:
    """A model and its table.

    :param table: None for a model whose records are not in a table or a view: an abstract one, or one that is made of a
        query in Odoo's code.
    """

    name: str
    label: str
    modules: str
    is_transient: bool
    is_abstract: bool
    table: Table | None
    fields: Mapping[str, StoredField] = with_default(default_factory=dict)

    def column_of(self, field: str) -> str | None:
        """Return the type of a field's column, None if it has none."""
        return self.table.columns.get(field) if self.table is not None else None


def check_odoo(tx: Transaction, called: str) -> None:
    """Make sure that this is an Odoo's database, and that the role may read what describes it.

    :raises OdooConfigurationError: it is not.
    :raises OdooAccessError: the role lacks SELECT.
    """
    rows = tx.run(
        "SELECT c.relname, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = ANY({names}::name[])",
        schema=tx.schema,
        names=list(NEEDED),
    )
    missing = sorted(set(NEEDED) - {str(name) for name, _ in rows})
    if missing:
        raise OdooConfigurationError(
            f"{called} is not a database of Odoo: its schema '{tx.schema}' has no table {missing[0]}: correct the "
            "database's name, or the schema."
        )
    hidden = sorted(str(name) for name, may in rows if not may)
    if hidden:
        raise OdooAccessError(
            f"{called}: the role '{tx.cursor.connection.info.user}' lacks SELECT on {', '.join(hidden)}: "
            f"{granting(tx)}."
        )


def list_models(tx: Transaction, lang: str) -> list[StoredModel]:
    """Return all models with their tables, without their fields, by name."""
    rows = tx.run(
        "SELECT model, coalesce({label}, model), coalesce(transient, false),"
        " coalesce((to_jsonb(m) ->> 'abstract')::boolean, false) FROM {models} m ORDER BY model COLLATE \"C\"",
        label=in_language("m.name", lang),
        models=tx.odoos("ir_model"),
    )
    tables = tables_of(tx, [str(row[0]) for row in rows])
    return [
        StoredModel(str(name), storable(str(label)), "", bool(transient), bool(abstract), tables.get(str(name)))
        for name, label, transient, abstract in rows
    ]


def read_model(tx: Transaction, called: str, name: str, lang: str) -> StoredModel:
    """Return one model with its fields.

    :raises OdooUnknownModelError: there is none.
    """
    rows = tx.run(
        "SELECT coalesce({label}, model), coalesce(transient, false),"
        " coalesce((to_jsonb(m) ->> 'abstract')::boolean, false),"
        # As Odoo computes `modules`.
        " (SELECT string_agg(DISTINCT d.module, ', ' ORDER BY d.module) FROM {data} d JOIN {modules} i"
        " ON i.name = d.module AND i.state = 'installed' WHERE d.model = 'ir.model' AND d.res_id = m.id)"
        " FROM {models} m WHERE model = {name}",
        label=in_language("m.name", lang),
        models=tx.odoos("ir_model"),
        data=tx.odoos("ir_model_data"),
        modules=tx.odoos("ir_module_module"),
        name=name,
    )
    if not rows:
        raise OdooUnknownModelError(f"{called} has no model {name}: its module is not installed.")
    ((label, transient, abstract, modules),) = rows
    table = tables_of(tx, [name]).get(name)
    fields = read_fields(tx, [name], lang).get(name, {})
    return StoredModel(name, storable(str(label)), str(modules or ""), bool(transient), bool(abstract), table, fields)


def read_models(tx: Transaction, lang: str, names: Collection[str]) -> dict[str, StoredModel]:
    """Return some models with their fields, by name; those that Odoo does not have are not in the answer."""
    fields = read_fields(tx, list(names), lang)
    return {
        item.name: replace(item, fields=fields.get(item.name, {}))
        for item in list_models(tx, lang)
        if item.name in names
    }


def read_fields(tx: Transaction, models: Sequence[str], lang: str) -> dict[str, dict[str, StoredField]]:
    """Return the fields of models, by model and name."""
    # The columns of ir_model_fields differ between versions, hence the way through JSON.
    rows = tx.run(
        "SELECT f.model, f.id, f.name, f.ttype, coalesce(f.store, false), f.relation, coalesce(f.required, false),"
        " f.state = 'manual', f.related, coalesce(to_jsonb(f) ->> 'translate', 'false') NOT IN ('false', ''),"
        " coalesce((to_jsonb(f) ->> 'company_dependent')::boolean, false), coalesce({label}, f.name),"
        " f.relation_table, f.column1, f.column2"
        ' FROM {fields} f WHERE f.model = ANY({models}::text[]) ORDER BY f.model COLLATE "C", f.name COLLATE "C"',
        label=in_language("f.field_description", lang),
        fields=tx.odoos("ir_model_fields"),
        models=list(models),
    )
    choices = choices_of(tx, [int(row[1]) for row in rows if row[3] in LISTED], lang)
    has_properties = has_table(tx, "ir_property")
    by_property = _by_property(tx, models) if has_properties and may_read(tx, "ir_property") else set()
    found: dict[str, dict[str, StoredField]] = {}
    for (
        model,
        field_id,
        name,
        kind,
        store,
        relation,
        required,
        manual,
        related,
        translate,
        dependent,
        label,
        *m2m,
    ) in rows:
        link = (str(m2m[0]), str(m2m[1]), str(m2m[2])) if kind == "many2many" and all(m2m) else None
        is_listed = has_properties and not (store or related) and differs_by_company(str(model), str(name))
        is_property = is_listed or (int(field_id) in by_property and not is_computed(str(model), str(name)))
        found.setdefault(str(model), {})[str(name)] = StoredField(
            int(field_id),
            str(name),
            storable(str(kind)),
            bool(store),
            storable(str(relation)) if relation else None,
            bool(required),
            bool(manual),
            storable(str(related)) if related else None,
            bool(translate),
            bool(dependent) or is_property,
            storable(str(label)),
            link,
            choices.get(int(field_id), ()),
            is_property,
        )
    for model, fields in found.items():
        for item in [item for item in fields.values() if item.type in LISTED and item.store and item.related]:
            choices_there = item.selection or choices_behind(tx, model, item.related or "", lang)
            fields[item.name] = replace(item, selection=choices_there)
    _add_definitions(tx, found)
    return found


def _add_definitions(tx: Transaction, models: Mapping[str, dict[str, StoredField]]) -> None:
    """Note where properties are defined."""
    having = {name: fields for name, fields in models.items() if any(item.holds_properties for item in fields.values())}
    linking = {
        name: [item for item in fields.values() if item.type == "many2one" and item.relation]
        for name, fields in having.items()
    }
    relations = {item.relation for items in linking.values() for item in items if item.relation}
    definitions = definition_fields(tx, relations) if relations else []
    for model, fields in having.items():
        links = {item.name: item.relation for item in linking[model] if item.relation}
        stored = {item.name for item in linking[model] if item.store}
        for item in [item for item in fields.values() if item.holds_properties]:
            fields[item.name] = replace(item, definition=place_of(model, item.name, links, stored, definitions))


def _by_property(tx: Transaction, models: Sequence[str]) -> set[int]:
    """Return the ids of the fields that `ir_property` has values of; there is no such table from Odoo 18 on."""
    rows = tx.run(
        "SELECT DISTINCT p.fields_id FROM {properties} p JOIN {fields} f ON f.id = p.fields_id"
        " WHERE f.model = ANY({models}::text[]) AND NOT coalesce(f.store, false) AND f.related IS NULL",
        properties=tx.odoos("ir_property"),
        fields=tx.odoos("ir_model_fields"),
        models=list(models),
    )
    return {int(field_id) for (field_id,) in rows}


def definition_fields(tx: Transaction, models: Collection[str]) -> list[tuple[str, str]]:
    """Return the fields of models that hold definitions of properties: model and name."""
    rows = tx.run(
        "SELECT model, name FROM {fields} WHERE ttype = 'properties_definition' AND store"
        ' AND model = ANY({models}::text[]) ORDER BY model COLLATE "C", name COLLATE "C"',
        fields=tx.odoos("ir_model_fields"),
        models=sorted(models),
    )
    return [(str(model), str(name)) for model, name in rows]


def major_version(tx: Transaction) -> int:
    """Return Odoo's major version, by that of its module `base`: `17.0.1.3` is 17. 0 if it does not say."""
    rows = tx.run("SELECT latest_version FROM {modules} WHERE name = 'base'", modules=tx.odoos("ir_module_module"))
    version = str(rows[0][0] or "") if rows else ""
    major = version.removeprefix("saas~").partition(".")[0]
    return int(major) if major.isdigit() else 0


def tables_of(tx: Transaction, models: Sequence[str]) -> dict[str, Table]:
    """Return models' tables. A model without one is not in the answer.

    `ir_model` does not tell the name. Odoo's notes on constraints do: each table that it makes has a foreign key for
    `create_uid` or `write_uid`. Others are named like their model.
    """
    named = _by_constraints(tx, models)
    wanted = {model: named.get(model) or _ACTIONS.get(model) or model.replace(".", "_") for model in models}
    tables = read_tables(tx, wanted.values())
    return {model: tables[name] for model, name in wanted.items() if name in tables}


def _by_constraints(tx: Transaction, models: Sequence[str]) -> dict[str, str]:
    rows = tx.run(
        "SELECT m.model, min(c.relname::text) FROM {models} m JOIN {notes} k ON k.model = m.id AND k.type = 'f'"
        " JOIN pg_constraint p ON p.conname = k.name AND p.contype = 'f' AND cardinality(p.conkey) = 1"
        " JOIN pg_class c ON c.oid = p.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.conkey[1]"
        " WHERE n.nspname = {schema} AND a.attname IN ('create_uid', 'write_uid') AND m.model = ANY({names}::text[])"
        " GROUP BY m.model HAVING count(DISTINCT c.relname) = 1",
        models=tx.odoos("ir_model"),
        notes=tx.odoos("ir_model_constraint"),
        schema=tx.schema,
        names=list(models),
    )
    return {str(model): str(table) for model, table in rows}
