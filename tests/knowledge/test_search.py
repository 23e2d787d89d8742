"""`odoo_shadow_search`: what it finds, and what it makes of what somebody types."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from odoo_shadow.knowledge.embedding.columns import ensure_column, make_current
from odoo_shadow.knowledge.embedding.extension import ensure_extension
from odoo_shadow.knowledge.embedding.port import Load, Passage, Vector
from odoo_shadow.knowledge.search.ask import Question, ask
from odoo_shadow.knowledge.search.errors import SearchError
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.views.search import renew_search
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.stored_documents import DIMENSIONS, MODEL, Stored, has_pgvector, open_search, search, store
from tools.embedded_postgres import drop_database, new_database

EAST = [1.0, *[0.0] * (DIMENSIONS - 1)]
NORTH = [0.0, 1.0, *[0.0] * (DIMENSIONS - 2)]
MAY = datetime(2026, 5, 1, tzinfo=UTC)
DOCUMENTS = (
    Stored("sale.order", 31, "Sales Order S00031, Gemini Furniture", "Status: Sales Order\nTotal: 1,250.00 EUR",
           "S00031", company_id=1, dated_at=MAY, vector=EAST),
    Stored("sale.order", 32, "Sales Order S00032, Deco Addict", "Status: Quotation\nOrigin: S00031", "S00032",
           company_id=2, dated_at=datetime(2026, 6, 1, tzinfo=UTC), vector=NORTH),
    Stored("account.move", 1, "Invoice INV/2026/00031, Deco Addict", "Status: Posted\nOrigin: S00032", "INV/2026/00031",
           company_id=1, dated_at=MAY, vector=NORTH),
    Stored("res.partner", 5, "Contact Gemini Furniture", "City: Fairfield", "gemini@example.com"),
    Stored("res.partner", 6, "Contact Müller & Söhne", "City: Łódź\nJob: Gérante", "Mu\u0308ller"),
    Stored("res.partner", 7, "Contact 東京タワー株式会社", "City: 東京都港区", ""),
    Stored("res.partner", 8, "Contact บริษัทไทยธนาคาร", "City: กรุงเทพ", ""),
    Stored("res.partner", 9, "Contact ישראל טכנולוגיה", "שירות לקוחות", ""),
    Stored("product.template", 4, "Product [FURN_0096] Customizable Desk", "Price: 750.00", "FURN_0096 601647855631"),
)  # fmt: skip


@pytest.fixture(scope="module")
def url(postgres: str) -> Iterator[str]:
    """The URL of a shadow with a few documents."""
    found = new_database(postgres)
    vectors = has_pgvector(found)
    with ShadowDatabase.from_url(found) as shadow:
        open_search(shadow, vectors=vectors)
        store(shadow, *(item if vectors else replace(item, vector=None) for item in DOCUMENTS))
    yield found
    drop_database(postgres, found)


@pytest.fixture(scope="module")
def with_lines(postgres: str) -> Iterator[str]:
    """The URL of a shadow with one long document."""
    found = new_database(postgres)
    with ShadowDatabase.from_url(found) as shadow:
        open_search(shadow, vectors=False)
        store(shadow, Stored("sale.order", 77, "Sales Order S00077", LINES, "S00077"))
    yield found
    drop_database(postgres, found)


def snippets(url: str, text: str) -> list[str]:
    """Return what is shown of the documents that are found by words."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT snippet FROM odoo_shadow_search(%s)", [text]).fetchall()
    return [str(snippet) for (snippet,) in rows]


@pytest.fixture
def with_vectors(postgres: str) -> None:
    """Leave a test out where there is no pgvector."""
    if not has_pgvector(postgres):
        pytest.skip("this PostgreSQL has no pgvector")


def first(url: str, text: str) -> tuple[str, int] | None:
    """Return the first document that is found by words alone."""
    found = search(url, text)
    return found[0][:2] if found else None


