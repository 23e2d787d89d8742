"""What every Odoo database has: currencies, countries, groups, modules, parameters."""

from __future__ import annotations

from odoo_stand_in.schema import Declaration

MODELS = (
    Declaration(
        "res.currency",
        "Currency",
        """
        name: char required
        full_name: char
        symbol: char required
        rounding: float digits=12,6
        decimal_places: integer readonly
        active: boolean
        position: selection =after|before
        currency_unit_label@17: char
        currency_unit_label@19: char translate
        """,
        order="active desc, name",
    ),
    Declaration(
        "res.country",
        "Country",
        """
        name: char translate required
        code: char required
        address_format: text
        currency_id: many2one res.currency
        phone_code: integer
        name_position: selection =before|after
        vat_label: char translate
        state_required: boolean
        zip_required: boolean
        state_ids: one2many res.country.state/country_id
        """,
        order="name, id",
    ),
    Declaration(
        "res.country.state",
        "Country state",
        """
        country_id: many2one res.country required
        name: char required
        code: char required
        """,
        order="code, id",
    ),
    Declaration(
        "res.lang",
        "Languages",
        """
        name: char required
        code: char required
        iso_code: char
        active: boolean
        direction: selection =ltr|rtl required
        date_format@17: char required
        date_format@19: selection = required
        time_format@17: char required
        time_format@19: selection = required
        grouping@17: char required
        grouping@19: selection = required
        decimal_point: char required
        """,
        order="active desc,name",
    ),
    Declaration(
        "res.groups",
        "Access Groups",
        """
        name: char translate required
        comment: text translate
        share: boolean
        users@17: many2many res.users rel=res_groups_users_rel/gid/uid
        user_ids@19: many2many res.users rel=res_groups_users_rel/gid/uid
        rule_groups: many2many ir.rule rel=rule_group_rel/group_id/rule_group_id
        """,
        order="name",
        write_groups=("base.group_erp_manager",),
        read_groups=("base.group_user",),
    ),
    Declaration(
        "ir.rule",
        "Record Rule",
        """
        name: char
        active: boolean
        """,
        read_groups=("base.group_erp_manager",),
        write_groups=("base.group_system",),
    ),
    Declaration(
        "res.users.apikeys",
        "Users API Keys",
        """
        name: char required readonly
        user_id: many2one res.users required readonly ondelete=cascade
        scope: char readonly
        create_date: datetime readonly
        expiration_date@19: datetime readonly
        """,
        log_access=False,
        auto=False,
        write_groups=("base.group_system",),
        read_groups=("base.group_user",),
    ),
    Declaration(
        "ir.config_parameter",
        "System Parameter",
        """
        key: char required
        value: text required
        """,
        order="key",
        rec_name="key",
        read_groups=("base.group_system",),
        write_groups=("base.group_system",),
    ),
    Declaration(
        "ir.module.module",
        "Module",
        """
        name: char required readonly
        shortdesc: char translate readonly
        summary: char translate readonly
        author: char readonly
        latest_version: char readonly
        state: selection =uninstallable|uninstalled|installed|to_upgrade|to_remove|to_install readonly
        license: selection = readonly
        application: boolean readonly
        icon: char
        """,
        order="application desc,name",
        rec_name="shortdesc",
        write_groups=("base.group_system",),
    ),
    Declaration(
        "ir.attachment",
        "Attachment",
        """
        name: char required
        description: text
        res_model@17: char readonly
        res_model@19: char
        res_field@17: char readonly
        res_field@19: char
        res_id@17: many2one_reference res_model readonly
        res_id@19: many2one_reference res_model
        type: selection =url|binary required
        url: char
        public: boolean
        access_token: char groups=base.group_user
        store_fname: char
        file_size: integer readonly
        checksum: char readonly
        mimetype: char readonly
        """,
        order="id desc",
    ),
    Declaration(
        "mail.followers",
        "Document Followers",
        """
        res_model: char required
        res_id: many2one_reference res_model
        partner_id: many2one res.partner required ondelete=cascade
        """,
        module="mail",
        rec_name="partner_id",
        log_access=False,
        write_groups=("base.group_system",),
    ),
    Declaration(
        "mail.thread",
        "Email Thread",
        "message_is_follower: boolean readonly nostore",
        kind="abstract",
        module="mail",
        log_access=False,
    ),
    Declaration(
        "base.language.install",
        "Install Language",
        """
        overwrite: boolean
        first_lang_id: many2one res.lang
        """,
        kind="transient",
    ),
)
