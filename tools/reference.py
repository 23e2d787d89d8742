"""Writes what pages of docs/reference/ take from the code, between `<!-- code: NAME -->` and `<!-- end of code -->`.

    python -m tools.reference

The tests fail when a page is not as this would write it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import click
import yaml

import odoo_shadow
from airflow_provider_odoo_shadow.get_provider_info import get_provider_info
from odoo_shadow.cli.main import cli
from odoo_shadow.text.errors import ShownError

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "reference"
PROVIDER = ROOT / "airflow_provider_odoo_shadow"

_BLOCK = re.compile(r"(<!-- code: (?P<name>[a-z-]+) -->\n).*?(<!-- end of code -->)", re.DOTALL)
_PARAM = re.compile(r":param (?P<name>\w+): (?P<text>.*?)(?=\n\s*:|\Z)", re.DOTALL)


def main() -> None:
    """Write the pages that are not as they should be."""
    for path, text in pages():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"Wrote {path.relative_to(ROOT)}\n")


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page with a block, and what should stand in it."""
    for path in sorted(PAGES.glob("*.md")):
        found = path.read_text(encoding="utf-8")
        if _BLOCK.search(found):
            yield path, _BLOCK.sub(_filled, found)


def _filled(block: re.Match[str]) -> str:
    lines = "\n".join(_BLOCKS[block["name"]]())
    return f"{block[1]}\n{lines}\n\n{block[3]}"


def _marts() -> Iterator[str]:
    path = ROOT / "engine" / "odoo_shadow" / "marts" / "dbt" / "models" / "marts" / "marts.yml"
    for mart in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
        meta = mart["config"]["meta"]
        uses = f", with {', '.join(meta['uses'])} if mirrored" if meta["uses"] else ""
        yield from (f"## {mart['name']}", "", mart["description"], "", f"Made of {', '.join(meta['needs'])}{uses}.", "")
        yield from ("| column | meaning |", "|---|---|")
        yield from (f"| `{column['name']}` | {column['description']} |" for column in mart["columns"])
        yield ""


def _commands() -> Iterator[str]:
    for name, command in sorted(_cli().items()):
        context = click.Context(command, info_name=f"odoo-shadow {name}", max_content_width=110)
        yield f"## {name}"
        yield ""
        yield from _paragraphs(command.help or "")
        if isinstance(command, click.Group):
            continue
        yield f"Connections: {' and '.join(_connections(command)) or 'none'}."
        yield ""
        yield "| option | meaning |"
        yield "|---|---|"
        yield from (_row(*_option(item, context)) for item in _options(command) if not item.envvar)
        yield ""


def _connections(command: click.Command) -> Iterator[str]:
    """Name the sides that a command connects to."""
    by_variable = {str(item.envvar): item for item in _options(command) if item.envvar}
    for variable, side in (("ODOO_URL", "Odoo"), ("SUPABASE_DB_URL", "the shadow")):
        if variable in by_variable:
            yield side if by_variable[variable].required else f"{side} (optional)"


def _connection_options() -> Iterator[str]:
    """Yield the options that have a variable, which several commands share."""
    yield "| variable | option | meaning |"
    yield "|---|---|---|"
    listed: set[str] = set()
    for _, command in sorted(_cli().items()):
        context = click.Context(command)
        for item in _options(command):
            if item.envvar and str(item.envvar) not in listed:
                listed.add(str(item.envvar))
                yield _row(f"`{item.envvar}`", *_option(item, context))


def _cli() -> Mapping[str, click.Command]:
    return commands_of(cli)


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """Return the commands of a group by what one types, those of groups in it too."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": item for below, item in commands_of(command).items()}
    return found


def _options(command: click.Command) -> list[click.Option]:
    return [item for item in command.params if isinstance(item, click.Option)]


def _paragraphs(text: str) -> Iterator[str]:
    """Yield a help text as Markdown; what click is told not to wrap stays as it is."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            yield from ("```text", *paragraph.removeprefix("\b").strip("\n").splitlines(), "```")
        else:
            yield from map(_plain, paragraph.splitlines())
        yield ""


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    extra = option.get_help_extra(context)
    notes = [f"default: {extra['default']}"] if "default" in extra else []
    notes += [f"range: {extra['range']}"] if "range" in extra else []
    said = " ".join((option.help or "").split())
    return f"`{', '.join(option.opts)}{metavar}`", _plain(f"{said}  [{'; '.join(notes)}]" if notes else said)


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return re.sub(r"([*<])", r"\\\1", text)


def _errors() -> Iterator[str]:
    yield "| class | kind of | meaning |"
    yield "|---|---|---|"
    for kind in sorted(error_classes(), key=lambda item: (item.__module__, item.__name__)):
        meaning = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
        base = "" if kind.__bases__[0] is ShownError else f"`{kind.__bases__[0].__name__}`"
        yield _row(f"`{kind.__name__}`", base, _plain(" ".join(meaning.split())))


def error_classes() -> set[type[ShownError]]:
    """Return every class of error that the engine raises for people to read."""
    for module in pkgutil.walk_packages(odoo_shadow.__path__, "odoo_shadow."):
        importlib.import_module(module.name)
    found: set[type[ShownError]] = set()
    left: list[type[ShownError]] = [ShownError]
    while left:
        kind = left.pop()
        found |= {kind} if kind.__module__.startswith("odoo_shadow.") and kind is not ShownError else set()
        left += kind.__subclasses__()
    return found


def _odoo_fields() -> Iterator[str]:
    yield "| field | default | meaning |"
    yield "|---|---|---|"
    (connection,) = cast(list[dict[str, Any]], get_provider_info()["connection-types"])
    for name, field in connection["conn-fields"].items():
        default = field["schema"].get("default")
        shown = "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        yield _row(f"`{name}`", shown, _plain(field["description"]))


def _operator() -> Iterator[str]:
    return _arguments(PROVIDER / "transfers" / "odoo_to_postgres.py", "OdooToPostgresOperator")


def _sensor() -> Iterator[str]:
    return _arguments(PROVIDER / "sensors" / "odoo_shadow.py", "OdooShadowFreshSensor")


def _arguments(path: Path, name: str) -> Iterator[str]:
    """Yield the arguments that a class's docstring names; to import the class would take seconds."""
    (documented,) = (
        item
        for item in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(item, ast.ClassDef) and item.name == name
    )
    yield "| argument | meaning |"
    yield "|---|---|"
    for found in _PARAM.finditer(ast.get_docstring(documented) or ""):
        yield _row(f"`{found['name']}`", " ".join(found["text"].split()))


def _row(*cells: str) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


_BLOCKS: dict[str, Callable[[], Iterable[str]]] = {
    "marts": _marts,
    "commands": _commands,
    "connection-options": _connection_options,
    "errors": _errors,
    "odoo-fields": _odoo_fields,
    "operator": _operator,
    "sensor": _sensor,
}

if __name__ == "__main__":
    main()
