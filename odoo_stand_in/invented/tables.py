"""What only somebody who reads Odoo's tables stumbles over; whoever asks the server is told the sense of it.

These are the awkward models with rows that Odoo itself leaves behind: values of records that are gone, defaults,
choices and properties that are no longer defined, and Odoo's own tables that do not follow their models' names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Declaration
from odoo_stand_in.invented import awkward
from odoo_stand_in.invented.awkward import EMPTY, FULL, HIGH, KINDS, LOW
from odoo_stand_in.invented.generator import Generator, Row
from odoo_stand_in.orm.company_values import field_id, insert_properties, put_default

GONE = 999_999
"""The id of a record that there is not."""
REPORTS = 4
ARCHIVED, OF_ANOTHER_COMPANY = 34, 31
"""Partners that a many2many points to, and that whoever asks the server is not told of."""
_LINKS = (
    {"name": "p9", "type": "many2one", "string": "Carrier", "comodel": "res.partner"},
    {"name": "p10", "type": "many2one", "string": "Former carrier", "comodel": "res.partner"},
    {"name": "p11", "type": "many2many", "string": "Checked by", "comodel": "res.users"},
    {"name": "p12", "type": "separator", "string": "Never filled in"},
    {"name": "p13", "type": "integer", "string": "Number"},
    {"name": "p14", "type": "boolean", "string": "Checked"},
    {"name": "p15", "type": "char", "string": "Remark"},
)
_VALUES = {
    "p1": "red",
    "p2": 0,
    "p3": 1e-9,
    "p4": True,
    "p5": None,
    "p7": "no longer a choice",
    "p8": ["gone", "b"],
    "p9": 7,
    "p10": GONE,
    "p11": [2, GONE, 3, 2],
    "p15": False,
    "no longer defined": "x",
}


_OF_THE_MODEL = (
    {"name": "b1", "type": "char", "string": "Loyalty card"},
    {"name": "b2", "type": "integer", "string": "Points", "default": 10},
)


def models() -> Iterator[Declaration]:
    """Return the awkward models, and properties that Odoo 19 defines for all records of a model."""
    yield from awkward.models()
    yield Declaration(
        "properties.base.definition",
        "Properties Base Definition",
        """
        properties_field_id: many2one ir.model.fields required ondelete=cascade
        properties_definition: properties_definition
        """,
        rec_name="",
        only="19",
    )
    fields = """
    properties_base_definition_id@19: many2one properties.base.definition nostore readonly
    properties@19: properties definition=properties_base_definition_id/properties_definition
    """
    yield Declaration("res.partner", "", fields, extends=True)


def populate(generator: Generator) -> None:
    """Make the rows of the awkward models, and of Odoo's own."""
    awkward.populate(generator)
    kinds = {row["id"]: row for row in generator.rows[KINDS]}
    kinds[FULL]["x_properties_definition"] = [*awkward.DEFINITION, *_LINKS]
    kinds[LOW]["x_properties"] = _VALUES
    field = generator.registry.models[KINDS].fields["x_partner_ids"]
    for partner in (7, ARCHIVED, OF_ANOTHER_COMPANY):
        generator.relate(f"{field.rel_table}/{field.rel_own}/{field.rel_other}", LOW, partner)
    generator.rows["res.partner"][OF_ANOTHER_COMPANY - 1]["company_id"] = 3
    generator.counts["ir.actions.report"] = REPORTS
    generator.make("ir.actions.report", _report)
    _personal_stages(generator)


def _report(number: int, row: Row) -> None:
    row.update(
        name={"en_US": f"Report {number}", "fr_FR": f"Rapport {number}"},
        type="ir.actions.report",
        binding_model_id=None,
        binding_type="report",
        model="res.partner",
        report_type="qweb-pdf",
        report_name=f"base.report_{number}",
        path=None,
    )


