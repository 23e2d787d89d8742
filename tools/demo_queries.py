"""What people ask the shadow: plain SQL over the mirrored tables, the views with names, and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import psycopg
from psycopg.rows import TupleRow
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from odoo_shadow.mirror.report_tables import add_row

MARTS_SCHEMA = "odoo_marts"


@dataclass(frozen=True)
class Query:
    """A question and its SQL.

    :param tables: what it needs, of the mirror unless it names another schema; what there is not has no table.
    :param labels: how many columns of its answer are no figures.
    """

    question: str
    tables: tuple[str, ...]
    labels: int
    statement: str


QUERIES = (
    Query(
        "Who are the first company's best customers, by confirmed sales in its currency?",
        ("sale_order", "res_partner"),
        1,
        """SELECT customer.name AS customer,
    count(*) AS orders, sum(o.amount_total / coalesce(nullif(o.currency_rate, 0), 1)) AS sales
FROM odoo_shadow.odoo_shadow_sale_order AS o
JOIN odoo_shadow.odoo_shadow_res_partner AS customer ON customer.id = o.partner_id
WHERE o.state = 'sale' AND o.company_id = 1
GROUP BY customer.id, customer.name
ORDER BY sales DESC
LIMIT 5""",
    ),
    Query(
        "What do customers still owe that company, by the month in which it falls due?",
        ("account_move",),
        1,
        """SELECT to_char(invoice_date_due, 'YYYY-MM') AS due,
    count(*) AS invoices, sum(amount_residual_signed) AS open
FROM odoo_shadow.odoo_shadow_account_move
WHERE move_type IN ('out_invoice', 'out_refund') AND state = 'posted' AND company_id = 1
    AND payment_state IN ('not_paid', 'partial')
GROUP BY due
ORDER BY due DESC
LIMIT 5""",
    ),
    Query(
        "The same as accountants ask: how much is how late? A mart; Odoo has the same figures.",
        (f"{MARTS_SCHEMA}.mart_receivables",),
        2,
        """SELECT company_name, currency, sum(not_due) AS not_due, sum(days_1_30) AS days_1_30,
    sum(days_31_60) AS days_31_60, sum(days_61_90) AS days_61_90, sum(days_over_90) AS days_over_90, sum(total) AS total
FROM odoo_marts.mart_receivables
GROUP BY company_name, currency
ORDER BY company_name""",
    ),
    Query(
        "Which products bring the first company what, refunds taken off?",
        (f"{MARTS_SCHEMA}.mart_invoices",),
        1,
        """SELECT product_name, sum(quantity) AS quantity, sum(amount_untaxed) AS amount
FROM odoo_marts.mart_invoices
WHERE company_id = 1 AND move_type IN ('out_invoice', 'out_refund', 'out_receipt')
GROUP BY product_id, product_name
ORDER BY amount DESC
LIMIT 5""",
    ),
    Query(
        "How far are the projects?",
        ("project_project", "project_task"),
        1,
        """SELECT project.name AS project,
    count(*) FILTER (WHERE task.state NOT LIKE '1\\_%') AS open,
    count(*) FILTER (WHERE task.state LIKE '1\\_%') AS closed
FROM odoo_shadow.odoo_shadow_project_project AS project
JOIN odoo_shadow.odoo_shadow_project_task AS task ON task.project_id = project.id
WHERE task.active
GROUP BY project.id, project.name
ORDER BY open DESC
LIMIT 5""",
    ),
    Query(
        "Which orders are the newest? A view with names instead of ids, without a join.",
        ("sale_order_named",),
        3,
        """SELECT name, partner_id_name AS customer, user_id_name AS salesperson, amount_total
FROM odoo_shadow.odoo_shadow_sale_order_named ORDER BY id DESC LIMIT 3""",
    ),
    Query(
        "What do its columns mean, and where do they point to? The catalogue knows.",
        ("field",),
        4,
        """SELECT column_name, label, odoo_type, relation_table AS points_to
FROM odoo_shadow.odoo_shadow_field
WHERE table_name = 'odoo_shadow_sale_order' AND relation_table IS NOT NULL ORDER BY column_name LIMIT 4""",
    ),
)


def show_queries(console: Console, shadow: psycopg.Connection[TupleRow]) -> None:
    """Run those queries whose tables there are, and show SQL and answers."""
    for query in QUERIES:
        if not all(_has_table(shadow, table) for table in query.tables):
            continue
        console.print(Text(f"\n{query.question}", "bold"))
        console.print(Text(query.statement, "dim"), soft_wrap=True)
        cursor = shadow.execute(query.statement)
        table = Table(box=box.SIMPLE_HEAD)
        for number, column in enumerate(cursor.description or ()):
            table.add_column(column.name, justify="right" if number >= query.labels else "left")
        for row in cursor:
            add_row(table, *map(_shown, row))
        console.print(table)


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, Decimal) else str(value)


def _has_table(shadow: psycopg.Connection[TupleRow], table: str) -> bool:
    name = table if "." in table else f"odoo_shadow.odoo_shadow_{table}"
    row = shadow.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone()
    return row is not None and bool(row[0])
