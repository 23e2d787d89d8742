"""The tests' own rooms: what tests share stands in tests.support, and tests/unit has no servers."""

from __future__ import annotations

import ast
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

TESTS = Path(__file__).parents[1]
SUPPORT = TESTS / "support"


def imported(path: Path) -> Iterator[str]:
    """Yield what a file imports, wherever in the file it does."""
    package = path.relative_to(TESTS.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from names


def of_tests(path: Path) -> Iterator[str]:
    """Yield what a file imports from the tests."""
    yield from (name for name in imported(path) if name.partition(".")[0] == "tests")


def test_what_tests_import_of_the_tests_is_support() -> None:
    """No test module, no conftest, no other folder: what moves there would break them."""
    wrong = {
        str(path.relative_to(TESTS)): names
        for path in TESTS.rglob("*.py")
        if (names := [name for name in of_tests(path) if not name.startswith("tests.support.")])
    }
    assert wrong == {}


def test_helpers_stand_in_support_and_tests_do_not() -> None:
    wrong = [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path.name != "__init__.py" and path.name.startswith(("test_", "conftest.")) == path.is_relative_to(SUPPORT)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection(("127.0.0.1", 1)),
        lambda: socket.create_server(("127.0.0.1", 0)),
        lambda: psycopg.connect("host=127.0.0.1 port=1"),
        lambda: subprocess.run(["true"], check=True),
    ],
    ids=["connect", "listen", "PostgreSQL", "another program"],
)
def test_a_unit_test_reaches_nothing(reach: Callable[[], object]) -> None:
    with pytest.raises(Exception, match="tests/unit runs without servers"):
        reach()


def test_a_unit_test_has_no_postgresql(request: pytest.FixtureRequest) -> None:
    with pytest.raises(Exception, match="tests/unit runs without servers"):
        request.getfixturevalue("postgres")


def test_unit_tests_need_no_airflow() -> None:
    """It takes longer to import than they all take together."""
    wrong = {
        path.name: names
        for path in (TESTS / "unit").glob("*.py")
        if (names := [name for name in imported(path) if name.startswith("airflow")])
    }
    assert wrong == {}
