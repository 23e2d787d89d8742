"""Journal entries and items, accounts, journals, taxes, and the invoice statistics."""
# ruff: noqa: E501 - one field is one line

from __future__ import annotations

from odoo_stand_in.schema import Declaration

ACCOUNTING = ("account.group_account_invoice", "account.group_account_readonly")
INVOICE_REPORT = """
SELECT l.id, l.move_id, m.journal_id, m.company_id, c.currency_id AS company_currency_id, l.partner_id,
    m.commercial_partner_id, p.country_id, m.invoice_user_id, m.move_type, m.state, m.payment_state, m.invoice_date,
    l.quantity::float8 AS quantity, l.product_id, l.product_uom_id, t.categ_id AS product_categ_id, m.invoice_date_due,
    l.account_id, -l.balance::float8 AS price_subtotal, l.price_total::float8 AS price_total,
    l.price_unit::float8 AS price_average, NULL::float8 AS price_margin, NULL::float8 AS inventory_value,
    m.currency_id, m.team_id, l.price_subtotal::float8 AS price_subtotal_currency,
    l.price_total::float8 AS price_total_currency
FROM account_move_line l
JOIN account_move m ON m.id = l.move_id
JOIN res_company c ON c.id = m.company_id
LEFT JOIN res_partner p ON p.id = l.partner_id
LEFT JOIN product_product v ON v.id = l.product_id
LEFT JOIN product_template t ON t.id = v.product_tmpl_id
WHERE m.move_type IN ('out_invoice', 'out_refund', 'in_invoice', 'in_refund') AND l.display_type = 'product'
"""
MODELS = (
    Declaration(
        "account.move",
        "Journal Entry",
        """
        sequence_prefix: char readonly
        sequence_number: integer readonly
        message_main_attachment_id: many2one ir.attachment
        access_token: char
        name: char
        ref: char
        date: date required
        state: selection =draft|posted|cancel required readonly
        move_type: selection =entry|out_invoice|out_refund|in_invoice|in_refund|out_receipt|in_receipt required readonly
        is_storno@17: boolean
        is_storno@19: boolean readonly nostore
        journal_id: many2one account.journal required
        company_id: many2one res.company
        always_tax_exigible: boolean
        auto_post: selection =no|at_date|monthly|quarterly|yearly required
        auto_post_until: date
        auto_post_origin_id: many2one account.move readonly
        to_check@17: boolean
        posted_before: boolean
        secure_sequence_number: integer readonly
        inalterable_hash: char readonly
        invoice_date: date
        invoice_date_due: date
        delivery_date: date
        invoice_payment_term_id: many2one account.payment.term
        partner_id: many2one res.partner ondelete=restrict
        commercial_partner_id: many2one res.partner readonly ondelete=restrict
        partner_shipping_id: many2one res.partner
        partner_bank_id: many2one res.partner.bank ondelete=restrict
        payment_reference: char
        qr_code_method: selection =
        currency_id: many2one res.currency required
        amount_untaxed: monetary readonly
        amount_tax: monetary readonly
        amount_total: monetary readonly
        amount_residual: monetary readonly
        amount_untaxed_signed: monetary currency=company_currency_id readonly
        amount_tax_signed: monetary currency=company_currency_id readonly
        amount_total_signed: monetary currency=company_currency_id readonly
        amount_total_in_currency_signed: monetary readonly
        amount_residual_signed: monetary currency=company_currency_id readonly
        payment_state@17: selection =not_paid|in_payment|paid|partial|reversed|invoicing_legacy readonly
        payment_state@19: selection =not_paid|in_payment|paid|partial|reversed|blocked|invoicing_legacy readonly
        reversed_entry_id: many2one account.move readonly
        invoice_source_email: char
        invoice_partner_display_name: char readonly
        quick_edit_total_amount: monetary
        narration: html
        is_move_sent: boolean readonly
        invoice_user_id: many2one res.users
        invoice_origin: char readonly
        incoterm_location: char
        send_and_print_values@17: json
        team_id: many2one crm.team
        checked@19: boolean
        made_sequence_gap@19: boolean readonly
        taxable_supply_date@19: date
        invoice_currency_rate@19: float exact
        amount_untaxed_in_currency_signed@19: monetary readonly
        is_manually_modified@19: boolean
        sending_data@19: json
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        line_ids: one2many account.move.line/move_id
        attachment_ids: one2many ir.attachment/res_id
        company_currency_id: many2one res.currency readonly related=company_id.currency_id nostore
        activity_exception_icon: char readonly nostore
        has_message: boolean readonly nostore
        access_url: char readonly nostore
        access_warning: text readonly nostore
        hide_post_button: boolean readonly nostore
        highest_name: char readonly nostore
        show_name_warning: boolean nostore
        type_name: char readonly nostore
        """,
        module="account",
        order="date desc, name desc, invoice_date desc, id desc",
        read_groups=ACCOUNTING,
        write_groups=("account.group_account_invoice",),
    ),
    Declaration(
        "account.move.line",
        "Journal Item",
        """
        analytic_distribution: json
        move_id: many2one account.move required readonly ondelete=cascade
        journal_id: many2one account.journal readonly related=move_id.journal_id
        company_id: many2one res.company readonly related=move_id.company_id
        company_currency_id: many2one res.currency readonly related=move_id.company_currency_id
        move_name: char readonly related=move_id.name
        parent_state: selection =draft|posted|cancel readonly related=move_id.state
        date: date readonly related=move_id.date
        invoice_date: date readonly related=move_id.invoice_date
        ref: char readonly related=move_id.ref
        sequence: integer
        account_id@17: many2one account.account ondelete=cascade
        account_id@19: many2one account.account ondelete=restrict
        name: char
        debit: monetary currency=company_currency_id
        credit: monetary currency=company_currency_id
        balance: monetary currency=company_currency_id
        amount_currency: monetary
        currency_id: many2one res.currency required
        partner_id: many2one res.partner ondelete=restrict
        group_tax_id: many2one account.tax
        tax_line_id: many2one account.tax readonly related=tax_repartition_line_id.tax_id ondelete=restrict
        tax_base_amount: monetary currency=company_currency_id readonly
        tax_tag_invert@17: boolean
        amount_residual: monetary currency=company_currency_id readonly
        amount_residual_currency: monetary readonly
        reconciled: boolean readonly
        matching_number: char
        display_type: selection = required
        product_id: many2one product.product ondelete=restrict
        product_uom_id: many2one uom.uom ondelete=restrict
        quantity: float digits
        date_maturity: date
        price_unit: float price
        price_subtotal: monetary readonly
        price_total: monetary readonly
        discount: float digits
        discount_date@17: date
        discount_date@19: date readonly
        discount_amount_currency: monetary
        discount_balance: monetary currency=company_currency_id
        blocked@17: boolean
        purchase_line_id: many2one purchase.order.line
        is_downpayment: boolean
        is_imported@19: boolean
        extra_tax_data@19: json
        collapse_composition@19: boolean
        collapse_prices@19: boolean
        deductible_amount@19: float
        no_followup@19: boolean
        tax_ids: many2many account.tax rel=account_move_line_account_tax_rel/account_move_line_id/account_tax_id
        sale_line_ids: many2many sale.order.line readonly rel=sale_order_line_invoice_rel/invoice_line_id/order_line_id
        analytic_precision: integer nostore
        cumulated_balance: monetary currency=company_currency_id readonly nostore
        currency_rate: float readonly nostore
        is_same_currency: boolean readonly nostore
        epd_dirty: boolean readonly nostore
        discount_allocation_dirty: boolean readonly nostore
        is_refund: boolean readonly nostore
        """,
        module="account",
        order="date desc, move_name desc, id",
        rec_name="move_name name",
        read_groups=ACCOUNTING,
        write_groups=("account.group_account_invoice",),
    ),
    Declaration(
        "account.account",
        "Account",
        """
        name: char translate required
        currency_id: many2one res.currency
        code@17: char required
        code@19: char mirror_of=code_store
        deprecated@17: boolean
        account_type: selection = required
        include_initial_balance@17: boolean readonly
        include_initial_balance@19: boolean readonly nostore
        internal_group@17: selection =equity|asset|liability|income|expense|off_balance readonly
        internal_group@19: selection readonly nostore
        reconcile: boolean
        note: text
        company_id@17: many2one res.company required
        non_trade: boolean
        description@19: text translate
        code_store@19: char company
        active@19: boolean
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        tax_ids: many2many account.tax rel=account_account_tax_default_rel/account_id/tax_id
        allowed_journal_ids@17: many2many account.journal rel=account_account_account_journal_rel/account_account_id/account_journal_id
        company_ids@19: many2many res.company required rel=account_account_res_company_rel/account_account_id/res_company_id
        has_message: boolean readonly nostore
        used: boolean readonly nostore
        opening_debit: monetary currency=company_currency_id nostore
        opening_credit: monetary currency=company_currency_id nostore
        opening_balance: monetary currency=company_currency_id nostore
        current_balance: float readonly nostore
        related_taxes_amount: integer readonly nostore
        """,
        module="account",
        order="code, id",
        rec_name="code name",
        write_groups=("account.group_account_manager",),
    ),
    Declaration(
        "account.journal",
        "Journal",
        """
        name: char translate required
        code: char required
        active: boolean
        type@17: selection =sale|purchase|cash|bank|general required
        type@19: selection =sale|purchase|cash|bank|credit|general required
        default_account_id: many2one account.account ondelete=restrict
        sequence: integer
        currency_id: many2one res.currency
        company_id: many2one res.company required readonly
        show_on_dashboard: boolean
        color: integer
        """,
        module="account",
        order="sequence, type, code",
        read_groups=ACCOUNTING,
        write_groups=("account.group_account_invoice",),
    ),
    Declaration(
        "account.payment.term",
        "Payment Terms",
        """
        name: char translate required
        active: boolean
        note: html translate
        company_id: many2one res.company
        sequence: integer required
        discount_percentage: float
        early_discount: boolean
        """,
        module="account",
        order="sequence, id",
    ),
    Declaration(
        "account.tax",
        "Tax",
        """
        name: char translate required
        type_tax_use: selection =sale|purchase|none required
        amount_type: selection =group|fixed|percent|division required
        active: boolean
        company_id: many2one res.company required readonly
        sequence: integer required
        amount: float digits=16,4 required
        description@17: char translate
        description@19: html translate
        price_include@17: boolean
        price_include@19: boolean readonly nostore
        country_id: many2one res.country required
        """,
        module="account",
        order="sequence,id",
    ),
    Declaration(
        "account.analytic.account",
        "Analytic Account",
        """
        name: char translate required
        code: char
        active: boolean
        company_id: many2one res.company
        partner_id: many2one res.partner
        """,
        module="analytic",
        order="name asc",
        read_groups=("account.group_account_readonly",),
    ),
    Declaration(
        "account.invoice.report",
        "Invoices Statistics",
        """
        move_id: many2one account.move readonly
        journal_id: many2one account.journal readonly
        company_id: many2one res.company readonly
        company_currency_id: many2one res.currency readonly
        partner_id: many2one res.partner readonly
        commercial_partner_id: many2one res.partner
        country_id: many2one res.country
        invoice_user_id: many2one res.users readonly
        move_type: selection =out_invoice|in_invoice|out_refund|in_refund readonly
        state: selection =draft|posted|cancel readonly
        payment_state@17: selection =not_paid|in_payment|paid|partial|reversed|invoicing_legacy readonly
        payment_state@19: selection =not_paid|in_payment|paid|partial|reversed|blocked|invoicing_legacy readonly
        invoice_date: date readonly
        quantity: float readonly
        product_id: many2one product.product readonly
        product_uom_id: many2one uom.uom readonly
        product_categ_id: many2one product.category readonly
        invoice_date_due: date readonly
        account_id: many2one account.account readonly
        price_subtotal: float readonly
        price_total: float readonly
        price_average: float readonly
        price_margin: float readonly
        inventory_value: float readonly
        currency_id: many2one res.currency readonly
        team_id: many2one crm.team
        price_subtotal_currency@19: float readonly
        price_total_currency@19: float readonly
        """,
        module="account",
        order="invoice_date desc, id",
        rec_name="",
        kind="view",
        log_access=False,
        read_groups=ACCOUNTING,
        write_groups=("account.group_account_invoice",),
        view_sql=INVOICE_REPORT,
    ),
)
