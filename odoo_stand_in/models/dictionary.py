"""Odoo's own record of its models, their fields and the constraints of their tables."""

from __future__ import annotations

from odoo_stand_in.schema import Declaration

ADMINISTRATION = ("base.group_erp_manager",)
TYPES = (
    "binary|boolean|char|date|datetime|float|html|integer|json|many2many|many2one|many2one_reference|monetary"
    "|one2many|properties|properties_definition|reference|selection|text"
)
MODELS = (
    Declaration(
        "ir.model",
        "Models",
        """
        name: char translate required string=Model_Description
        model: char required
        order: char required
        info: text
        field_id: one2many ir.model.fields/model_id required
        state: selection =manual|base readonly
        abstract@19: boolean
        transient: boolean
        modules: char kept readonly string=In_Apps
        count: integer readonly nostore
        """,
        order="model",
        read_groups=ADMINISTRATION,
        write_groups=("base.group_system",),
    ),
    Declaration(
        "ir.model.fields.selection",
        "Fields Selection",
        """
        field_id: many2one ir.model.fields required ondelete=cascade
        value: char required
        name: char translate required
        sequence: integer
        """,
        order="sequence, id",
        read_groups=ADMINISTRATION,
        write_groups=("base.group_system",),
    ),
    Declaration(
        "ir.model.fields",
        "Fields",
        f"""
        name: char required string=Field_Name
        complete_name@17: char
        model: char required string=Model_Name
        relation: char string=Related_Model
        relation_field: char
        model_id: many2one ir.model required ondelete=cascade
        field_description: char translate required string=Field_Label
        help: text translate
        ttype: selection ={TYPES} required string=Field_Type
        related: char
        required: boolean
        readonly: boolean
        translate@17: boolean
        translate@19: selection =standard|html_translate|xml_translate
        company_dependent@19: boolean readonly
        state: selection =manual|base required readonly
        store: boolean string=Stored
        relation_table: char
        column1: char
        column2: char
        currency_field: char
        groups: many2many res.groups
        selection_ids: one2many ir.model.fields.selection/field_id
        """,
        order="name, id",
        rec_name="field_description",
        read_groups=ADMINISTRATION,
        write_groups=("base.group_system",),
    ),
    Declaration(
        "ir.model.constraint",
        "Model Constraint",
        """
        name: char required
        definition: char
        message: char translate
        model: many2one ir.model required ondelete=cascade
        module: many2one ir.module.module required ondelete=cascade
        type: char required string=Constraint_Type
        """,
        read_groups=ADMINISTRATION,
        write_groups=("base.group_system",),
    ),
    Declaration(
        "ir.model.inherit",
        "Model Inheritance Tree",
        """
        model_id: many2one ir.model required ondelete=cascade
        parent_id: many2one ir.model required ondelete=cascade
        parent_field_id: many2one ir.model.fields ondelete=cascade
        """,
        rec_name="",
        log_access=False,
        # Nobody may read it, whatever their groups.
        read_groups=(),
        write_groups=(),
    ),
)