@pytest.mark.parametrize(
    ("text", "model", "record"),
    [
        ("S00031", "sale.order", 31),
        ("s31", "sale.order", 31),
        ("state of order 00032?", "sale.order", 32),
        ("inv/2026/31", "account.move", 1),
        ("FURN96", "product.template", 4),
        ("601647855631", "product.template", 4),
        ("contact Gemni Furnitrue", "res.partner", 5),  # a letter is missing, two have changed places
        ("gemini@example.com", "res.partner", 5),
        ("muller sohne", "res.partner", 6),
        ("MÜLLER", "res.partner", 6),
        ("gerante lodz", "res.partner", 6),
        ("desks", "product.template", 4),
        ("1250.00", "sale.order", 31),
        ("東京", "res.partner", 7),
        ("タワー", "res.partner", 7),
        ("ธนาคาร", "res.partner", 8),
        ("\u200fטכנולוגיה\u200f", "res.partner", 9),  # noqa: RUF001 - Hebrew
        ("where is the customizable one", "product.template", 4),
    ],
)
def test_words_numbers_and_names_are_found(url: str, text: str, model: str, record: int) -> None:
    assert first(url, text) == (model, record)


def test_what_it_is_about_is_before_what_mentions_it(url: str) -> None:
    assert [hit[:2] for hit in search(url, "S00031")] == [("sale.order", 31), ("sale.order", 32)]


def test_a_bare_number_counts_once(shadow: ShadowDatabase, database: str) -> None:
    """A title or a telephone number that has it as it was typed is not before the order of that number."""
    open_search(shadow, vectors=False)
    store(
        shadow,
        Stored("crm.lead", 3, "Lead Pricing for 25 desks", "Phone: +1 555 754 3010", "Pricing for 25 desks"),
        Stored("crm.lead", 2, "Lead Design Software", "Phone: +33 1 25 54 45 69", "Design Software +33 1 25 54 45 69"),
        Stored("sale.order", 25, "Sales Order S00025, Acme Corporation", "Status: Quotation", "S00025"),
        Stored("sale.order", 26, "Sales Order S00026, Acme Corporation", "Status: Quotation", "S00026"),
    )
    assert first(database, "order 25") == ("sale.order", 25)
    assert first(database, "25 desks") == ("crm.lead", 3)


@pytest.mark.usefixtures("with_vectors")
def test_meaning_counts_and_alone_is_enough(url: str) -> None:
    found = search(url, "nothing of this is written anywhere", EAST)
    assert found[0][:2] == ("sale.order", 31) and {hit[1] for hit in found} == {31, 32, 1}
    both = search(url, "S00032", NORTH)
    assert both[0][:2] == ("sale.order", 32) and both[0][2] > both[1][2]


@pytest.mark.usefixtures("with_vectors")
def test_filters(url: str) -> None:
    def found(**arguments: object) -> set[tuple[str, int]]:
        return {hit[:2] for hit in search(url, "Deco Gemini Status", EAST, **arguments)}

    assert found(models=["account.move", "no.such"]) == {("account.move", 1)}
    assert found(models=[]) == set()
    assert found(company_ids=[2]) == {("sale.order", 32), ("res.partner", 5)}
    assert found(since=MAY, until=datetime(2026, 5, 2, tzinfo=UTC)) == {("sale.order", 31), ("account.move", 1)}
    assert found(since=datetime(2026, 5, 2, tzinfo=UTC)) == {("sale.order", 32)}
    assert len(search(url, "Status", EAST, match_count=2)) == 2
    for count in (-5, 0):
        assert len(search(url, "Status", EAST, match_count=count)) == 1
    for most in (None, 2_000_000_000):
        assert len(search(url, "Status", EAST, match_count=most)) == 3


@pytest.mark.parametrize(
    "text",
    [
        None, "", "   \n\t", "?!… --- '''", "a & b | ! ( <->", "':*A' | \\", "'; DROP TABLE x; --", "%s {0} $1 $body$",
        "\x01\x7f\u202e", "zqn31 zqc", "x" * 1_000_000, "é" * 100_000, "'" * 100_000, "31 " * 100_000, "the of and",
        "1.2.3.4.5.6,7,8,9", "0" * 900, "東" * 900,
    ],
)  # fmt: skip
def test_anything_may_be_asked(url: str, text: str | None) -> None:
    assert len(search(url, text)) <= 10
    assert len(search(url, text, EAST)) >= (3 if has_pgvector(url) and (text or "").strip() else 0)


@pytest.mark.parametrize("text", [None, "", "   \n\t"])
def test_who_asks_nothing_is_answered_nothing(url: str, text: str | None) -> None:
    assert search(url, text, EAST) == []
    with ShadowDatabase.from_url(url) as shadow, pytest.raises(SearchError, match=r"^Nothing was asked: write what"):
        ask(shadow, Question(text or ""), None)


