"""Sales and purchase orders with their lines."""
# ruff: noqa: E501 - one field is one line

from __future__ import annotations

from odoo_stand_in.schema import Declaration

MODELS = (
    Declaration(
        "sale.order",
        "Sales Order",
        """
        access_token: char
        name: char required
        company_id: many2one res.company required
        partner_id: many2one res.partner required
        state: selection =draft|sent|sale|cancel readonly
        locked: boolean
        client_order_ref: char
        commitment_date: datetime
        date_order: datetime required
        origin: char
        reference: char
        require_signature: boolean
        require_payment: boolean
        prepayment_percent: float
        signed_by: char
        signed_on: datetime
        validity_date: date
        journal_id: many2one account.journal
        note: html
        partner_invoice_id: many2one res.partner required
        partner_shipping_id: many2one res.partner required
        payment_term_id: many2one account.payment.term
        pricelist_id: many2one product.pricelist
        currency_id: many2one res.currency readonly ondelete=restrict
        currency_rate: float exact readonly
        user_id: many2one res.users
        team_id: many2one crm.team
        amount_untaxed: monetary readonly
        amount_tax: monetary readonly
        amount_total: monetary readonly
        amount_to_invoice@17: monetary readonly
        amount_to_invoice@19: monetary readonly nostore
        invoice_status: selection =upselling|invoiced|to_invoice|no readonly
        analytic_account_id@17: many2one account.analytic.account
        project_id: many2one project.project
        customizable_pdf_form_fields@19: json
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        signature: binary
        order_line: one2many sale.order.line/order_id
        activity_exception_icon: char readonly nostore
        has_message: boolean readonly nostore
        access_url: char readonly nostore
        access_warning: text readonly nostore
        amount_invoiced: monetary readonly nostore
        invoice_count: integer readonly nostore
        amount_paid: float readonly nostore
        amount_undiscounted: float exact readonly nostore
        """,
        module="sale",
        order="date_order desc, id desc",
        read_groups=("sales_team.group_sale_salesman",),
        write_groups=("sales_team.group_sale_salesman",),
    ),
    Declaration(
        "sale.order.line",
        "Sales Order Line",
        """
        analytic_distribution: json
        order_id: many2one sale.order required ondelete=cascade
        sequence: integer
        company_id: many2one res.company readonly related=order_id.company_id
        currency_id: many2one res.currency readonly related=order_id.currency_id
        order_partner_id: many2one res.partner readonly related=order_id.partner_id
        salesman_id: many2one res.users readonly related=order_id.user_id
        state: selection =draft|sent|sale|cancel readonly related=order_id.state
        display_type@17: selection =line_section|line_note
        display_type@19: selection =line_section|line_subsection|line_note
        is_downpayment: boolean
        is_expense: boolean
        product_id: many2one product.product ondelete=restrict
        name: text required
        product_uom_qty: float digits required
        product_uom@17: many2one uom.uom ondelete=restrict
        price_unit: float price required
        discount: float digits
        price_subtotal: monetary readonly
        price_tax: float readonly
        price_total: monetary readonly
        price_reduce_taxexcl: monetary readonly
        price_reduce_taxinc: monetary readonly
        product_packaging_qty@17: float
        customer_lead: float required
        qty_delivered_method: selection =manual|analytic|milestones readonly
        qty_delivered: float digits
        qty_invoiced: float digits readonly
        qty_to_invoice: float digits readonly
        invoice_status: selection =upselling|invoiced|to_invoice|no readonly
        untaxed_amount_invoiced: monetary readonly
        untaxed_amount_to_invoice: monetary readonly
        is_service: boolean readonly
        project_id: many2one project.project
        task_id: many2one project.task
        product_uom_id@19: many2one uom.uom ondelete=restrict
        technical_price_unit@19: float
        extra_tax_data@19: json
        collapse_prices@19: boolean
        collapse_composition@19: boolean
        is_optional@19: boolean
        tax_id@17: many2many account.tax rel=account_tax_sale_order_line_rel/sale_order_line_id/account_tax_id
        invoice_lines: many2many account.move.line rel=sale_order_line_invoice_rel/order_line_id/invoice_line_id
        purchase_line_ids: one2many purchase.order.line/sale_line_id readonly
        tax_ids@19: many2many account.tax rel=account_tax_sale_order_line_rel/sale_order_line_id/account_tax_id
        analytic_precision: integer nostore
        product_updatable: boolean readonly nostore
        product_uom_readonly: boolean readonly nostore
        purchase_line_count: integer readonly nostore
        """,
        module="sale",
        order="order_id, sequence, id",
        read_groups=("sales_team.group_sale_salesman",),
        write_groups=("sales_team.group_sale_salesman",),
    ),
    Declaration(
        "purchase.order",
        "Purchase Order",
        """
        access_token: char
        name: char required
        priority: selection =0|1
        origin: char
        partner_ref: char
        date_order: datetime required
        date_approve: datetime readonly
        partner_id: many2one res.partner required
        dest_address_id: many2one res.partner
        currency_id: many2one res.currency required
        state@17: selection =draft|sent|to_approve|purchase|done|cancel readonly
        state@19: selection =draft|sent|to_approve|purchase|cancel readonly
        notes@17: html
        invoice_count: integer readonly
        invoice_status: selection =no|to_invoice|invoiced readonly
        date_planned: datetime
        date_calendar_start: datetime readonly
        amount_untaxed: monetary readonly
        amount_tax: monetary readonly
        amount_total: monetary readonly
        payment_term_id: many2one account.payment.term
        user_id: many2one res.users
        company_id: many2one res.company required
        currency_rate@17: float readonly
        currency_rate@19: float exact readonly
        mail_reminder_confirmed@17: boolean readonly
        mail_reception_confirmed@17: boolean readonly
        locked@19: boolean
        acknowledged@19: boolean
        note@19: html
        amount_total_cc@19: monetary currency=company_currency_id readonly
        project_id@19: many2one project.project
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        order_line: one2many purchase.order.line/order_id
        invoice_ids: many2many account.move readonly rel=account_move_purchase_order_rel/purchase_order_id/account_move_id
        activity_exception_icon: char readonly nostore
        has_message: boolean readonly nostore
        access_url: char readonly nostore
        access_warning: text readonly nostore
        """,
        module="purchase",
        order="priority desc, id desc",
        read_groups=("purchase.group_purchase_user", "account.group_account_readonly"),
        write_groups=("purchase.group_purchase_user",),
    ),
    Declaration(
        "purchase.order.line",
        "Purchase Order Line",
        """
        analytic_distribution: json
        name: text required
        sequence: integer
        product_qty: float digits required
        product_uom_qty: float readonly
        date_planned: datetime
        discount: float digits
        product_uom@17: many2one uom.uom
        product_id@17: many2one product.product
        product_id@19: many2one product.product ondelete=restrict
        price_unit: float price required
        price_subtotal: monetary readonly
        price_total: monetary readonly
        price_tax: float readonly
        order_id: many2one purchase.order required ondelete=cascade
        company_id: many2one res.company readonly related=order_id.company_id
        state@17: selection =draft|sent|to_approve|purchase|done|cancel readonly related=order_id.state
        state@19: selection readonly related=order_id.state nostore
        qty_invoiced: float digits readonly
        qty_received_method: selection =manual readonly
        qty_received: float digits
        qty_received_manual: float digits
        qty_to_invoice: float digits readonly
        partner_id: many2one res.partner readonly related=order_id.partner_id
        currency_id@17: many2one res.currency readonly related=order_id.currency_id
        currency_id@19: many2one res.currency readonly related=order_id.currency_id nostore
        product_packaging_qty@17: float
        display_type@17: selection =line_section|line_note
        display_type@19: selection =line_section|line_subsection|line_note
        sale_order_id@17: many2one sale.order readonly related=sale_line_id.order_id
        sale_order_id@19: many2one sale.order readonly related=sale_line_id.order_id nostore
        sale_line_id: many2one sale.order.line
        product_uom_id@19: many2one uom.uom ondelete=restrict
        is_downpayment@19: boolean
        technical_price_unit@19: float
        taxes_id@17: many2many account.tax rel=account_tax_purchase_order_line_rel/purchase_order_line_id/account_tax_id
        invoice_lines: one2many account.move.line/purchase_line_id readonly
        tax_ids@19: many2many account.tax rel=account_tax_purchase_order_line_rel/purchase_order_line_id/account_tax_id
        """,
        module="purchase",
        order="order_id, sequence, id",
        read_groups=("purchase.group_purchase_user", "account.group_account_readonly"),
        write_groups=("purchase.group_purchase_user",),
    ),
    Declaration(
        "crm.team",
        "Sales Team",
        """
        name: char translate required
        sequence: integer
        active: boolean
        company_id: many2one res.company
        user_id: many2one res.users
        color: integer
        """,
        module="sales_team",
        order="sequence ASC, id DESC",
    ),
)
