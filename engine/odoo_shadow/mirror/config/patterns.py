"""The choice of models: names, patterns, exclusions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.source.names import LONGEST_NAME, is_model_name

PRIORITY_MODELS = (
    "res.partner",
    "res.users",
    "res.company",
    "account.move",
    "account.move.line",
    "account.account",
    "sale.order",
    "sale.order.line",
    "purchase.order",
    "product.product",
    "product.template",
    "project.project",
    "project.task",
)
"""The models of `priority`, the default choice."""

BUSINESS_MODELS = (
    *PRIORITY_MODELS,
    # Accounting.
    *("account.analytic.account", "account.bank.statement", "account.bank.statement.line"),
    *("account.cash.rounding", "account.fiscal.position", "account.full.reconcile", "account.group"),
    *("account.incoterms", "account.journal", "account.partial.reconcile", "account.payment"),
    *("account.payment.method", "account.payment.method.line", "account.payment.term", "account.reconcile.model"),
    *("account.tax", "account.tax.group", "account.tax.repartition.line", "res.currency", "res.currency.rate"),
    # Selling, and where customers come from.
    *("crm.lead", "crm.lost.reason", "crm.recurring.plan", "crm.stage", "crm.team", "sale.order.template"),
    *("utm.campaign", "utm.medium", "utm.source"),
    # Products, purchases and stock.
    *("procurement.group", "product.category", "product.combo.item", "product.packaging", "product.pricelist"),
    *("purchase.order.line", "stock.location", "stock.lot", "stock.move", "stock.picking", "stock.picking.type"),
    *("stock.quant", "stock.route", "stock.warehouse", "uom.category", "uom.uom"),
    # People, places and projects.
    *("hr.department", "hr.employee", "hr.job", "project.milestone", "project.project.stage", "project.tags"),
    *("project.task.recurrence", "project.task.type", "project.update", "res.country", "res.country.state"),
    *("res.partner.industry", "res.partner.title", "resource.calendar", "resource.resource"),
)
"""The models of `business`: what the marts are made of, and what references of the priority models lead to.

Without what is not about the business or holds more about persons than reports need: settings and texts of the server
(`ir.*`, `mail.*`, `sms.*`, `report.*`), attachments, and bank accounts of partners.
"""


ALL = "all"
PRIORITY = "priority"
BUSINESS = "business"
SETS = {PRIORITY: PRIORITY_MODELS, BUSINESS: BUSINESS_MODELS}
"""Words that stand for several models by name."""

TERM = r"!?[a-zA-Z0-9_*?]+(\.[a-zA-Z0-9_*?]+)*"
"""One entry of a choice, as a regular expression that is valid in JSON Schema, too."""

LONGEST_TERM = LONGEST_NAME + 1
MOST_TERMS = 10_000

_WILD = re.compile(r"[*?]")


@dataclass(frozen=True)
class ModelChoice:
    """Which models to mirror.

    :param names: models that are named; they are mirrored, whatever kind they are.
    :param patterns: such as `sale.*`, or `*` for all; they take only models that are fit to be mirrored.
    :param excluded: names and patterns that are never mirrored.
    """

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @classmethod
    def parse(cls, terms: str | Iterable[str]) -> ModelChoice:
        """Read `priority`, `business`, `all`, names, patterns such as `sale.*`, and exclusions such as `!mail.*`.

        Exclusions alone mean all but those.

        :raises MirrorConfigurationError: nothing is named, or an entry is a duplicate or cannot be a model's name.
        """
        listed = _split(terms)
        if not listed:
            raise MirrorConfigurationError("No models are named: name at least one, such as res.partner.")
        if len(listed) > MOST_TERMS:
            raise MirrorConfigurationError(f"{len(listed)} models are named, more than {MOST_TERMS}: use patterns.")
        for term in listed:
            if not _is_term(term):
                raise MirrorConfigurationError(
                    f"{term!r} is not a model's name; they look like res.partner, patterns like sale.* or !mail.*."
                )
        twice = sorted(term for term, times in Counter(listed).items() if times > 1)
        if twice:
            raise MirrorConfigurationError(f"Models are listed twice: {', '.join(twice)}.")
        return cls._of(listed)

    @classmethod
    def _of(cls, terms: list[str]) -> ModelChoice:
        excluded = tuple(term[1:] for term in terms if term.startswith("!"))
        taken = [term for term in terms if not term.startswith("!")] or [ALL]
        named = [name for term in taken for name in SETS.get(term, (term,))]
        patterns = tuple("*" if term == ALL else term for term in named if term == ALL or _WILD.search(term))
        names = tuple(dict.fromkeys(term for term in named if term != ALL and not _WILD.search(term)))
        return cls(tuple(name for name in names if not _matches(name, excluded)), patterns, excluded)

    @property
    def is_plain(self) -> bool:
        """Whether the models are known without asking the server."""
        return not self.patterns

    @property
    def takes_everything(self) -> bool:
        """Whether models of every module are taken, also of those that nobody has thought of: `all`, `*`, `*.line`."""
        return any(pattern.startswith(("*", "?")) for pattern in self.patterns)

    def matches(self, model: str) -> bool:
        """Say whether a model is asked for, by name or by a pattern."""
        return not self.excludes(model) and (model in self.names or _matches(model, self.patterns))

    def excludes(self, model: str) -> bool:
        """Say whether a model is excluded."""
        return _matches(model, self.excluded)


def checked_name(model: object) -> str:
    """Return a model's name, after checking that a model can have it.

    :raises MirrorConfigurationError: no model can: the server, another role or a template made it up.
    """
    if isinstance(model, str) and is_model_name(model):
        return model
    raise MirrorConfigurationError(
        f"{model!r} is not a model's name and is not mirrored; they look like res.partner, and Odoo allows no others."
    )


def in_order(models: Iterable[str]) -> tuple[str, ...]:
    """Return models as they are mirrored: the priority models first, the others by name."""
    rank = {name: number for number, name in enumerate(PRIORITY_MODELS)}
    return tuple(sorted(set(models), key=lambda name: (rank.get(name, len(rank)), name)))


def _is_term(term: str) -> bool:
    """Say whether it is a pattern, or a name that Odoo allows."""
    bare = term.removeprefix("!")
    if _WILD.search(bare):
        return len(bare) <= LONGEST_NAME and re.fullmatch(TERM, term) is not None
    return is_model_name(bare)


def _split(terms: str | Iterable[str]) -> list[str]:
    if isinstance(terms, str):
        return [part.strip() for part in terms.split(",") if part.strip()]
    return list(terms)


def _matches(model: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns)