LINES = "\n".join(
    (
        "Status: Sales Order",
        *(f"- [FURN_{number}] Chair {number}: 1" for number in range(1000, 1012)),
        "- [FURN_8888] Office Lamp: 4 Units, Größe: Übergröße",
        "word " * 100 + "the very lantern is behind " + "longish " * 40,
        "x" * 450,
    )
)


@pytest.mark.parametrize(
    ("text", "snippet"),
    [
        ("FURN_8888", "- [FURN_8888] Office Lamp: 4 Units, Größe: Übergröße"),
        ("chair furn 8888 lamp", "- [FURN_8888] Office Lamp: 4 Units, Größe: Übergröße · - [FURN_1000] Chair"),
        ("ubergrosse lamps", "- [FURN_8888] Office Lamp: 4 Units, Größe: Übergröße"),
        ("S00077", "Status: Sales Order · - [FURN_1000] Chair 1000: 1 · - [FURN_1001] Chair 1001: 1"),
    ],
)
def test_the_snippet_is_about_what_was_asked(with_lines: str, text: str, snippet: str) -> None:
    assert snippets(with_lines, text)[0].startswith(snippet)


def test_the_snippet_is_short_and_of_whole_words(with_lines: str) -> None:
    (behind,) = snippets(with_lines, "lantern")
    assert "the very lantern is behind" in behind and set(behind.split()) <= {*LINES.split()}
    assert all(len(item) <= 240 for text in ("lantern", "chair", "S00077") for item in snippets(with_lines, text))


@pytest.mark.usefixtures("with_vectors")
def test_what_is_found_by_meaning_alone_is_known(url: str) -> None:
    with ShadowDatabase.from_url(url) as shadow:
        alone = ask(shadow, Question("nothing of this is written anywhere"), _Eastward(shadow))
        both = ask(shadow, Question("S00032"), _Eastward(shadow))
    assert alone.found and alone.is_by_meaning_alone and not both.is_by_meaning_alone
    assert [item.by_words for item in both.found] == [item.odoo_id in (1, 32) for item in both.found]


def test_models_are_chosen_by_patterns(url: str) -> None:
    def found(*models: str) -> set[str]:
        return {item.odoo_model for item in ask(shadow, Question("Deco Gemini Desk", models=models), None).found}

    with ShadowDatabase.from_url(url) as shadow:
        assert found("sale.*", "res.partner") == {"sale.order", "res.partner"}
        assert found("!sale.*", "!res.partner") == {"account.move", "product.template"}
        assert found("priority", "!account.*") == {"sale.order", "res.partner", "product.template"}
        for models, message in (
            (("crm.*",), r"There are no documents of models like crm\.\*\."),
            (("sale.orders",), r"There are no documents of sale\.orders \(did you mean sale\.order\?\)\."),
            (("Sale",), "'Sale' is not a model's name"),
        ):
            with pytest.raises(SearchError, match=message):
                found(*models)


def test_everything_may_be_null(url: str) -> None:
    names = ("match_count", "models", "company_ids", "since", "until")
    assert search(url, "S00031", None, **dict.fromkeys(names)) == search(url, "S00031")


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([1.0, 2.0], "has 2 dimensions, and those of the documents have 8: make it by the model tiny 1"),
        ("[NaN,1,1,1,1,1,1,1]", "NaN not allowed in vector"),
        ("[1,2", "invalid input syntax for type vector"),
    ],
)
@pytest.mark.usefixtures("with_vectors")
def test_a_wrong_vector_is_refused(url: str, vector: str, message: str) -> None:
    with pytest.raises(psycopg.Error, match=message.replace("[", "\\[")):
        search(url, "Gemini", vector)


@pytest.mark.usefixtures("with_vectors")
def test_a_vector_of_zeros_or_of_huge_numbers_does_no_harm(url: str) -> None:
    assert search(url, "Gemini", [0.0] * DIMENSIONS) == search(url, "Gemini")
    assert search(url, "Gemini", [1e30, *[0.0] * 7]) == search(url, "Gemini", EAST)
    assert all(math.isfinite(hit[2]) for hit in search(url, "Gemini", [1e-38, *[0.0] * 7]))


