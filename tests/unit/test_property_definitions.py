"""Where properties are defined, which no table of Odoo's tells."""

from __future__ import annotations

import pytest

from odoo_shadow.source.database.definitions import OfModel, OfRecord, Place, place_of

OF_COMPANY = {"company_id": "res.company"}
DEFINITIONS = (
    ("crm.team", "lead_properties_definition"),
    ("event.event", "registration_properties_definition"),
    ("hr.resume.line.type", "resume_line_type_properties_definition"),
    ("project.project", "task_properties_definition"),
    ("res.company", "employee_properties_definition"),
    ("stock.picking.type", "batch_properties_definition"),
    ("stock.picking.type", "picking_properties_definition"),
    ("x_task", "x_definition"),
)


@pytest.mark.parametrize(
    ("model", "field", "links", "expected"),
    [
        (
            "crm.lead",
            "lead_properties",
            {**OF_COMPANY, "team_id": "crm.team"},
            OfRecord("team_id", "crm.team", "lead_properties_definition"),
        ),
        (
            "stock.picking.batch",  # Odoo 19.0
            "properties",
            {**OF_COMPANY, "picking_type_id": "stock.picking.type"},
            OfRecord("picking_type_id", "stock.picking.type", "batch_properties_definition"),
        ),
        (
            "hr.resume.line",  # Odoo 19.0
            "resume_line_properties",
            {"line_type_id": "hr.resume.line.type", "event_id": "event.event"},
            OfRecord("line_type_id", "hr.resume.line.type", "resume_line_type_properties_definition"),
        ),
        ("x_task", "x_properties", {"x_parent_id": "x_task"}, OfRecord("x_parent_id", "x_task", "x_definition")),
        ("x_task", "x_properties", {"x_parent_id": "x_task", "x_next_id": "x_task"}, None),
        ("product.template", "task_properties", dict.fromkeys(("project_id", "other_id"), "project.project"), None),
        ("x_visit", "x_properties", OF_COMPANY, None),  # the only one there is, but of employees
        ("x_taskforce", "x_properties", {"x_task_id": "x_task"}, None),
        ("x_visit", "x_properties", {}, None),
    ],
)
def test_names_tell_it_or_nothing_is_guessed(
    model: str, field: str, links: dict[str, str], expected: Place | None
) -> None:
    assert place_of(model, field, [field, *links], links, DEFINITIONS) == expected


def test_properties_of_all_records_of_a_model_are_not_those_of_its_company() -> None:
    fields = ["company_id", "properties", "properties_base_definition_id"]
    assert place_of("res.partner", "properties", fields, OF_COMPANY, DEFINITIONS) == OfModel()
    assert place_of("res.partner", "properties", fields[:2], OF_COMPANY, DEFINITIONS) is None
