"""The book says what the code does: each name that there is stands on its page, and none that there is not."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from odoo_shadow.cli.main import cli
from odoo_shadow.knowledge.mcp.address import TOKEN as MCP_TOKEN
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.config.model_settings import SETTINGS, ModelSettings
from odoo_shadow.mirror.shape.field_types import FIELD_TYPES
from odoo_shadow.shadow.on_delete import OnDelete
from tests.support.book import DOCS, ROOT, names_in, page, rows_of, section
from tools import docs_site, reference

PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / ".github").rglob("*.md")])
TERMINAL_OF_OTHERS = {"--help", "--version"}
LONGEST_README = 150
_LINK = re.compile(r"(?<!!)!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_FILE = re.compile(r"`((?:[A-Za-z.][\w.*-]*/)+[\w.*-]*)`")
PAGES_OF_OTHERS = {"CHANGELOG.md", "edge-functions.md", "former-guide.md", "odoo.md", "schedulers.md", "supabase.md"}
"""They name files that were, Odoo's, and those of a reader's project."""
COMMANDS = reference.commands_of(cli)
_COMMAND = re.compile(r"\bodoo-shadow ((?:init )?[a-z][a-z-]*)((?: +[^\n`#|;&)]*)?)")


# --- what is made from the code


@pytest.mark.parametrize("path", [path for path, _ in reference.pages()], ids=lambda path: path.name)
def test_pages_are_as_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == dict(reference.pages())[path], "run make reference"


# --- the mirrors file


def default_of(kind: type[BaseModel], name: str) -> str:
    value = kind.model_fields[name].default
    if value is PydanticUndefined or value in ((), {}, None):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def told_in(*headings: str) -> dict[str, str]:
    """Return the settings of the mirrors file below some headings, and their defaults."""
    text = page("reference/mirrors-file.md")
    return {cells[0].strip("`"): cells[1] for heading in headings for cells in rows_of(section(text, heading))}


def test_the_page_has_every_setting_of_a_mirror_and_its_default() -> None:
    fields = MirrorConfig.model_fields
    wanted = {fields[name].alias or name: default_of(MirrorConfig, name) for name in fields if name != "name"}
    assert told_in("## Settings of a mirror", "## Settings of the DAGs") == wanted


def test_the_page_has_every_setting_of_a_model_and_its_default() -> None:
    assert told_in("## Settings of a model") == {name: default_of(ModelSettings, name) for name in SETTINGS}


# --- types of columns


def test_the_page_gives_every_type_its_column() -> None:
    told: dict[str, str] = {}
    with_digits: dict[str, str] = {}
    for names, column in rows_of(section(page("reference/tables.md"), "### Types")):
        (made,) = re.findall(r"^`([^`]+)`", column)
        for name, digits in re.findall(r"`(\w+)`( with `digits`)?", names):
            (with_digits if digits else told)[name] = made
    stored = {name: item for name, item in FIELD_TYPES.items() if item.column is not None}
    assert told == {name: str(item.column) for name, item in stored.items()}
    assert with_digits == {name: str(item.with_digits) for name, item in stored.items() if item.with_digits}


def test_the_page_has_every_mode_of_deletion() -> None:
    told = section(page("explanation/deletions.md"), "## What happens to rows that are gone")
    assert names_in(told) == [str(mode) for mode in OnDelete]


# --- variables


def test_the_page_has_every_variable_of_the_command_line() -> None:
    used = {str(item.envvar) for command in COMMANDS.values() for item in command.params if item.envvar}
    # Which no option takes: other users of a machine can see options.
    assert set(names_in(section(page("reference/environment.md"), "## Command line"))) == {*used, MCP_TOKEN}


def test_the_page_has_every_variable_of_tests_and_tools() -> None:
    name = re.compile(r"\bODOO_(?:SHADOW|STAND|TEST)_[A-Z_]+\b")
    readers = [ROOT / "Makefile", *(path for folder in ("tools", "tests") for path in (ROOT / folder).rglob("*.py"))]
    used = {found for path in readers if path != Path(__file__) for found in name.findall(path.read_text("utf-8"))}
    of_functions = names_in(section(page("reference/environment.md"), "## Edge Functions"))
    assert set(names_in(section(page("reference/environment.md"), "## Demo, tests and tools"))) == used - {
        *of_functions
    }


def test_the_page_has_every_variable_of_the_edge_functions() -> None:
    functions = ROOT / "engine" / "odoo_shadow" / "starter" / "supabase" / "functions"
    sources = [path.read_text("utf-8") for path in functions.rglob("*.ts")]
    name = r"(?:AIRFLOW|GITHUB|ODOO_SHADOW|OPS_JOB_WORKER|SUPABASE)_[A-Z_]+"
    used = {found for text in sources for found in re.findall(rf'"({name})"', text)}
    rows = rows_of(section(page("reference/environment.md"), "## Edge Functions"))
    assert {cells[0].strip("`") for cells in rows} == used


# --- commands that pages show


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    shown = "\n".join([*_FENCE.findall(text), *_CODE.findall(text)])
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for target in re.findall(r"\bmake ([a-z]+)", shown):
        assert target in targets, f"make {target}"
    if path.name == "CHANGELOG.md":
        return  # it names what there was
    for name, rest in _COMMAND.findall(shown):
        if name in COMMANDS:
            options = {option for item in COMMANDS[name].params for option in item.opts} | TERMINAL_OF_OTHERS
            assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options, f"odoo-shadow {name}{rest}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lists_in_lists_are_lists_on_the_site(path: Path) -> None:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"^ {1,3}([-*]|\d+\.) ", text, re.MULTILINE), "indent it by four spaces"


# --- links


def anchor_of(heading: str) -> str:
    """Return what MkDocs and repositories make of a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", plain))