class _Switching:
    """An embedder while which is at work searches change over to other models."""

    name, dimensions, longest, batch = MODEL, DIMENSIONS, 1_000, 4

    def __init__(self, shadow: ShadowDatabase, *models: str) -> None:
        self._shadow = shadow
        self._models = list(models)

    def embed_query(self, text: str) -> Vector:  # noqa: ARG002 - the protocol's
        """Change the model, and return the vector by the former one."""
        extension = ensure_extension(self._shadow)
        with self._shadow.transaction() as tx:
            make_current(tx, ensure_column(tx, extension, self._models.pop(0), DIMENSIONS))
        return EAST

    def embed_documents(self, passages: Sequence[Passage]) -> list[Vector]:
        return [EAST for _ in passages]

    def load(self, passages: int, characters: int) -> Load:
        return Load(passages, characters, 0, 0)

    def close(self) -> None:
        """Nothing is open."""


class _Eastward(_Switching):
    """An embedder for which everything is in the east."""

    def embed_query(self, text: str) -> Vector:  # noqa: ARG002 - the protocol's
        return EAST


@pytest.mark.usefixtures("with_vectors")
def test_vectors_of_two_models_are_never_compared(shadow: ShadowDatabase) -> None:
    open_search(shadow)
    store(shadow, Stored("x.y", 1, "East", vector=EAST))
    with shadow.transaction() as tx:
        ensure_column(tx, ensure_extension(shadow), "tiny 2", DIMENSIONS)
        tx.run("UPDATE {s} SET embedding_2 = embedding_1", s=tx.own("odoo_shadow_stored_document"))
    answer = ask(shadow, Question("nothing of this"), _Switching(shadow, "tiny 2"))
    assert answer.found == () and "embeddings are by 'tiny 2'" in (answer.by_words_because or "")


def test_without_documents_or_vectors(shadow: ShadowDatabase, database: str) -> None:
    open_search(shadow, vectors=False)
    assert search(database, "anything") == []
    store(shadow, *(item for item in DOCUMENTS if item.vector is None))
    assert search(database, "Gemini")[0][:2] == ("res.partner", 5)
    with psycopg.connect(database) as connection:
        told: list[str | None] = []
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
        connection.execute("SELECT * FROM odoo_shadow.odoo_shadow_search('x', '[1,2]')")
    assert len(told) == 1 and "by words alone" in (told[0] or "")
    if not has_pgvector(database):
        return
    open_search(shadow)  # vectors come later: another function takes its place, and its namesake's
    store(shadow, Stored("x.y", 1, "North", vector=NORTH))
    assert search(database, "nothing", NORTH)[0][:2] == ("x.y", 1)


def test_a_huge_document_is_stored_and_found(shadow: ShadowDatabase, database: str) -> None:
    open_search(shadow, vectors=False)
    many = " ".join(f"word{n}" for n in range(150_000))
    store(
        shadow,
        Stored("x.y", 1, "Long", many, "many " * 200_000),
        Stored("x.y", 2, "題" * 10_000, "漢字" * 500_000, "字" * 100_000),
        Stored("x.y", 3, "x" * 100_000, "y" * 1_000_000, "'\\\\" * 1_000),
        Stored("x.y", 4, "", "", ""),
    )
    assert search(database, "word77")[0][:2] == ("x.y", 1)
    assert search(database, "漢字")[0][:2] == ("x.y", 2)


def test_a_function_of_somebody_else_is_neither_replaced_nor_called(shadow: ShadowDatabase, database: str) -> None:
    open_search(shadow, vectors=False)
    with new_role(database) as mallory:
        run_as_owner(
            database,
            "CREATE FUNCTION odoo_shadow.odoo_shadow_search(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
            "ALTER FUNCTION odoo_shadow.odoo_shadow_search(text) OWNER TO {mallory}",
            mallory=mallory,
        )
        with (
            pytest.raises(ShadowConflictError, match="which is not trusted: drop or rename it"),
            shadow.transaction() as tx,
        ):
            renew_search(tx)


def test_a_role_without_rights_finds_nothing(url: str) -> None:
    with new_role(url) as nobody, pytest.raises(psycopg.errors.InsufficientPrivilege):
        search(as_role(url, nobody), "Gemini", EAST)


@pytest.mark.usefixtures("with_vectors")
def test_a_mirror_of_a_role_with_few_rights_has_it(database: str) -> None:
    run_as_owner(database, "CREATE EXTENSION vector")
    with new_role(database) as role:
        name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
        run_as_owner(
            database,
            "GRANT CREATE ON DATABASE {name} TO {role}",
            "GRANT CREATE ON SCHEMA public TO {role}",
            name=str(name),
            role=role,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as shadow:
            open_search(shadow)
            store(shadow, *DOCUMENTS)
        assert search(as_role(database, role), "S00031", EAST)[0][:2] == ("sale.order", 31)
