"""Writes files into somebody's project, and never over what a person has changed there.

What was written is remembered in one small file of the project, by the digest of each text. A file whose text still is
what was written may be replaced by a newer generation; one that differs is kept, and reported. The options that were
given are remembered there, too: the next generation takes them where it is given none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from odoo_shadow.mirror.errors import MirrorConfigurationError

RECORD = ".odoo-shadow-init.json"
"""The file that says what was written, relative to the project; it belongs into version control."""


@dataclass(frozen=True)
class StarterFile:
    """A file to write.

    :param path: relative to the project, with `/`.
    """

    path: str
    text: str


class Ending(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    RENEWED = "renewed"
    UNCHANGED = "unchanged"
    KEPT = "kept"


def write_files(project: Path, wanted: Iterable[StarterFile], *, force: bool) -> list[tuple[StarterFile, Ending]]:
    """Write files that are missing, and renew those that nobody has changed.

    :param force: also replace what somebody has changed.
    :raises MirrorConfigurationError: something cannot be read or written; files before it have been written.
    """
    record = _read_record(project)
    endings = []
    for file in wanted:
        ending = _ending(project / file.path, file, record.written.get(file.path), force=force)
        if ending in (Ending.WRITTEN, Ending.RENEWED):
            _write(project / file.path, file.text)
        if ending is not Ending.KEPT:
            record.written[file.path] = _digest(file.text)
        endings.append((file, ending))
    _write_record(project, record)
    return endings


def write_new(project: Path, wanted: Iterable[StarterFile]) -> list[tuple[StarterFile, Ending]]:
    """Write files of names that nothing has yet.

    :raises MirrorConfigurationError: something cannot be written.
    """
    endings = []
    for file in wanted:
        _write(project / file.path, file.text)
        endings.append((file, Ending.WRITTEN))
    return endings


def _ending(path: Path, file: StarterFile, written: str | None, *, force: bool) -> Ending:
    there = _read(path)
    if there is None:
        return Ending.WRITTEN
    if _digest(there) == _digest(file.text):
        return Ending.UNCHANGED
    return Ending.RENEWED if force or _digest(there) == written else Ending.KEPT


def _digest(text: str) -> str:
    """Return the digest of a text; line ends do not count, since version control may change them."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MirrorConfigurationError(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise MirrorConfigurationError(f"{path} cannot be written: {error.strerror}.") from None


@dataclass(frozen=True)
class _Record:
    """What the project's record holds.

    :param written: the digests of the texts, by path.
    :param options: the options that were given last, by what was written with them.
    """

    written: dict[str, str] = field(default_factory=dict)
    options: dict[str, dict[str, str]] = field(default_factory=dict)


def recall_options(project: Path, what: str, given: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return options; those that are not given are as they were given last.

    :param what: what is written with them.
    :raises MirrorConfigurationError: the record cannot be read.
    """
    last = _read_record(project).options.get(what, {})
    return {name: last.get(name) if value is None else value for name, value in given.items()}


def remember_options(project: Path, what: str, options: Mapping[str, str | None]) -> None:
    """Remember options for the next generation. Raises `MirrorConfigurationError`."""
    record = _read_record(project)
    record.options[what] = {name: value for name, value in options.items() if value is not None}
    _write_record(project, record)


def _read_record(project: Path) -> _Record:
    text = _read(project / RECORD)
    if text is None:
        return _Record()
    try:
        document = json.loads(text)
        options = document.get("options", {})
        return _Record(
            {str(path): str(digest) for path, digest in document["written"].items()},
            {str(what): {str(name): str(one) for name, one in items.items()} for what, items in options.items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise MirrorConfigurationError(
            f"{project / RECORD} is not what odoo-shadow init writes: restore it from version control, or delete it; "
            "files that differ from today's are then kept."
        ) from None


def _write_record(project: Path, record: _Record) -> None:
    document = {"written": dict(sorted(record.written.items()))}
    text = f"{json.dumps({**document, 'options': record.options}, indent=2, sort_keys=True)}\n"
    if _read(project / RECORD) != text:
        _write(project / RECORD, text)