def _personal_stages(generator: Generator) -> None:
    """Put the users of tasks into the table that also is a model's own."""
    model = generator.registry.models["project.task.stage.personal"]
    (relation,) = (target for target in generator.relations if target.startswith(f"{model.table}/"))
    pairs = sorted(generator.relations.pop(relation))
    generator.counts[model.name] = len(pairs)
    generator.make(
        model.name,
        lambda number, row: row.update(
            task_id=pairs[number - 1][0], user_id=pairs[number - 1][1], stage_id=number % 5 or None
        ),
    )


def company_values(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """Leave values by company as Odoo leaves them: defaults of one company and of all, emptied ones, dead links."""
    awkward.company_values(connection, registry)
    fields = registry.models[KINDS].fields
    kinds = registry.models[KINDS]
    defaults: list[tuple[str, int | None, Any]] = [
        ("x_by_company_text", None, "of all companies"),
        ("x_by_company_text", 2, "of the second company"),
        ("x_by_company_integer", None, 77),
        ("x_by_company_boolean", None, True),
        ("x_by_company_float", 1, 0.1),
        ("x_by_company_date", None, "2020-02-29"),
        ("x_by_company_many2one", None, 5),
        ("x_by_company_many2one", 2, GONE),
        ("x_by_company_selection", 1, "high"),
    ]
    for name, company, value in defaults:
        put_default(connection, kinds, fields[name], company, value)
    if registry.flavour == "17":
        _properties(connection, registry)
    else:
        _columns(connection, registry)
        _base_definition(connection, registry)


def _properties(connection: psycopg.Connection[Any], registry: Registry) -> None:
    kinds = registry.models[KINDS]
    for name, value in (("x_by_company_char", None), ("x_by_company_many2one", None), ("x_by_company_text", "")):
        insert_properties(connection, kinds, kinds.fields[name], [(1, EMPTY, value), (None, EMPTY, value)])
    link = kinds.fields["x_by_company_many2one"]
    insert_properties(connection, kinds, link, [(2, EMPTY, GONE), (None, LOW, 9)])
    # A record that is gone leaves its values behind when SQL has deleted it.
    insert_properties(connection, kinds, link, [(1, GONE, 7)])
    connection.execute(
        sql.SQL("UPDATE ir_property SET value_reference = 'res.partner,{gone}' WHERE res_id = {high}").format(
            gone=sql.SQL(str(GONE)), high=sql.Literal(f"{KINDS},{HIGH}")
        )
        + sql.SQL(" AND fields_id = {}").format(field_id(kinds, link))
    )


def _columns(connection: psycopg.Connection[Any], registry: Registry) -> None:
    kinds = registry.models[KINDS]
    emptied = {
        **dict.fromkeys(("char", "text", "html", "date", "datetime", "selection"), "null"),
        "many2one": str(GONE),
        "integer": "0",
        "float": "0.0",
        "boolean": "false",
    }
    for kind, value in emptied.items():
        connection.execute(
            sql.SQL("UPDATE x_kinds SET {0} = jsonb_build_object('1', {1}::jsonb) WHERE id = {2}").format(
                sql.Identifier(f"x_by_company_{kind}"), sql.Literal(value), sql.Literal(EMPTY)
            )
        )
    # What is only of one user or under a condition is no default of a value by company.
    connection.execute(
        sql.SQL(
            "INSERT INTO ir_default (field_id, user_id, company_id, condition, json_value)"
            " VALUES ({field}, 2, NULL, NULL, '\"of a user\"'), ({field}, NULL, 1, 'x=1', '\"under a condition\"')"
        ).format(field=field_id(kinds, kinds.fields["x_by_company_html"]))
    )


def _base_definition(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """Define properties for all partners, and give values to some of them."""
    partner = registry.models["res.partner"]
    connection.execute(
        sql.SQL(
            "INSERT INTO properties_base_definition (properties_field_id, properties_definition) VALUES ({}, {})"
        ).format(field_id(partner, partner.fields["properties"]), sql.Literal(Jsonb(list(_OF_THE_MODEL))))
    )
    connection.execute(
        "UPDATE res_partner SET properties = jsonb_build_object('b1', 'card ' || id) WHERE id % 5 = 0;"
        "UPDATE res_partner SET properties = NULL WHERE id % 5 > 0"
    )
