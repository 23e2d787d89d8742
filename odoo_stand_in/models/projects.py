"""Projects and tasks."""

from __future__ import annotations

from odoo_stand_in.schema import Declaration

MODELS = (
    Declaration(
        "project.project",
        "Project",
        """
        access_token: char
        name: char translate required
        description: html
        active: boolean
        sequence: integer
        partner_id: many2one res.partner
        company_id: many2one res.company
        analytic_account_id@17: many2one account.analytic.account
        label_tasks: char translate
        color: integer
        user_id: many2one res.users
        privacy_visibility@17: selection =followers|employees|portal required
        privacy_visibility@19: selection =followers|invited_users|employees|portal required
        date_start: date
        date: date
        allow_task_dependencies: boolean
        allow_milestones: boolean
        task_properties_definition: properties_definition
        rating_request_deadline@17: datetime readonly
        rating_active@17: boolean
        rating_status@17: selection =stage|periodic required
        rating_status_period@17: selection =daily|weekly|bimonthly|monthly|quarterly|yearly required
        last_update_status: selection =on_track|at_risk|off_track|on_hold|to_define|done required
        allow_billable: boolean
        sale_line_id: many2one sale.order.line
        account_id@19: many2one account.analytic.account
        allow_recurring_tasks@19: boolean
        is_template@19: boolean
        reinvoiced_sale_order_id@19: many2one sale.order groups=sales_team.group_sale_salesman
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        favorite_user_ids: many2many res.users rel=project_favorite_user_rel/project_id/user_id
        tasks: one2many project.task/project_id
        type_ids: many2many project.task.type rel=project_task_type_rel/project_id/type_id
        tag_ids: many2many project.tags rel=project_project_project_tags_rel/project_project_id/project_tags_id
        activity_exception_icon: char readonly nostore
        has_message: boolean readonly nostore
        rating_percentage_satisfaction: integer readonly nostore
        rating_count: integer readonly nostore
        alias_email: char readonly nostore
        access_url: char readonly nostore
        access_warning: text readonly nostore
        is_favorite: boolean nostore
        """,
        module="project",
        order="sequence, name, id",
        write_groups=("project.group_project_user",),
    ),
    Declaration(
        "project.task",
        "Task",
        """
        rating_last_value: float readonly groups=base.group_user
        email_cc: char
        access_token: char
        active: boolean
        name: char required
        description: html
        priority@17: selection =0|1
        priority@19: selection =0|1|2|3
        sequence: integer
        stage_id: many2one project.task.type ondelete=restrict
        state: selection =01_in_progress|02_changes_requested|03_approved|1_done|1_canceled|04_waiting_normal required
        date_end: datetime
        date_assign: datetime readonly
        date_deadline: datetime
        date_last_stage_update: datetime readonly
        project_id: many2one project.project
        display_in_project: boolean readonly
        task_properties: properties definition=project_id/task_properties_definition
        allocated_hours: float
        partner_id: many2one res.partner
        company_id: many2one res.company
        color: integer
        displayed_image_id: many2one ir.attachment
        parent_id: many2one project.task
        working_hours_open: float digits readonly
        working_hours_close: float digits readonly
        working_days_open: float readonly
        working_days_close: float readonly
        recurring_task: boolean
        analytic_account_id@17: many2one account.analytic.account
        sale_order_id: many2one sale.order readonly
        sale_line_id: many2one sale.order.line
        html_field_history@19: json
        partner_phone@19: char
        email_from@19: char
        is_template@19: boolean
        has_template_ancestor@19: boolean readonly
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        tag_ids: many2many project.tags rel=project_tags_project_task_rel/project_task_id/project_tags_id
        user_ids: many2many res.users rel=project_task_user_rel/task_id/user_id
        child_ids: one2many project.task/parent_id
        depend_on_ids: many2many project.task rel=task_dependencies_rel/task_id/depends_on_id
        dependent_ids: many2many project.task rel=task_dependencies_rel/depends_on_id/task_id
        has_message: boolean readonly nostore
        rating_count: integer readonly nostore
        rating_percentage_satisfaction: float readonly nostore
        activity_exception_icon: char readonly nostore
        access_url: char readonly nostore
        access_warning: text readonly nostore
        subtask_allocated_hours: float readonly nostore
        portal_user_names: char readonly nostore
        """,
        module="project",
        order="priority desc, sequence, date_deadline asc, id desc",
        write_groups=("project.group_project_user",),
    ),
    Declaration(
        "project.task.type",
        "Task Stage",
        """
        active: boolean
        name: char translate required
        description@17: text translate
        sequence: integer
        fold: boolean
        user_id: many2one res.users readonly
        project_ids: many2many project.project rel=project_task_type_rel/type_id/project_id
        """,
        module="project",
        order="sequence, id",
        write_groups=("project.group_project_user",),
    ),
    Declaration(
        "project.tags",
        "Project Tags",
        """
        name: char translate required
        color: integer
        """,
        module="project",
        order="name",
        write_groups=("project.group_project_user",),
    ),
)
