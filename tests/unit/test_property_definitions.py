"""Where properties are defined, which no table of Odoo's tells."""

from __future__ import annotations

import pytest

from odoo_shadow.source.database.definitions import OfModel, OfRecord, Place, place_of

COMPANY = {"company_id": "res.company"}
DEFINITIONS = (
    ("crm.team", "lead_properties_definition"),
    ("event.event", "registration_properties_definition"),
    ("helpdesk.team", "ticket_properties"),
    ("helpdesk.ticket.type", "x_definition"),
    ("hr.resume.line.type", "resume_line_type_properties_definition"),
    ("project.project", "task_properties_definition"),
    ("res.company", "employee_properties_definition"),
    ("stock.picking.type", "batch_properties_definition"),
    ("stock.picking.type", "picking_properties_definition"),
    ("x_project", "x_properties_definition"),
)
TASKS = OfRecord("project_id", "project.project", "task_properties_definition")


@pytest.mark.parametrize(
    ("field", "links", "expected"),
    [
        (
            "crm.lead.lead_properties",
            {**COMPANY, "team_id": "crm.team"},
            OfRecord("team_id", "crm.team", "lead_properties_definition"),
        ),
        (
            "stock.picking.batch.properties",  # Odoo 19.0
            {**COMPANY, "picking_type_id": "stock.picking.type"},
            OfRecord("picking_type_id", "stock.picking.type", "batch_properties_definition"),
        ),
        (
            "hr.resume.line.resume_line_properties",  # Odoo 19.0
            {"line_type_id": "hr.resume.line.type", "event_id": "event.event"},
            OfRecord("line_type_id", "hr.resume.line.type", "resume_line_type_properties_definition"),
        ),
        (
            "helpdesk.ticket.properties",
            {"team_id": "helpdesk.team", "ticket_type_id": "helpdesk.ticket.type"},
            OfRecord("team_id", "helpdesk.team", "ticket_properties"),
        ),
        # Odoo 16.0 has a second link to a project; so has whoever makes one in Studio.
        ("project.task.task_properties", dict.fromkeys(("project_id", "display_project_id"), "project.project"), TASKS),
        (
            "x_visit.x_properties",
            {**COMPANY, "x_project_id": "x_project"},
            OfRecord("x_project_id", "x_project", "x_properties_definition"),
        ),
        ("x_visit.x_properties", dict.fromkeys(("x_project_id", "x_other_id"), "x_project"), None),
        ("x_visit.x_properties", COMPANY, None),  # the only one there is, but of employees
        ("x_visit.x_properties", {}, None),
    ],
)
def test_it_is_listed_or_its_name_tells_or_nothing_is_guessed(
    field: str, links: dict[str, str], expected: Place | None
) -> None:
    model, _, name = field.rpartition(".")
    assert place_of(model, name, links, links.keys(), DEFINITIONS) == expected


def test_a_link_that_is_computed_may_be_the_one() -> None:
    links = dict.fromkeys(("x_project_id", "x_former_project_id"), "x_project")
    assert place_of("x_visit", "x_properties", links, {"x_former_project_id"}, DEFINITIONS) is None
    assert place_of("x_visit", "x_properties", {"x_project_id": "x_project"}, (), DEFINITIONS) is None


def test_properties_of_all_records_of_a_model_are_not_those_of_its_company() -> None:
    links = {**COMPANY, "properties_base_definition_id": "properties.base.definition"}
    assert place_of("res.partner", "properties", links, COMPANY, DEFINITIONS) == OfModel()
    assert place_of("res.partner", "properties", COMPANY, COMPANY, DEFINITIONS) is None
