"""What no server tells of its models: how records are called, who may do what, which are views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from odoo_stand_in.declared import reports
from odoo_stand_in.declared.schema import Flavour

EVERYBODY = ("base.group_user",)
_MANAGERS = ("base.group_erp_manager",)
_SYSTEM = ("base.group_system",)
_BILLING = ("account.group_account_invoice",)
_BOOKS = ("account.group_account_invoice", "account.group_account_readonly")
_SALES = ("sales_team.group_sale_salesman",)
_SALES_MANAGERS = ("sales_team.group_sale_manager",)
_PURCHASE = ("purchase.group_purchase_user",)
_PROJECT = ("project.group_project_user",)


@dataclass(frozen=True, slots=True)
class Supplement:
    """What belongs to a captured model besides; the attributes are those of `Model`."""

    rec_name: str = "name"
    read_groups: tuple[str, ...] = EVERYBODY
    write_groups: tuple[str, ...] = EVERYBODY
    inherits: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["table", "abstract", "view"] = "table"
    view_sql: str | Mapping[Flavour, str] | None = None
    made_of_query: bool = False
    auto: bool = True
    own_table: str | None = None
    extends_table: str | None = None
    refusal: str | None = None


SUPPLEMENTS: Mapping[str, Supplement] = {
    "account.account": Supplement("code name", write_groups=("account.group_account_manager",)),
    "account.analytic.account": Supplement(read_groups=("account.group_account_readonly",)),
    "account.code.mapping": Supplement(
        "",
        read_groups=("account.group_account_readonly", "account.group_account_manager"),
        kind="view",
        refusal="Account Code Mapping cannot be accessed directly. It is designed to be used only through the Chart of"
        " Accounts.",
    ),
    "account.invoice.report": Supplement(
        "", _BOOKS, _BILLING, kind="view", view_sql=reports.INVOICES, made_of_query=True
    ),
    "account.journal": Supplement("name", _BOOKS, _BILLING),
    "account.move": Supplement("name", _BOOKS, _BILLING),
    "account.move.line": Supplement("move_name name", _BOOKS, _BILLING),
    "auth_totp.device": Supplement(write_groups=_SYSTEM, auto=False),
    "crm.lead": Supplement("name", _SALES, _SALES),
    "crm.lost.reason": Supplement(write_groups=_SALES_MANAGERS),
    "crm.stage": Supplement(write_groups=_SALES_MANAGERS),
    "crm.tag": Supplement("name", _SALES, _SALES),
    "fetchmail.server": Supplement("name", _SYSTEM, _SYSTEM),
    # Two models in one table, which also shows the rows of the tables that extend it.
    "ir.actions.act_window_close": Supplement("name", _SYSTEM, _SYSTEM, own_table="ir_actions"),
    "ir.actions.actions": Supplement("name", _SYSTEM, _SYSTEM, own_table="ir_actions"),
    "ir.actions.report": Supplement(
        "name", _SYSTEM, _SYSTEM, own_table="ir_act_report_xml", extends_table="ir_actions"
    ),
    "ir.config_parameter": Supplement("key", _SYSTEM, _SYSTEM),
    "ir.default": Supplement("field_id"),
    "ir.mail_server": Supplement("name", _SYSTEM, _SYSTEM),
    "ir.model": Supplement("name", _MANAGERS, _SYSTEM),
    "ir.model.constraint": Supplement("name", _MANAGERS, _SYSTEM),
    "ir.model.fields": Supplement("field_description", _MANAGERS, _SYSTEM),
    "ir.model.fields.selection": Supplement("name", _MANAGERS, _SYSTEM),
    # Nobody may read it, whatever their groups.
    "ir.model.inherit": Supplement("", (), ()),
    "ir.model.relation": Supplement("name", _MANAGERS, _MANAGERS),
    "ir.module.module": Supplement("shortdesc", write_groups=_SYSTEM),
    "ir.module.module.dependency": Supplement(write_groups=_SYSTEM),
    "ir.property": Supplement("name", _SYSTEM, _SYSTEM),
    "ir.rule": Supplement("name", _MANAGERS, _SYSTEM),
    "mail.followers": Supplement("partner_id", write_groups=_SYSTEM),
    "mail.guest": Supplement("name", _SYSTEM, _SYSTEM),
    "mail.ice.server": Supplement("uri", _SYSTEM, _SYSTEM),
    "mail.message.reaction": Supplement("", write_groups=_SYSTEM),
    "mail.thread": Supplement(kind="abstract"),
    "payment.provider": Supplement("name", _SYSTEM, _SYSTEM),
    "payment.token": Supplement("payment_details", write_groups=_SYSTEM),
    "product.category": Supplement("complete_name"),
    "product.product": Supplement("[default_code] name", inherits={"product.template": "product_tmpl_id"}),
    "product.template": Supplement("[default_code] name"),
    "project.project": Supplement(write_groups=_PROJECT),
    "project.tags": Supplement(write_groups=_PROJECT),
    "project.task": Supplement(write_groups=_PROJECT),
    # Its table is the relation of tasks and their users.
    "project.task.stage.personal": Supplement("stage_id", _PROJECT, _PROJECT, own_table="project_task_user_rel"),
    "project.task.type": Supplement(write_groups=_PROJECT),
    "purchase.order": Supplement("name", (*_PURCHASE, "account.group_account_readonly"), _PURCHASE),
    "purchase.order.line": Supplement("name", (*_PURCHASE, "account.group_account_readonly"), _PURCHASE),
    "purchase.report": Supplement(
        "", _PURCHASE, _PURCHASE, kind="view", view_sql=reports.PURCHASES, made_of_query=True
    ),
    "rating.rating": Supplement("res_model"),
    "res.company": Supplement(write_groups=_MANAGERS),
    "res.device": Supplement("", kind="view", view_sql="SELECT * FROM res_device_log WHERE revoked IS NOT TRUE"),
    "res.device.log": Supplement(""),
    "res.groups": Supplement(write_groups=_MANAGERS),
    "res.partner": Supplement("complete_name", write_groups=("base.group_partner_manager",)),
    "res.partner.bank": Supplement("acc_number"),
    "res.users": Supplement(write_groups=_MANAGERS, inherits={"res.partner": "partner_id"}),
    "res.users.apikeys": Supplement(write_groups=_SYSTEM, auto=False),
    "sale.order": Supplement("name", _SALES, _SALES),
    "sale.order.line": Supplement("name", _SALES, _SALES),
    "sale.report": Supplement("", _SALES, _SALES, kind="view", view_sql=reports.SALES, made_of_query=True),
    "stock.location": Supplement("complete_name"),
    "stock.quant": Supplement(""),
}
OF_SECRETS = frozenset(
    {"auth_totp.device", "fetchmail.server", "iap.account", "ir.mail_server", "mail.guest", "mail.ice.server"}
    | {"payment.provider", "payment.token", "product.attribute", "rating.rating"}
)
OF_BUSINESS = frozenset(
    {"crm.lead", "crm.lost.reason", "crm.stage", "crm.tag", "purchase.report", "res.currency.rate", "sale.report"}
    | {"stock.location", "stock.lot", "stock.quant", "stock.warehouse"}
)
OF_TABLES = frozenset(
    {"ir.actions.act_window_close", "ir.actions.actions", "ir.actions.report", "ir.default", "ir.model.relation"}
    | {"ir.property", "project.task.stage.personal"}
)
SELDOM = OF_SECRETS | OF_BUSINESS | OF_TABLES
"""Models that a stand-in has only when it is asked for them."""
_FIELDS: Mapping[tuple[Flavour | None, str, str], Mapping[str, Any]] = {
    ("17", "account.account", "code"): {"size": 64},
    (None, "account.journal", "code"): {"size": 5},
    (None, "ir.attachment", "checksum"): {"size": 40},
    (None, "ir.attachment", "url"): {"size": 1024},
    (None, "ir.model.constraint", "type"): {"size": 1},
    (None, "ir.module.module", "license"): {"size": 32},
    (None, "ir.module.module", "state"): {"size": 16},
    (None, "res.country", "code"): {"size": 2},
    (None, "res.partner", "child_ids"): {"active_only": True},
    (None, "res.partner", "lang"): {"chosen_by_code": True},
    ("19", "res.lang", "date_format"): {"chosen_by_code": True},
    (None, "res.partner", "color"): {"default": "0"},
    ("19", "account.account", "code"): {"mirror_of": "code_store"},
}


def of_field(flavour: Flavour, model: str, name: str, kind: str) -> Mapping[str, Any]:
    """Return attributes of a field that no server tells."""
    found = dict(_FIELDS.get((None, model, name)) or _FIELDS.get((flavour, model, name)) or {})
    if name == "active":
        found["default"] = True
    if kind == "many2one_reference":
        found["model_field"] = "res_model"
    return found