@cache
def anchors(path: Path) -> frozenset[str]:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return frozenset(anchor_of(found) for found in re.findall(r"^#+ (.+)$", text, re.MULTILINE))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = _CODE.sub("", _FENCE.sub("", path.read_text(encoding="utf-8")))
    for link in _LINK.finditer(text):
        target, _, anchor = link["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), link["target"]
        assert not anchor or there.suffix != ".md" or anchor in anchors(there), link["target"]


@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if path.name not in PAGES_OF_OTHERS],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_files_that_are_named_exist(path: Path) -> None:
    places = (ROOT, ROOT / "engine", ROOT / "engine" / "odoo_shadow", ROOT / "odoo_stand_in")
    for named in _FILE.findall("\n".join(_CODE.findall(_FENCE.sub("", path.read_text(encoding="utf-8"))))):
        assert any(next(place.glob(named), None) for place in places), named


def test_links_out_of_the_book_are_text_on_the_site() -> None:
    def on_site(place: str, text: str) -> str:
        return docs_site.LINK.sub(lambda link: docs_site.site_link(place, link), text)

    assert on_site("proof.md", "[a list](../engine/setup.cfg)") == "a list"
    assert (
        on_site("how-to/query.md", "[the proof](../proof.md#what-a-run-does)")
        == "[the proof](../proof.md#what-a-run-does)"
    )
    assert on_site("contributing.md", "[the proof](docs/proof.md)") == "[the proof](proof.md)"
    assert on_site("how-to/query.md", "[changes](../../CHANGELOG.md)") == "[changes](../changelog.md)"
    assert on_site("index.md", "[gone](gone.md)") == "[gone](gone.md)"  # for MkDocs to complain of
    assert on_site("index.md", "[Odoo](https://www.odoo.com)") == "[Odoo](https://www.odoo.com)"


# --- the repository


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


FORGE = {
    "vendor.github-workflows": sorted((ROOT / ".github/workflows").glob("*.yml")),
    "vendor.github-issue-forms": sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[0-9]*.yml")),
    "vendor.github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
}


@pytest.mark.parametrize("schema", list(FORGE))
def test_files_of_the_forge_are_what_it_takes(schema: str) -> None:
    files = list(map(str, FORGE[schema]))
    assert files
    checked = CliRunner().invoke(check_jsonschema.main, ["--builtin-schema", schema, *files])
    assert checked.exit_code == 0, checked.output


def test_hooks_before_a_commit_run_programs_of_the_lock() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for hook in hooks:
        assert hook["language"] == "system"
        program = hook["entry"].split()[0].removeprefix(".venv/bin/")
        package = {"lint-imports": "import-linter", "python": "pytest"}.get(program, program)
        assert f"\n{package}==" in locked, program


@pytest.mark.parametrize("claims", ["setup.cfg", "engine/setup.cfg"])
def test_the_workflow_tests_every_python_that_is_claimed(claims: str) -> None:
    claimed = re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / claims).read_text(encoding="utf-8"))
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == claimed
