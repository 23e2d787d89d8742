"""Questions whose answers are known: of the stand-in's invented business, by the generator that made its records.

They measure retrieval: each names the records that answer it. Words of other languages, which the records do not have,
stand in retrieval_words.json; questions for a real Odoo with demo data in retrieval_demo_questions.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from odoo_stand_in.declared.schema import Flavour
from odoo_stand_in.invented import story
from odoo_stand_in.invented.schemas import registry_of

Key: TypeAlias = tuple[str, int]
"""A record: its model and id."""
LANGUAGES = ("en", "de", "fr", "es")
KINDS = ("code", "typed wrong", "name", "paraphrase", "translated", "facts")
"""Of questions: an exact number, a name with a mistake in it, a name as it is, other words for the same thing, words of
a language in which the records are not, and several facts that must hold at once."""
_WORDS: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("retrieval_words.json").read_text(encoding="utf-8")
)
_OF_DEMO = Path(__file__).with_name("retrieval_demo_questions.json")
_NO_PASSWORDS = story.Logins(*[""] * 5)


@dataclass(frozen=True)
class Question:
    """What somebody asks.

    :param kind: one of `KINDS`.
    :param answers: the records that answer it; every other one does not.
    """

    text: str
    language: str
    kind: str
    answers: frozenset[Key]


@dataclass(frozen=True)
class DemoQuestion:
    """A question whose answer is a record of Odoo's own demo data, named by its code or its name in English."""

    text: str
    language: str
    kind: str
    model: str
    code: str | None
    name: str | None


Rows: TypeAlias = dict[str, list[dict[str, Any]]]
"""The records of each model, as the stand-in's tables have them."""


def invented_rows(flavour: Flavour = "19", seed: int = 1, scale: float = 1) -> Rows:
    """Return the records that a stand-in with the schema `business` has for the same seed and scale."""
    return story.populate(registry_of(flavour, "business"), "business", seed, scale, _NO_PASSWORDS).rows


def invented_questions(rows: Rows, seed: int = 1) -> list[Question]:
    """Return some 400 questions about these records, the same for the same seed."""
    random = Random(f"questions {seed}")  # noqa: S311 - invented data, no secret
    makers: Sequence[Callable[[Random, Rows], Iterator[Question]]] = (
        _of_products,
        _of_firms,
        _of_numbers,
        _of_leads,
        _of_orders,
        _of_invoices,
        _of_tasks,
    )
    return [question for make in makers for question in make(random, rows)]


def demo_questions() -> list[DemoQuestion]:
    """Return the questions about Odoo's demo data."""
    return [
        DemoQuestion(
            entry[language],
            language,
            "paraphrase" if language == "en" else "translated",
            entry["model"],
            entry.get("code"),
            entry.get("name"),
        )
        for entry in json.loads(_OF_DEMO.read_text(encoding="utf-8"))
        for language in LANGUAGES
    ]


def with_mistake(random: Random, text: str) -> str:
    """Return a text as somebody types it in a hurry: letters changed places, one is missing or doubled."""
    places = [n for n in range(1, len(text) - 2) if text[n].isalpha() and text[n + 1].isalpha()]
    if not places:
        return text
    n = random.choice(places)
    swapped = text[:n] + text[n + 1] + text[n] + text[n + 2 :]
    missing, doubled = text[:n] + text[n + 1 :], text[:n] + text[n] + text[n:]
    return random.choice([one for one in (swapped, missing, doubled) if one != text])


def _of_products(random: Random, rows: Rows) -> Iterator[Question]:
    for row in rows["product.template"]:
        name, found = row["name"]["en_US"], frozenset({("product.template", row["id"])})
        for number, language in enumerate(LANGUAGES):
            yield Question(_thing(name, number), language, "paraphrase" if number == 0 else "translated", found)
        yield Question(with_mistake(random, name), "en", "typed wrong", found)


def _thing(name: str, number: int) -> str:
    """Say in another language what a product is, or in other words of the same one."""
    if name in _WORDS["service"]:
        return _WORDS["service"][name][number]
    kind, thing = name.split()
    return f"{_WORDS['thing'][thing][number]} {_WORDS['kind'][kind][number]}"


_CONTACT = ("Who is {}?", "Kontaktdaten von {}", "coordonnées de {}", "datos de contacto de {}")


def _of_firms(random: Random, rows: Rows) -> Iterator[Question]:
    firms = _firms(rows)
    for row in firms:
        own, trade, _form = row["name"].split()
        number = random.randrange(len(LANGUAGES))
        yield Question(
            _CONTACT[number].format(row["name"]), LANGUAGES[number], "name", frozenset({("res.partner", row["id"])})
        )
        found = frozenset(("res.partner", one["id"]) for one in firms if one["name"].startswith(f"{own} {trade} "))
        yield Question(with_mistake(random, f"{own} {trade}"), "en", "typed wrong", found)
        yield Question(
            f"{own} {_WORDS['trade'][trade][number]}",
            LANGUAGES[number],
            "paraphrase" if number == 0 else "translated",
            found,
        )


