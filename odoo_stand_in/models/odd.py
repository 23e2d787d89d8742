"""Models that are no plain tables, or that lack what most tables have."""

from __future__ import annotations

from odoo_stand_in.schema import Declaration

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
    Declaration(
        "res.device.log",
        "Device Log",
        """
        session_identifier: char required
        platform: char
        browser: char
        user_id: many2one res.users
        last_activity: datetime
        revoked: boolean
        """,
        rec_name="",
        only="19",
    ),
    Declaration(
        "res.device",
        "Devices",
        """
        session_identifier: char required
        platform: char
        browser: char
        user_id: many2one res.users
        last_activity: datetime
        revoked: boolean
        is_current: boolean readonly nostore
        """,
        order="last_activity desc",
        rec_name="",
        kind="view",
        view_sql="SELECT * FROM res_device_log WHERE revoked IS NOT TRUE",
        only="19",
    ),
    # A table without a write_date that is empty on most servers.
    Declaration(
        "mail.message.reaction",
        "Message Reaction",
        """
        content: char required readonly
        partner_id: many2one res.partner readonly ondelete=cascade
        """,
        module="mail",
        order="id desc",
        rec_name="",
        log_access=False,
        write_groups=("base.group_system",),
    ),
    # A table that is there before the ORM: none of its keys is recorded.
    Declaration(
        "ir.module.module.dependency",
        "Module dependency",
        """
        name: char
        module_id: many2one ir.module.module ondelete=cascade
        auto_install_required: boolean
        """,
        log_access=False,
        write_groups=("base.group_system",),
    ),
    Declaration(
        "account.code.mapping",
        "Mapping of account codes per company",
        """
        account_id: many2one account.account nostore
        company_id: many2one res.company nostore
        code: char nostore
        """,
        module="account",
        rec_name="",
        kind="view",
        log_access=False,
        read_groups=("account.group_account_readonly", "account.group_account_manager"),
        refusal="Account Code Mapping cannot be accessed directly. It is designed to be used only through the Chart of"
        " Accounts.",
        only="19",
    ),
)
