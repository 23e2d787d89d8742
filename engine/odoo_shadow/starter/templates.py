"""Files beside these modules, as they get into a project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from odoo_shadow.starter.files import StarterFile

_STARTER = files("odoo_shadow.starter")
_PLACE = re.compile(r"@@(\w+)@@")
_NOT_FOR_USERS = re.compile(r"__pycache__|.*_test\.ts|.*\.pyc")


def template(path: str, values: Mapping[str, str]) -> str:
    """Return a file's text with each `@@name@@` replaced by its value."""
    text = (_STARTER / path).read_text(encoding="utf-8")
    return _PLACE.sub(lambda found: values[found[1]], text)


def folder(path: str, into: str) -> list[StarterFile]:
    """Return the files of a folder as they are, but for tests.

    :param into: the folder that they get into.
    """
    return [StarterFile(f"{into}/{name}", text) for name, text in sorted(_below(_STARTER / path))]


def _below(place: Traversable) -> Iterator[tuple[str, str]]:
    for item in place.iterdir():
        if _NOT_FOR_USERS.fullmatch(item.name):
            continue
        if item.is_dir():
            yield from ((f"{item.name}/{name}", text) for name, text in _below(item))
        else:
            yield item.name, item.read_text(encoding="utf-8")
