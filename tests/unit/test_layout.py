"""The tests' own rooms: what tests share stands in tests.support, and a folder's fixtures in its conftest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
SUPPORT = TESTS / "support"


def imported(path: Path) -> Iterator[str]:
    """Yield what a file imports from the tests, wherever in the file it does."""
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
        yield from (name for name in names if name.partition(".")[0] == "tests")


def test_what_tests_import_of_the_tests_is_support() -> None:
    """No test module, no conftest, no other folder: what moves there would break them."""
    wrong = {
        str(path.relative_to(TESTS)): names
        for path in TESTS.rglob("*.py")
        if (names := [name for name in imported(path) if not name.startswith("tests.support.")])
    }
    assert wrong == {}


def test_helpers_stand_in_support_and_tests_do_not() -> None:
    wrong = [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path.name != "__init__.py" and path.name.startswith(("test_", "conftest.")) == path.is_relative_to(SUPPORT)
    ]
    assert wrong == []
