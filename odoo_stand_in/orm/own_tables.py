"""Tables in which Odoo keeps what belongs to other models, where the stand-in has no model for them."""

from __future__ import annotations

from typing import LiteralString

from odoo_stand_in.declared.registry import Registry

_LOG: LiteralString = (
    "create_uid int4 REFERENCES res_users ON DELETE SET NULL, write_uid int4 REFERENCES res_users ON DELETE SET NULL,"
    " create_date timestamp, write_date timestamp"
)
# Company-dependent values up to 17, and their defaults.
_PROPERTIES: LiteralString = f"""
CREATE TABLE ir_property (
    id serial PRIMARY KEY,
    company_id int4 REFERENCES res_company ON DELETE SET NULL,
    fields_id int4 NOT NULL REFERENCES ir_model_fields ON DELETE CASCADE,
    value_integer int4, name varchar, res_id varchar, value_reference varchar, type varchar NOT NULL,
    value_text text, value_datetime timestamp, value_float float8, value_binary bytea, {_LOG}
)
"""
_PROPERTIES_KEYS: LiteralString = """
CREATE INDEX ir_property__company_id_index ON ir_property (company_id);
CREATE INDEX ir_property__name_index ON ir_property (name);
CREATE INDEX ir_property__res_id_index ON ir_property (res_id);
CREATE INDEX ir_property__type_index ON ir_property (type);
CREATE UNIQUE INDEX ir_property_unique_index
    ON ir_property (fields_id, (COALESCE(company_id, 0)), (COALESCE(res_id, '')))
"""
# What a form shows at first, and from 18 on the defaults of company-dependent fields.
_DEFAULTS: LiteralString = f"""
CREATE TABLE ir_default (
    id serial PRIMARY KEY,
    field_id int4 NOT NULL REFERENCES ir_model_fields ON DELETE CASCADE,
    user_id int4 REFERENCES res_users ON DELETE CASCADE,
    company_id int4 REFERENCES res_company ON DELETE CASCADE,
    condition varchar, json_value varchar NOT NULL, {_LOG}
)
"""
_DEFAULTS_KEYS: LiteralString = """
CREATE INDEX ir_default__company_id_index ON ir_default (company_id);
CREATE INDEX ir_default__field_id_index ON ir_default (field_id);
CREATE INDEX ir_default__user_id_index ON ir_default (user_id)
"""
_RELATIONS: LiteralString = f"""
CREATE TABLE ir_model_relation (
    id serial PRIMARY KEY,
    model int4 NOT NULL REFERENCES ir_model ON DELETE CASCADE,
    module int4 NOT NULL REFERENCES ir_module_module ON DELETE CASCADE,
    name varchar NOT NULL, {_LOG}
)
"""
_RELATIONS_KEYS: LiteralString = """
CREATE INDEX ir_model_relation__model_index ON ir_model_relation (model);
CREATE INDEX ir_model_relation__module_index ON ir_model_relation (module);
CREATE INDEX ir_model_relation__name_index ON ir_model_relation (name)
"""
# Where each record of a module's data came from: which module made a model is known by it alone.
_DATA: LiteralString = f"""
CREATE TABLE ir_model_data (
    id serial PRIMARY KEY, res_id int4, noupdate bool DEFAULT false,
    name varchar NOT NULL, module varchar NOT NULL, model varchar NOT NULL, {_LOG}
)
"""
_DATA_KEYS: LiteralString = """
ALTER TABLE ir_model_data ALTER create_date SET DEFAULT (now() AT TIME ZONE 'UTC'),
    ALTER write_date SET DEFAULT (now() AT TIME ZONE 'UTC');
CREATE INDEX ir_model_data_model_res_id_index ON ir_model_data (model, res_id);
CREATE UNIQUE INDEX ir_model_data_module_name_uniq_index ON ir_model_data (module, name)
"""
# What Odoo has in its file store, which is outside of PostgreSQL: a field that is attached has no column.
_FILES: LiteralString = """
CREATE TABLE file_store (
    res_model varchar, res_field varchar, res_id int4, content bytea NOT NULL,
    PRIMARY KEY (res_model, res_field, res_id)
)
"""
DICTIONARY: LiteralString = """
ALTER TABLE ir_model_fields
    ADD relation_field_id int4 REFERENCES ir_model_fields ON DELETE CASCADE,
    ADD related_field_id int4 REFERENCES ir_model_fields ON DELETE CASCADE,
    ADD size int4, ADD on_delete varchar, ADD domain varchar, ADD depends varchar, ADD compute text,
    ADD copied bool, ADD index bool, ADD group_expand bool, ADD selectable bool
"""
"""Columns of `ir_model_fields` that the stand-in's own model lacks."""


def statements(registry: Registry) -> list[LiteralString]:
    """Return what creates the tables, unless a model has made them, and their keys; what they point to is there."""
    found = {
        "ir.model.data": (_DATA, _DATA_KEYS),
        "ir.default": (_DEFAULTS, _DEFAULTS_KEYS),
        "ir.model.relation": (_RELATIONS, _RELATIONS_KEYS),
    }
    if registry.flavour == "17":
        found["ir.property"] = (_PROPERTIES, _PROPERTIES_KEYS)
    tables = [table for name, (table, _) in found.items() if name not in registry.models]
    return [_FILES, *tables, *(keys for _, keys in found.values())]
