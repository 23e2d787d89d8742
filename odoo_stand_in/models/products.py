"""Products, their templates, categories and units."""
# ruff: noqa: E501 - one field is one line

from __future__ import annotations

from odoo_stand_in.schema import Declaration

MODELS = (
    Declaration(
        "product.template",
        "Product",
        """
        name: char translate required
        sequence: integer
        description: html translate
        description_purchase: text translate
        description_sale: text translate
        detailed_type@17: selection =consu|service required
        type@17: selection =consu|service
        type@19: selection =consu|service|combo required
        categ_id@17: many2one product.category required
        categ_id@19: many2one product.category
        list_price: float price
        volume: float digits
        weight: float digits
        sale_ok: boolean
        purchase_ok: boolean
        uom_id: many2one uom.uom required
        uom_po_id@17: many2one uom.uom required
        company_id: many2one res.company
        active: boolean
        color: integer
        default_code: char
        can_image_1024_be_zoomed: boolean readonly
        has_configurable_attributes: boolean readonly
        priority@17: selection =0|1
        product_properties: properties definition=categ_id/product_properties_definition
        property_account_income_id@17: many2one account.account company
        property_account_income_id@19: many2one account.account company ondelete=restrict
        property_account_expense_id@17: many2one account.account company
        property_account_expense_id@19: many2one account.account company ondelete=restrict
        purchase_method: selection =purchase|receive
        purchase_line_warn@17: selection =no-message|warning|block required
        purchase_line_warn_msg: text
        service_type: selection =manual|milestones
        sale_line_warn@17: selection =no-message|warning|block required
        sale_line_warn_msg: text
        expense_policy: selection =no|cost|sales_price
        invoice_policy: selection =order|delivery
        service_tracking@17: selection =no|task_global_project|task_in_project|project_only
        service_tracking@19: selection =no|task_global_project|task_in_project|project_only required
        project_id: many2one project.project company
        is_favorite@19: boolean
        image_1920: binary
        image_128: binary readonly related=image_1920
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        product_variant_ids: one2many product.product/product_tmpl_id required
        product_tag_ids: many2many product.tag rel=product_tag_product_template_rel/product_template_id/product_tag_id
        taxes_id: many2many account.tax rel=product_taxes_rel/prod_id/tax_id
        supplier_taxes_id: many2many account.tax rel=product_supplier_taxes_rel/prod_id/tax_id
        optional_product_ids: many2many product.template rel=product_optional_rel/src_id/dest_id
        uom_ids@19: many2many uom.uom rel=product_template_uom_uom_rel/product_template_id/uom_uom_id
        activity_exception_icon: char readonly nostore
        has_message: boolean readonly nostore
        volume_uom_name: char readonly nostore
        weight_uom_name: char readonly nostore
        is_product_variant: boolean readonly nostore
        product_variant_count: integer readonly nostore
        barcode: char nostore
        product_document_count: integer readonly nostore
        """,
        module="product",
        order="name, id",
        rec_name="[default_code] name",
    ),
    Declaration(
        "product.product",
        "Product Variant",
        """
        default_code: char
        active: boolean
        product_tmpl_id: many2one product.template required ondelete=cascade
        barcode: char
        combination_indices: char readonly
        standard_price: float price company groups=base.group_user
        volume: float digits
        weight: float digits
        can_image_variant_1024_be_zoomed: boolean readonly
        is_favorite@19: boolean related=product_tmpl_id.is_favorite
        is_in_selected_section_of_order@19: boolean
        message_follower_ids: one2many mail.followers/res_id groups=base.group_user
        additional_product_tag_ids: many2many product.tag rel=product_tag_product_product_rel/product_product_id/product_tag_id
        image_variant_1920: binary
        image_variant_128: binary readonly related=image_variant_1920
        activity_exception_icon: char readonly nostore
        has_message: boolean readonly nostore
        price_extra: float price readonly nostore
        lst_price: float price nostore
        code: char readonly nostore
        partner_ref: char readonly nostore
        is_product_variant: boolean readonly nostore
        product_document_count: integer readonly nostore
        """,
        module="product",
        order="default_code, id",
        rec_name="[default_code] name",
        inherits=(("product.template", "product_tmpl_id"),),
    ),
    Declaration(
        "product.category",
        "Product Category",
        """
        name: char required
        complete_name: char readonly
        parent_id: many2one product.category ondelete=cascade
        parent_path: char
        product_properties_definition: properties_definition
        property_account_income_categ_id@17: many2one account.account company
        property_account_income_categ_id@19: many2one account.account company ondelete=restrict
        child_id: one2many product.category/parent_id
        """,
        module="product",
        order="complete_name",
        rec_name="complete_name",
    ),
    Declaration(
        "product.tag",
        "Product Tag",
        """
        name: char translate required
        color: char
        sequence@19: integer
        product_template_ids: many2many product.template rel=product_tag_product_template_rel/product_tag_id/product_template_id
        """,
        module="product",
        order="name",
    ),
    Declaration(
        "product.pricelist",
        "Pricelist",
        """
        name: char translate required
        active: boolean
        sequence: integer
        currency_id: many2one res.currency required
        company_id: many2one res.company
        """,
        module="product",
        order="sequence asc, id desc",
    ),
    Declaration(
        "uom.uom",
        "Product Unit of Measure",
        """
        name: char translate required
        factor@17: float exact required
        factor@19: float exact readonly
        rounding@17: float exact required
        rounding@19: float readonly nostore
        active: boolean
        uom_type@17: selection =bigger|reference|smaller required
        sequence@19: integer
        relative_factor@19: float exact required
        relative_uom_id@19: many2one uom.uom ondelete=cascade
        """,
        module="uom",
        order="name",
    ),
)
