"""Reads a YAML file without losing or changing anything silently, and keeps the line of each value.

YAML itself lets the last of two equal keys win, reads `yes` as true, `010` as 8 and `1:30` as 90.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from odoo_shadow.mirror.errors import MirrorConfigurationError

Place: TypeAlias = tuple[str | int, ...]
"""The path of a value in a document: keys of mappings and indexes of lists, from outside in."""

_TAG = "tag:yaml.org,2002:"
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
_ODD_NUMBER = re.compile(r"[-+]?0[0-9_]|[-+]?0[bx]|.*:", re.IGNORECASE)
_BARE_EXCLUSION = re.compile(r"(?:[\[,]|^ *-) *![a-z*]", re.MULTILINE)
_MOST_NODES = 100_000
"""Values of a file, including those that aliases repeat."""


@dataclass(frozen=True)
class YamlFile:
    """A file that was read.

    :param lines: the line of each value; for a value of a mapping, that of its key.
    """

    path: Path
    document: object
    lines: Mapping[Place, int]

    def where(self, place: Place = ()) -> str:
        """Return the file and the line of a value, or of the nearest value around it that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path}, line {self.lines[place]}" if place in self.lines else str(self.path)


def read_yaml(path: Path) -> YamlFile:
    """Read a file with one YAML document.

    :raises MirrorConfigurationError: the message says which line is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MirrorConfigurationError(f"{path}: the mirrors cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise MirrorConfigurationError(f"{path}: this is not YAML: {error}.") from None
    reader = _Reader(path)
    try:
        document = reader.read(text)
    except yaml.YAMLError as error:
        raise reader.not_yaml(error, text) from None
    except RecursionError:
        raise MirrorConfigurationError(f"{path}: values are nested too deeply.") from None
    return YamlFile(path, document, reader.lines)


@dataclass
class _Reader:
    path: Path
    lines: dict[Place, int] = field(default_factory=dict)
    _nodes: int = 0
    _open: set[int] = field(default_factory=set)
    _scalars: yaml.SafeLoader = field(default_factory=lambda: yaml.SafeLoader(""))

    def read(self, text: str) -> object:
        documents = [node for node in yaml.compose_all(text, yaml.SafeLoader) if not _is_nothing(node)]
        if len(documents) > 1:
            raise self._wrong(documents[1], "a second document begins here, which would be ignored: keep one")
        return self._value(documents[0], ()) if documents else None

    def not_yaml(self, error: yaml.YAMLError, text: str) -> MirrorConfigurationError:
        """Build the error in one sentence, without quoting the file."""
        position = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        problem = (error.problem or error.context) if isinstance(error, yaml.MarkedYAMLError) else str(error)
        has_bare = "!" in str(problem) or _BARE_EXCLUSION.search(text)
        hint = " Write exclusions in quotes: '!mail.*'." if has_bare else ""
        where = f"{self.path}, line {position.line + 1}" if position is not None else str(self.path)
        return MirrorConfigurationError(f"{where}: this is not YAML: {' '.join(str(problem).split())}.{hint}")

    def _wrong(self, node: yaml.Node, what: str) -> MirrorConfigurationError:
        return MirrorConfigurationError(f"{self.path}, line {_line(node)}: {what}.")

    def _value(self, node: yaml.Node, place: Place) -> object:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise self._wrong(node, f"the file has more than {_MOST_NODES} values, including those that aliases repeat")
        self.lines.setdefault(place, _line(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._wrong(node, "an alias refers to a value that contains it")
        self._open.add(id(node))
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            value: object = [self._value(item, (*place, number)) for number, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            value = self._mapping(node, place)
        else:
            raise self._wrong(node, f"there is no type {node.tag}")
        self._open.discard(id(node))
        return value

    def _scalar(self, node: yaml.ScalarNode) -> object:
        value: object = self._scalars.construct_object(node, deep=True)
        if node.tag in _NUMBERS and _ODD_NUMBER.match(node.value):
            raise self._wrong(node, f"YAML reads {node.value} as {value}: write that, or {node.value!r} in quotes")
        if node.tag == f"{_TAG}timestamp":
            raise self._wrong(node, f"write the date {node.value} in quotes")
        return value

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        lines: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = self._key(key_node), _line(key_node)
            if key in lines:
                raise self._twice(key, (lines[key], line), place)
            lines[key] = line
        merges = [value for key, value in node.value if key.tag == f"{_TAG}merge"]
        found = self._merged(merges[0], place) if merges else {}
        for key_node, value_node in node.value:
            if key_node.tag != f"{_TAG}merge":
                key = self._key(key_node)
                self.lines[(*place, key)] = lines[key]
                value = self._value(value_node, (*place, key))
                self._check_override(key_node, key, found.get(key), value)
                found[key] = value
        return found

    def _key(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            value = node.value if node.tag == f"{_TAG}merge" else self._scalar(node)
            if isinstance(value, str):
                return value
            raise self._wrong(
                node, f"YAML reads the key {node.value} as {value!r}, which is not text: write it in quotes"
            )
        raise self._wrong(node, "a key must be text")

    def _merged(self, node: yaml.Node, place: Place) -> dict[str, object]:
        """Return what `<<` merges in; of several mappings the first wins, as YAML defines it."""
        several = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, object] = {}
        for item in several:
            value = self._value(item, place)
            if not isinstance(value, dict):
                raise self._wrong(item, "<< takes a mapping, such as *common")
            for key in value.keys() & found.keys():
                self._check_override(node, key, value[key], found[key])
            found = {**value, **found}
        return found

    def _check_override(self, node: yaml.Node, key: str, merged: object, value: object) -> None:
        """Refuse a list that overrides one from `<<`: what that one left out would be mirrored."""
        if isinstance(merged, list) and isinstance(value, list) and any(item not in value for item in merged):
            raise self._wrong(
                node, f"'{key}' replaces a list that << merges in, whose entries would be ignored: list them all here"
            )

    def _twice(self, key: str, lines: tuple[int, int], place: Place) -> MirrorConfigurationError:
        within = f" in {'.'.join(map(str, place))}" if place else ""
        where = f"lines {lines[0]} and {lines[1]}" if lines[0] != lines[1] else f"line {lines[0]}"
        return MirrorConfigurationError(
            f"{self.path}, {where}: '{key}' is given twice{within}, and only the last would take effect: keep one."
        )


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _is_nothing(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}null" and not node.value)