def _firms(rows: Rows) -> list[dict[str, Any]]:
    traded = {row["commercial_partner_id"] for row in rows["account.move"] if row["partner_id"]}
    return [row for row in rows["res.partner"] if row["id"] in traded and len(row["name"].split()) == 3]


_ABOUT = ("What is the state of {}?", "Wie steht es um {}?", "où en est {} ?", "¿cómo va {}?")


def _of_numbers(random: Random, rows: Rows) -> Iterator[Question]:
    for model, many in (("sale.order", 16), ("purchase.order", 8), ("account.move", 16)):
        named = [row for row in rows[model] if _is_document(model, row)]
        for row in random.sample(named, many):
            found = frozenset((model, one["id"]) for one in named if one["name"] == row["name"])
            number = random.randrange(len(LANGUAGES))
            yield Question(_ABOUT[number].format(row["name"]), LANGUAGES[number], "code", found)
            yield Question(row["name"].lower(), "en", "code", found)
    for row in random.sample(rows["product.product"], 12):
        found = frozenset({("product.template", row["product_tmpl_id"])})
        yield Question(row["default_code"], "en", "code", found)
        yield Question(row["barcode"], "en", "code", found)


def _is_document(model: str, row: dict[str, Any]) -> bool:
    return model != "account.move" or (row["move_type"] != "entry" and row["name"] not in (None, "", "/"))


_WANTS = ("{1} would like to buy: {0}", "{1} interessiert sich für: {0}", "{1} demande : {0}", "{1} pregunta por: {0}")


def _of_leads(random: Random, rows: Rows) -> Iterator[Question]:
    for row in random.sample(rows["crm.lead"], 24):
        wanted = row["name"].partition(" x ")[2]
        product, _, firm = wanted.partition(" for ")
        found = frozenset(("crm.lead", one["id"]) for one in rows["crm.lead"] if one["name"].endswith(f" x {wanted}"))
        number = random.randrange(len(LANGUAGES))
        yield Question(_WANTS[number].format(_thing(product, number), firm), LANGUAGES[number], "facts", found)


_ORDERED = (
    "sales orders of {1} for {0}",
    "Aufträge von {1} über {0}",
    "commandes de {1} pour {0}",
    "pedidos de {1} de {0}",
)


def _of_orders(random: Random, rows: Rows) -> Iterator[Question]:
    templates = {row["id"]: row["product_tmpl_id"] for row in rows["product.product"]}
    names = {row["id"]: row["name"]["en_US"] for row in rows["product.template"]}
    firms = {row["id"]: row["name"] for row in rows["res.partner"]}
    lines = [line for line in rows["sale.order.line"] if line["product_id"]]
    for chosen in random.sample(lines, 32):
        firm, template = chosen["order_partner_id"], templates[chosen["product_id"]]
        found = frozenset(
            ("sale.order", line["order_id"])
            for line in lines
            if line["order_partner_id"] == firm and templates[line["product_id"]] == template
        )
        number = random.randrange(len(LANGUAGES))
        text = _ORDERED[number].format(_thing(names[template], number), firms[firm])
        yield Question(text, LANGUAGES[number], "facts", found)


_INVOICED = ("invoice to {} from {} {}", "Rechnung an {} vom {} {}", "facture à {} de {} {}", "factura a {} de {} {}")


def _of_invoices(random: Random, rows: Rows) -> Iterator[Question]:
    firms = {row["id"]: row["name"] for row in rows["res.partner"]}
    invoices = [row for row in rows["account.move"] if row["move_type"] == "out_invoice" and row["invoice_date"]]
    for chosen in random.sample(invoices, 24):
        firm, day = chosen["commercial_partner_id"], chosen["invoice_date"]
        found = frozenset(
            ("account.move", row["id"])
            for row in invoices
            if row["commercial_partner_id"] == firm and f"{row['invoice_date']:%Y%m}" == f"{day:%Y%m}"
        )
        number = random.randrange(len(LANGUAGES))
        month = _WORDS["month"][LANGUAGES[number]][day.month - 1]
        yield Question(_INVOICED[number].format(firms[firm], month, day.year), LANGUAGES[number], "facts", found)


def _of_tasks(random: Random, rows: Rows) -> Iterator[Question]:
    # Those of no project are somebody's own.
    tasks = [row for row in rows["project.task"] if row["project_id"]]
    names = sorted({row["name"] for row in tasks})
    for name in random.sample(names, min(len(names), 20)):
        found = frozenset(("project.task", row["id"]) for row in tasks if row["name"] == name)
        verb, kind, thing = name.replace(" the ", " ", 1).split()
        for number in range(len(LANGUAGES)):
            what = _thing(f"{kind.capitalize()} {thing.capitalize()}", number)
            told = f"{_WORDS['verb'][verb.lower()][number]}: {what}"
            yield Question(told, LANGUAGES[number], "paraphrase" if number == 0 else "translated", found)
