"""Questions about journal items: the trial balance, and what partners owe and are owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from odoo_shadow.marts.proof.comparison import Behind, Circumstances, Comparison, Figure, Key
from odoo_shadow.source.groups import By
from odoo_shadow.source.types import Domain

_LINE = "account.move.line"
_POSTED = ("parent_state", "=", "posted")


def _posted(_: Circumstances) -> Domain:
    return [_POSTED]


def trial_balance() -> list[Comparison]:
    """Return the questions about the trial balance."""
    behind = Behind(
        By("id"),
        _LINE,
        "m.id",
        table=_LINE,
        keys=("m.account_id", "date_trunc('month', m.date)::date"),
        figures=("m.debit", "m.credit", "m.balance"),
        where="m.parent_state = 'posted'",
    )
    return [
        Comparison(
            mart="mart_trial_balance",
            name="debit and credit by account and month",
            model=_LINE,
            keys=(Key("account", By("account_id"), "m.account_id"), Key("month", By("date", month=True), "m.month")),
            figures=(
                Figure("debit", "debit", "m.debit"),
                Figure("credit", "credit", "m.credit"),
                Figure("balance", "balance", "m.balance"),
            ),
            behind=behind,
            domain=_posted,
        )
    ]


@dataclass(frozen=True)
class _Age:
    """A column of what is due, and how many days late it is; None has no bound."""

    name: str
    column: LiteralString
    least: int | None
    most: int | None
    rows: LiteralString


_AGES = (
    _Age("not_due", "m.not_due", None, 0, " AND {today}::date - coalesce(m.date_maturity, m.date) <= 0"),
    _Age("days_1_30", "m.days_1_30", 1, 30, " AND {today}::date - coalesce(m.date_maturity, m.date) BETWEEN 1 AND 30"),
    _Age(
        "days_31_60", "m.days_31_60", 31, 60, " AND {today}::date - coalesce(m.date_maturity, m.date) BETWEEN 31 AND 60"
    ),
    _Age(
        "days_61_90", "m.days_61_90", 61, 90, " AND {today}::date - coalesce(m.date_maturity, m.date) BETWEEN 61 AND 90"
    ),
    _Age("days_over_90", "m.days_over_90", 91, None, " AND {today}::date - coalesce(m.date_maturity, m.date) > 90"),
    _Age("total", "m.total", None, None, ""),
)
_OF_CUSTOMERS: LiteralString = (
    "m.parent_state = 'posted' AND m.amount_residual <> 0"
    " AND m.account_id IN (SELECT a.id FROM {account_account} a WHERE a.account_type = 'asset_receivable')"
)
_OF_VENDORS: LiteralString = (
    "m.parent_state = 'posted' AND m.amount_residual <> 0"
    " AND m.account_id IN (SELECT a.id FROM {account_account} a WHERE a.account_type = 'liability_payable')"
)


def receivables() -> list[Comparison]:
    """Return the questions about what partners owe."""
    return [_due("mart_receivables", "asset_receivable", _OF_CUSTOMERS, age, 1) for age in _AGES]


def payables() -> list[Comparison]:
    """Return the questions about what partners are owed, which Odoo counts as negative."""
    return [_due("mart_payables", "liability_payable", _OF_VENDORS, age, -1) for age in _AGES]


def _due(mart: str, account_type: str, rows: LiteralString, age: _Age, sign: int) -> Comparison:
    behind = Behind(
        By("id"),
        _LINE,
        "m.id",
        table=_LINE,
        keys=("m.partner_id",),
        figures=("m.amount_residual" if sign > 0 else "-m.amount_residual",),
        where=rows + age.rows,
        touched=("write_date", "account_id.write_date"),
    )
    return Comparison(
        mart=mart,
        name=f"{age.name} by partner",
        model=_LINE,
        keys=(Key("partner", By("partner_id"), "m.partner_id"),),
        figures=(Figure(age.name, "amount_residual", age.column),),
        behind=behind,
        domain=_due_domain(account_type, age),
        sign=lambda _: sign,
    )


def _due_domain(account_type: str, age: _Age) -> Callable[[Circumstances], Domain]:
    def domain(about: Circumstances) -> Domain:
        # The later the day, the less late: at least one day late is yesterday at the latest.
        newest = None if age.least is None else (about.today - timedelta(days=age.least)).isoformat()
        oldest = None if age.most is None else (about.today - timedelta(days=age.most)).isoformat()
        bounds = [
            *(() if newest is None else _due_on("<=", newest)),
            *(() if oldest is None else _due_on(">=", oldest)),
        ]
        return [_POSTED, ("account_id.account_type", "=", account_type), ("amount_residual", "!=", 0), *bounds]

    return domain


def _due_on(operator: str, day: str) -> Domain:
    """Return the domain of lines by the day on which they are due: their own day if they have no other."""
    own = ["&", ("date_maturity", "=", False), ("date", operator, day)]
    return ["|", ("date_maturity", operator, day), *own]
