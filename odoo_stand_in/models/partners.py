"""Contacts, users, companies and what belongs to them."""

from __future__ import annotations

from odoo_stand_in.schema import Declaration

MODELS = (
    Declaration(
        "res.partner",
        "Contact",
        """
        email_normalized: char readonly
        message_bounce: integer
        name: char
        complete_name: char readonly
        date@17: date
        parent_id: many2one res.partner
        ref: char
        lang: selection =en_US
        tz: selection =
        user_id: many2one res.users
        vat: char
        company_registry: char
        website: char
        comment: html
        active: boolean
        employee: boolean
        function: char
        type: selection =contact|invoice|delivery|other
        street: char
        street2: char
        zip: char
        city: char
        state_id: many2one res.country.state ondelete=restrict
        country_id: many2one res.country ondelete=restrict
        partner_latitude: float digits=10,7
        partner_longitude: float digits=10,7
        email: char
        phone: char
        mobile@17: char
        is_company: boolean
        industry_id: many2one res.partner.industry
        company_id: many2one res.company
        color: integer default=0
        partner_share: boolean readonly
        commercial_partner_id: many2one res.partner readonly
        commercial_company_name: char readonly
        company_name: char
        barcode: char company
        team_id@17: many2one crm.team
        phone_sanitized: char readonly
        credit_limit: float company groups=account.group_account_invoice,account.group_account_readonly
        debit_limit@17: monetary
        property_account_payable_id@17: many2one account.account company required
        property_account_payable_id@19: many2one account.account company ondelete=restrict
        property_account_receivable_id@17: many2one account.account company required
        property_account_receivable_id@19: many2one account.account company ondelete=restrict
        property_payment_term_id@17: many2one account.payment.term company
        property_payment_term_id@19: many2one account.payment.term company ondelete=restrict
        property_supplier_payment_term_id: many2one account.payment.term company
        trust@17: selection company
        trust@19: selection =good|normal|bad company
        invoice_warn@17: selection =no-message|warning|block
        invoice_warn_msg@17: text
        supplier_rank: integer
        customer_rank: integer
        ubl_cii_format@17: selection =facturx|ubl_bis3|xrechnung|nlcius|ubl_a_nz|ubl_sg
        peppol_endpoint: char
        peppol_eas: selection =
        property_purchase_currency_id: many2one res.currency company
        purchase_warn@17: selection =no-message|warning|block
        purchase_warn_msg: text
        receipt_reminder_email: boolean company
        reminder_date_before_receipt: integer company
        buyer_id: many2one res.users
        sale_warn@17: selection =no-message|warning|block
        sale_warn_msg: text
        specific_property_product_pricelist@19: many2one product.pricelist company
        ignore_abnormal_invoice_date@19: boolean company
        ignore_abnormal_invoice_amount@19: boolean company
        invoice_sending_method@19: selection =manual|email|snailmail company
        invoice_edi_format_store@19: char company
        autopost_bills@19: selection =always|ask|never required
        global_location_number@19: char
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        image_1920: binary
        image_128: binary readonly related=image_1920
        child_ids: one2many res.partner/parent_id active_only
        bank_ids: one2many res.partner.bank/partner_id
        category_id: many2many res.partner.category rel=res_partner_res_partner_category_rel/partner_id/category_id
        user_ids: one2many res.users/partner_id
        invoice_ids: one2many account.move/partner_id readonly
        sale_order_ids: one2many sale.order/partner_id
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
        currency_id: many2one res.currency readonly nostore
        has_message: boolean readonly nostore
        activity_exception_icon: char readonly nostore
        active_lang_count: integer readonly nostore
        tz_offset: char readonly nostore
        email_formatted: char readonly nostore
        is_public: boolean readonly nostore
        contact_address: char readonly nostore
        im_status: char readonly nostore
        """,
        order="complete_name ASC, id DESC",
        rec_name="complete_name",
        write_groups=("base.group_partner_manager",),
    ),
    Declaration(
        "res.users",
        "User",
        """
        partner_id: many2one res.partner required
        login: char required
        signature: html
        active: boolean
        share: boolean readonly
        company_id: many2one res.company required
        notification_type: selection =email|inbox required
        sale_team_id: many2one crm.team readonly
        tour_enabled@19: boolean
        out_of_office_from@19: datetime
        out_of_office_to@19: datetime
        out_of_office_message@19: html
        manual_im_status@19: selection =away|busy|offline
        groups_id@17: many2many res.groups rel=res_groups_users_rel/uid/gid
        company_ids: many2many res.company rel=res_company_users_rel/user_id/cid
        group_ids@19: many2many res.groups rel=res_groups_users_rel/uid/gid
        favorite_project_ids@19: many2many project.project rel=project_favorite_user_rel/user_id/project_id
        password: char nostore
        new_password: char nostore
        login_date: datetime readonly nostore
        companies_count: integer readonly nostore
        tz_offset: char readonly nostore
        accesses_count: integer readonly nostore
        rules_count: integer readonly nostore
        groups_count: integer readonly nostore
        totp_enabled: boolean readonly nostore
        """,
        order="name, login",
        inherits=(("res.partner", "partner_id"),),
        write_groups=("base.group_erp_manager",),
    ),
    Declaration(
        "res.company",
        "Companies",
        """
        name: char required related=partner_id.name
        active: boolean
        sequence: integer
        parent_id@17: many2one res.company
        parent_id@19: many2one res.company ondelete=restrict
        parent_path: char
        partner_id: many2one res.partner required
        report_header: html translate
        report_footer: html translate
        company_details: html translate
        uses_default_logo: boolean readonly
        currency_id: many2one res.currency required
        email: char related=partner_id.email
        phone: char related=partner_id.phone
        mobile@17: char related=partner_id.mobile
        fiscalyear_last_day: integer required
        fiscalyear_last_month: selection = required
        period_lock_date@17: date
        fiscalyear_lock_date: date
        tax_lock_date: date
        transfer_account_id: many2one account.account
        expects_chart_of_accounts: boolean
        chart_template: selection =
        bank_account_code_prefix: char
        cash_account_code_prefix: char
        account_journal_suspense_account_id: many2one account.account
        transfer_account_code_prefix: char
        account_sale_tax_id: many2one account.tax
        account_purchase_tax_id: many2one account.tax
        tax_calculation_rounding_method@17: selection =round_per_line|round_globally
        tax_calculation_rounding_method@19: selection =round_globally|round_per_line
        currency_exchange_journal_id: many2one account.journal
        income_currency_exchange_account_id: many2one account.account
        expense_currency_exchange_account_id: many2one account.account
        anglo_saxon_accounting: boolean
        qr_code: boolean
        invoice_is_email@17: boolean
        invoice_is_download@17: boolean
        display_invoice_amount_total_words: boolean
        account_use_credit_limit: boolean
        account_opening_date@17: date required
        account_opening_date@19: date
        invoice_terms: html translate
        terms_type: selection =plain|html
        invoice_terms_html: html translate
        account_default_pos_receivable_account_id: many2one account.account
        account_fiscal_country_id: many2one res.country
        tax_exigibility: boolean
        account_storno: boolean
        quick_edit_mode: selection =out_invoices|in_invoices|out_and_in_invoices
        invoice_is_ubl_cii@17: boolean
        po_lead@17: float required
        po_lock: selection =edit|lock
        po_double_validation: selection =one_step|two_step
        po_double_validation_amount: monetary
        invoice_is_snailmail@17: boolean
        portal_confirmation_sign: boolean
        portal_confirmation_pay: boolean
        prepayment_percent: float
        quotation_validity_days: integer
        sale_discount_product_id: many2one product.product
        sale_lock_date@19: date
        purchase_lock_date@19: date
        hard_lock_date@19: date
        link_qr_code@19: boolean
        display_invoice_tax_company_currency@19: boolean
        restrictive_audit_trail@19: boolean
        autopost_bills@19: boolean
        account_price_include@19: selection =tax_included|tax_excluded required
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        child_ids: one2many res.company/parent_id
        user_ids: many2many res.users rel=res_company_users_rel/cid/user_id
        has_message: boolean readonly nostore
        is_company_details_empty: boolean readonly nostore
        street: char nostore
        street2: char nostore
        zip: char nostore
        city: char nostore
        color: integer nostore
        bounce_email: char readonly nostore
        """,
        order="sequence, name",
        write_groups=("base.group_erp_manager",),
    ),
    Declaration(
        "res.partner.category",
        "Partner Tags",
        """
        name: char translate required
        color: integer
        parent_id: many2one res.partner.category ondelete=cascade
        active: boolean
        parent_path: char
        child_ids: one2many res.partner.category/parent_id
        partner_ids: many2many res.partner rel=res_partner_res_partner_category_rel/category_id/partner_id
        """,
        order="name, id",
    ),
    Declaration(
        "res.partner.industry",
        "Industry",
        """
        name: char translate
        full_name: char translate
        active: boolean
        """,
        order="name, id",
    ),
    Declaration(
        "res.partner.bank",
        "Bank Accounts",
        """
        active: boolean
        acc_number: char required
        sanitized_acc_number: char readonly
        acc_holder_name: char
        partner_id: many2one res.partner required ondelete=cascade
        bank_id: many2one res.bank
        sequence: integer
        company_id: many2one res.company readonly related=partner_id.company_id
        """,
        order="sequence, id",
        rec_name="acc_number",
    ),
    Declaration(
        "res.bank",
        "Bank",
        """
        name: char required
        street: char
        zip: char
        city: char
        country: many2one res.country
        email: char
        phone: char
        active: boolean
        bic: char
        """,
        order="name, id",
    ),
)
