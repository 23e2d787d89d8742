"""The demo's documents, with embeddings, and a few questions that they answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow
from rich import box
from rich.table import Table

from odoo_shadow.knowledge.documents.run import Failed, refresh_documents
from odoo_shadow.knowledge.embedding.choice import EmbeddingSettings, make_embedder
from odoo_shadow.knowledge.embedding.fill import fill_embeddings
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.knowledge.search.ask import Question, ask
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tools.parts import Parts
from tools.stages import Stage, Stages
from tools.trouble import ToolError

FOUND = 3
"""Documents that are shown of each answer."""

_OTHER_WORDS = "Schreibtisch aus Eichenholz"
"""The invented products are called in English; this is about Oak Desk."""
_ORDER = "SELECT name FROM odoo_shadow.odoo_shadow_sale_order WHERE state = 'sale' ORDER BY id DESC LIMIT 1"
_CUSTOMER = """SELECT p.name FROM odoo_shadow.odoo_shadow_sale_order AS o
JOIN odoo_shadow.odoo_shadow_res_partner AS p ON p.id = o.partner_id WHERE length(p.name) > 8 ORDER BY o.id LIMIT 1"""


def make_documents(stages: Stages, parts: Parts, embedder: Embedder) -> None:
    """Make documents of what the DAG has mirrored, and their embeddings."""
    with (
        stages.stage("Writing documents, and embedding them") as stage,
        ShadowDatabase.from_url(parts.shadow_url) as shadow,
    ):
        done = refresh_documents(shadow, {}, lambda model, written, of: stage.show(f"{model}: {written} of {of}"))
        for item in done:
            if isinstance(item, Failed):
                raise ToolError(f"The documents of {item.model} could not be made: {item.error}")
        filled = fill_embeddings(shadow, embedder, on_progress=lambda made, of: _tell(stage, made, of))
        stage.done(f"{filled.embedded} documents for searches, embedded by {filled.model}, on this machine")


def show_searches(stages: Stages, parts: Parts, embedder: Embedder, rows: psycopg.Connection[TupleRow]) -> None:
    """Ask a few questions, and show what is found."""
    with ShadowDatabase.from_url(parts.shadow_url) as shadow:
        for what, question in _questions(parts, rows):
            began = time.perf_counter()
            answer = ask(shadow, Question(question, FOUND), embedder)
            took = time.perf_counter() - began
            stages.say("")
            stages.say(f"{what}  odoo-shadow search {question!r}   ({took * 1000:.0f} ms)", style="bold")
            table = Table(box=box.SIMPLE_HEAD)
            for heading in ("title", "date", "score"):
                table.add_column(heading, justify="right" if heading == "score" else "left")
            for item in answer.found:
                date = "" if item.dated_at is None else f"{item.dated_at:%Y-%m-%d}"
                add_row(table, item.title, date, f"{item.score:.2f}")
            stages.console.print(table)


def _tell(stage: Stage, made: int, of: int) -> None:
    stage.show(f"Embedding documents: {made} of {of}")


def _questions(parts: Parts, rows: psycopg.Connection[TupleRow]) -> Iterator[tuple[str, str]]:
    """Yield questions that the data can answer, and what each shows."""
    if parts.stand_in:
        yield "In another language, by meaning:", _OTHER_WORDS
    for (number,) in rows.execute(_ORDER):
        yield "By a number that is not quite written so:", str(number).lower().replace("0", "", 1)
    for (name,) in rows.execute(_CUSTOMER):
        yield "By a name with a letter too few:", f"{name[:4]}{name[5:]}"


@contextmanager
def local_model() -> Iterator[Embedder]:
    """Yield the model that comes as a package; it is read into memory with the first text."""
    embedder = make_embedder(EmbeddingSettings("local"))
    if embedder is None:
        raise ToolError("There is no local model.")
    try:
        yield embedder
    finally:
        embedder.close()
