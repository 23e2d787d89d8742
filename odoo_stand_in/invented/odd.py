"""What most servers have in one form or another: employees that few may see, and custom fields."""

from __future__ import annotations

from odoo_stand_in.declared.schema import Declaration

MODELS = (
    Declaration(
        "hr.employee",
        "Employee",
        """
        name: char
        active: boolean
        barcode: char
        job_title: char
        work_email: char
        company_id: many2one res.company required
        user_id: many2one res.users ondelete=restrict
        skill_ids@17: many2many res.partner.category
        current_version_id@19: many2one res.company
        """,
        order="name",
        module="hr",
        read_groups=("base.group_erp_manager",),
        write_groups=("base.group_erp_manager",),
        profile="hr.employee.public",
        dropping=("current_version_id",),
    ),
    # A view with a write_date that its table has.
    Declaration(
        "hr.employee.public",
        "Public Employee",
        """
        name: char readonly
        active: boolean readonly
        job_title: char readonly
        work_email: char readonly
        company_id: many2one res.company readonly
        user_id: many2one res.users readonly
        """,
        order="name",
        module="hr",
        kind="view",
        view_sql="SELECT id, name, active, job_title, work_email, company_id, user_id,"
        " create_uid, create_date, write_uid, write_date FROM hr_employee",
    ),
    # What a consultant has added to a database.
    Declaration(
        "res.partner",
        "",
        """
        x_customer_since: date manual string=Customer_since
        x_score: float manual string=Score
        x_segment: selection =a|b|c manual string=Segment
        x_contract_value: monetary manual string=Contract_value
        x_last_visit: datetime manual string=Last_visit
        x_notes: text manual string=Notes_of_the_field_team
        x_visits: integer manual string=Visits
        x_preferred: reference =res.partner|product.product manual string=Preferred
        x_slogan: char translate manual string=Slogan
        x_settings: json manual string=Settings
        x_vip: boolean manual string=VIP
        x_discount: float digits=5,2 manual string=Discount
        x_last_order_id: many2one sale.order manual string=Last_order
        """,
        extends=True,
    ),
)
