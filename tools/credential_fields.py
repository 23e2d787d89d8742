"""Measures by which rules fields are left out as credentials, on the names in Odoo's sources or in a model index.

    python -m tools.credential_fields --output docs/credential-fields.md \
        "Odoo 17=/src/odoo17" "Odoo 19=/src/odoo19" "an index=models.json"

Of the sources only names, types, labels and translations of labels are read, and nothing is run. What a person has to
look at, because an earlier table has no verdict on it, is listed on standard error.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from odoo_shadow.mirror.shape.credential_names import credential_in
from odoo_shadow.mirror.shape.secrets import is_secret
from odoo_shadow.source.fields import Field

SOUNDS_LIKE_ONE = re.compile(
    r"pass|pwd|psw|secret|token|key|pin(?![a-z])|auth|cert|otp|salt|hash|signat|cred|seed|session|cookie|bearer|licen"
    r"|hmac|jwt|(?<![a-z])pat(?![a-z])|mfa|2fa|uuid|guid|hook|nonce|challenge|pem|ssl|ssh|api(?![a-z])|csid|crypt"
    r"|_iv$|access|header|mnemonic|fernet|vapid|logi?n|(?<![a-z])(?:tan|sk|ics|sha|dsn|sas)(?![a-z])|ical|combination"
    r"|refresh|connection|master|(?:old|new)_value|json_value|value_text|kwargs|landing|backup",
    re.IGNORECASE,
)
_HOLD_TEXT = {
    "Char": "char",
    "Html": "html",
    "Integer": "integer",
    "Json": "json",
    "Serialized": "serialized",
    "Text": "text",
}
_LABELLED_FIRST = _HOLD_TEXT.keys()
_INTRODUCTION = Path(__file__).parent / "credential_fields.md"
_ROW = re.compile(r"^\| `(\w+)` \|")
_LABEL_OF_FIELD = re.compile(r"model:ir\.model\.fields,field_description:\w+\.field_\w+?__(\w+)")
_PO_TEXT = r'^{} (".*"(?:\n".*")*)'


@dataclass(frozen=True, order=True)
class Named:
    """A field, as a source declares it."""

    name: str
    type: str
    model: str
    label: str = ""
    related: str = ""

    @property
    def rule(self) -> str | None:
        """By which rule it is left out, None when it is not."""
        return is_secret(self.model, Field(self.name, self.type, label=self.label, related=self.related or None))


def main() -> None:
    """Write the table, and say what is new in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="NAME=PATH", help="a folder of Odoo sources, or a model index")
    parser.add_argument("--output", type=Path, help="the table; printed when not given")
    arguments = parser.parse_args()
    sources = {name: Path(path) for name, _, path in (given.partition("=") for given in arguments.sources)}
    found = {name: sorted(set(read(path))) for name, path in sources.items()}
    known = set(verdicts(arguments.output)) if arguments.output and arguments.output.exists() else set()
    text = document(found, translations(path for path in sources.values() if path.is_dir()))
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    new = sorted({item.name for items in found.values() for item in items if is_of_interest(item)} - known)
    sys.stderr.write(f"To be looked at, as no table had them before: {', '.join(new) or 'nothing'}\n")


def verdicts(table: Path) -> Iterator[str]:
    """Yield the names on which a table has a verdict."""
    for line in table.read_text(encoding="utf-8").splitlines():
        row = _ROW.match(line)
        yield from [row[1]] if row else re.findall(r"^- `(\w+)`", line)


def read(path: Path) -> Iterator[Named]:
    """Yield the fields of a folder of sources or of a model index that may hold text or a whole number."""
    if path.is_dir():
        for file in sorted(path.rglob("*.py")):
            if "tests" not in file.parts:
                yield from read_source(file.read_text(encoding="utf-8", errors="replace"))
        return
    for model in json.loads(path.read_bytes())["models"]:
        for field in model["fields"]:
            if field["type"] in _HOLD_TEXT:
                yield Named(field["name"], _HOLD_TEXT[field["type"]], model["name"], related=field.get("related") or "")


