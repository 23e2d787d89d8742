"""The words of `credential_words.toml`, folded."""

from __future__ import annotations

import hashlib
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

_FILE = "credential_words.toml"
_DOTLESS_I = "\N{LATIN SMALL LETTER DOTLESS I}"
_LETTERS = {"ł": "l", "ø": "o", "ß": "ss", "đ": "d", "ð": "d", _DOTLESS_I: "i", "æ": "ae", "œ": "oe"}


def fold(text: str) -> str:
    """Return a text in lower case, without accents and invisible characters."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (_LETTERS.get(char, char) for char in plain if unicodedata.category(char) not in ("Mn", "Cf"))
    return unicodedata.normalize("NFC", "".join(kept))


@dataclass(frozen=True)
class WeakWord:
    """A word that has other meanings as well.

    :param before: words right before it that give it another meaning.
    :param after: words that may follow it, in addition to those that may follow any.
    :param stands_first: whether an unknown word before it gives it another meaning.
    :param stands_alone: whether any other word gives it another meaning.
    """

    before: frozenset[str]
    after: frozenset[str]
    stands_first: bool
    stands_alone: bool


_text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
_known: Mapping[str, Any] = tomllib.loads(_text)

DIGEST = hashlib.blake2b(_text.encode(), digest_size=4).hexdigest()
"""Changes when the words do."""


def _words(name: str) -> frozenset[str]:
    return frozenset(fold(_known[name]).split())


def _all(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({fold(text) for text in texts}))


def _phrases(name: str) -> frozenset[str]:
    return frozenset(" ".join(word for word in fold(phrase).split() if word not in LINKS) for phrase in _known[name])


LINKS = _words("links")
INSIDE = _all(_words("inside"))
BEGINNINGS = _all(_words("beginnings"))
NOT_THESE = _all(_words("not_these"))
ALONE = _words("alone")
PHRASES = _phrases("phrases")
PHRASES_ALONE = _phrases("phrases_alone")
ONLY_IN_NAMES = _phrases("only_in_names")
NO_PHRASES = _phrases("no_phrases")
ADDRESS_KINDS = _words("address_kinds")
ADDRESSES = _words("addresses")
KEY = frozenset({"key", "keys"})
KEYS = _words("keys")
KEY_ENDINGS = _all(_words("key_endings"))
KEY_KINDS = _words("key_kinds")
SECRET = _all(_words("secret"))
STAGES = _words("stages")
AFTER_KEY = _words("after_key")
NAMES_A_KEY = _words("names_a_key")
PUBLIC = _words("public")
CODES = _words("codes")
CODE_KINDS = _words("code_kinds")
APPROVALS = _words("approvals")
APPROVED = _words("approved")
ON_TAX_DOCUMENTS = _words("on_tax_documents")
TAX_DOCUMENTS = _words("tax_documents")
ABOUT_BEFORE = _words("about_before")
ABOUT_AFTER = _words("about_after")
ABOUT_LAST = _words("about_last")
OTHER_TOKENS = _words("other_tokens")
TOKENS_OF_OTHER = _words("tokens_of_other")
NUMBERS = _words("numbers")
PLACES = _words("places")
NEUTRAL = _words("neutral")
FOOD = _words("food")
POSTAL = _words("postal")
PARTS_OF_ADDRESSES = _words("parts_of_addresses")
POSTCODES = _words("postcodes")
IN_ANY_SCRIPT = {fold(text): text for text in _known["in_any_script"]}
KEYS_IN_ANY_SCRIPT = _all(_known["keys_in_any_script"])
ABOUT_IN_ANY_SCRIPT = _all(_known["about_in_any_script"])
WEAK = {
    word: WeakWord(
        frozenset(fold(about.get("before", "")).split()),
        frozenset(fold(about.get("after", "")).split()),
        bool(about.get("first")),
        bool(about.get("alone")),
    )
    for word, about in _known["weak"].items()
}
