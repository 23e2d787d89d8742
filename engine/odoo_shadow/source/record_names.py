"""How Odoo names the records of its own models, as far as no field tells: the list in `record_names.toml`."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

DISPLAY_NAME = "display_name"

_LIST = "record_names.toml"


@dataclass(frozen=True)
class StoredName:
    """A name that fields of the record make up.

    :param fields: in their order, joined by blanks.
    :param by_company: those of them that differ between companies.
    """

    fields: tuple[str, ...]
    by_company: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ComputedName:
    """A name that Odoo computes when it is asked.

    :param contains: models whose texts are in the name.
    :param rests_on: models whose changes are to be looked for at every run.
    """

    contains: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class _RecordNames:
    stored: Mapping[str, StoredName]
    computed: Mapping[str, ComputedName]
    unread: tuple[str, ...]
    digest: str


def stored_name(model: str) -> StoredName | None:
    """Return the fields that make up the names of a model's records; None if the list does not say."""
    return _listed().stored.get(model)


def computed_name(model: str) -> ComputedName | None:
    """Say what the names of a model's records are about, if they are listed as computed."""
    return _listed().computed.get(model)


def is_name_unread(model: str) -> bool:
    """Say whether nobody looks at the names of a model's records."""
    return any(fnmatchcase(model, pattern) for pattern in _listed().unread)


def names_digest() -> str:
    """Return a text that differs for another list: then tables get other columns."""
    return _listed().digest


@cache
def _listed() -> _RecordNames:
    content = files(__package__).joinpath(_LIST).read_bytes()
    listed = tomllib.loads(content.decode())
    stored: dict[str, StoredName] = {}
    computed: dict[str, ComputedName] = {}
    for item in listed["stored"]:
        name = StoredName(tuple(item["fields"]), frozenset(item.get("by_company", ())))
        stored |= dict.fromkeys(item["models"], name)
    for item in listed["computed"]:
        about = ComputedName(tuple(item.get("contains", ())), tuple(item.get("rests_on", ())))
        computed |= dict.fromkeys(item["models"], about)
    unread = tuple(pattern for item in listed["unread"] for pattern in item["models"])
    return _RecordNames(stored, computed, unread, hashlib.blake2b(content, digest_size=4).hexdigest())