def read_source(text: str) -> Iterator[Named]:
    """Yield the fields that a Python file declares: `name = fields.Char("Label", …)` in a class with a model's name."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            model = _model(node)
            for item in node.body:
                field = _field(item, model)
                if field is not None:
                    yield field


def _model(node: ast.ClassDef) -> str:
    names: dict[str, str] = {}
    for item in node.body:
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            value = item.value
            first = value.elts[0] if isinstance(value, ast.List | ast.Tuple) and value.elts else value
            names[item.targets[0].id] = _text(first)
    return names.get("_name") or names.get("_inherit") or "?"


def _field(item: ast.stmt, model: str) -> Named | None:
    if not (
        isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name) and isinstance(item.value, ast.Call)
    ):
        return None
    call, made_by = item.value, item.value.func
    is_field = (
        isinstance(made_by, ast.Attribute) and isinstance(made_by.value, ast.Name) and made_by.value.id == "fields"
    )
    if not is_field or not isinstance(made_by, ast.Attribute) or made_by.attr not in _HOLD_TEXT:
        return None
    given = {word.arg: word.value for word in call.keywords}
    label = given.get("string", call.args[0] if call.args and made_by.attr in _LABELLED_FIRST else None)
    name, kind = item.targets[0].id, _HOLD_TEXT[made_by.attr]
    return Named(name, kind, model, _text(label), _text(given.get("related")))


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def translations(folders: Iterable[Path]) -> tuple[int, int, int]:
    """Count languages, translations of labels that say it in English, and those among them that say it themselves."""
    languages, all_of_them, said = set(), 0, 0
    for folder in folders:
        for file in folder.rglob("i18n/*.po"):
            for block in file.read_text(encoding="utf-8", errors="replace").split("\n\n"):
                label, translation = _po_text(block, "msgid"), _po_text(block, "msgstr")
                names = _LABEL_OF_FIELD.findall(block) if label and translation else []
                if any(credential_in(name) for name in names) and credential_in(label):
                    languages.add(file.stem)
                    all_of_them += 1
                    said += credential_in(translation) is not None
    return len(languages), all_of_them, said


def _po_text(block: str, key: str) -> str:
    found = re.search(_PO_TEXT.format(key), block, re.MULTILINE)
    return "".join(re.findall(r'"(.*)"', found[1])) if found else ""


def is_of_interest(item: Named) -> bool:
    """Say whether a field is left out, or sounds as if it could be one that should."""
    return item.rule is not None or SOUNDS_LIKE_ONE.search(f"{item.name} {item.label}") is not None


def document(found: dict[str, list[Named]], translated: tuple[int, int, int]) -> str:
    """Return the table as Markdown."""
    items = sorted({item for several in found.values() for item in several})
    taken: dict[tuple[str, str, str], set[str]] = {}
    others: dict[str, set[str]] = {}
    for item in items:
        if item.rule is not None:
            taken.setdefault((item.name, item.type, item.rule), set()).add(item.model)
        elif is_of_interest(item):
            others.setdefault(item.name, set()).add(item.model)
    rows = ((name, kind, rule, _listed(models)) for (name, kind, rule), models in sorted(taken.items()))
    lines = [
        _INTRODUCTION.read_text(encoding="utf-8").rstrip(),
        *("", "## Measured", ""),
        *("| names of | fields that may hold a credential by type | left out | sound alike, and are mirrored |",),
        "|---|---:|---:|---:|",
        *(_measured(name, several) for name, several in found.items()),
        *("", f"That makes {len(taken)} kinds of fields left out, and {len(others)} names that sound alike."),
        "Each entry of both lists was decided on: of the second none lets anybody in (credentials missed: 0), of the",
        "first none is business data (false alarms: 0).",
        *(["", _in_other_languages(*translated)] if translated[1] else []),
        *("", "## What is left out, and by which rule", "", "| field | type | rule | models |", "|---|---|---|---|"),
        *(f"| `{name}` | {kind} | {rule} | {models} |" for name, kind, rule, models in rows),
        *("", "## What sounds alike, and is mirrored", ""),
        *(f"- `{name}` of {_listed(models)}" for name, models in sorted(others.items())),
    ]
    return "\n".join(lines) + "\n"


def _measured(name: str, items: list[Named]) -> str:
    out = sum(item.rule is not None for item in items)
    alike = sum(item.rule is None and is_of_interest(item) for item in items)
    return f"| {name} | {len(items):,} | {out:,} | {alike:,} |"


def _in_other_languages(languages: int, labels: int, said: int) -> str:
    return (
        f"Of {labels:,} translations into {languages} languages of labels that say it in English, {said / labels:.0%}\n"
        "say it by themselves; these fields are all known by name as well."
    )


def _listed(models: set[str]) -> str:
    return ", ".join(sorted(models))


if __name__ == "__main__":
    main()
