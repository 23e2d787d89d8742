"""Every mart and what proves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from odoo_shadow.marts.proof import ledger, operations, trade
from odoo_shadow.marts.proof.comparison import Comparison

COMPARISONS: Mapping[str, Sequence[Comparison]] = {
    "mart_trial_balance": ledger.trial_balance(),
    "mart_receivables": ledger.receivables(),
    "mart_payables": ledger.payables(),
    "mart_sales": trade.sales(),
    "mart_invoices": trade.invoices(),
    "mart_purchases": trade.purchases(),
    "mart_stock": operations.stock(),
    "mart_pipeline": operations.pipeline(),
}
"""By mart, in the order in which they are compared."""
