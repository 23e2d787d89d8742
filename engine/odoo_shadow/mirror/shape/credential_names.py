"""Whether a name or a label says that a field holds a credential.

A text is taken apart into folded words, and these are compared with those of `credential_words.toml`: digits, prefixes
such as `x_studio_`, capital letters inside, accents and words written together do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from odoo_shadow.mirror.shape import credential_words as known
from odoo_shadow.mirror.shape.credential_words import fold

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"[a-z]{0,20}tokens?")
_TEXTS_ONLY = re.compile(
    r"token|jeton|zeton|credential|secret|key|jwt|hmac|salt|dsn|csid|pfx|pem|hook|bearer|hash|cookie|url|uri$|json|data"
    r"|session|account|mnemonic|nonce|vapid|fernet|identifiants"
)
_UNIT = re.compile(r"%|(?<![a-z])(?:[km]g|g)(?=\s*[/)%]|\s*$|\s+(?:per|pro|pr|par|por)(?![a-z]))")
"""A unit of weight: beside it, salt is food."""
_REPLACED = {
    re.compile(r"(?=[a-f]*\d)[0-9a-f]{12,}"): " ",  # what Odoo calls properties by: nobody has chosen it
    re.compile(r"2[ _-]?fa(?![a-z])|two[ _-]?factor"): " mfa ",
    re.compile(r"p12(?!\d)"): " pfx ",
    _UNIT: " grams ",
}
_DISGUISED = re.compile(r"[^\s_.\-]*[a-z][@$01345!]{1,3}[a-z][^\s_.\-]*")
_DISGUISES = str.maketrans("@$01345!", "asoieasi")
_LONGEST_TEXT = 300
"""Characters that are checked; names have at most 63, and nobody writes longer labels."""
_LONGEST_PHRASE = 3
_LONGEST_COMPOUND = 40
_KEPT = 50_000
"""Texts whose result is cached; an Odoo with 300 models has some 15,000 names and labels."""

_BESIDE_A_KEY = known.NEUTRAL | known.STAGES
_BESIDE_A_WEAK_ONE = known.NEUTRAL | known.PLACES
_CORES = (
    frozenset({"pass", "pin", "pwd", "psw", "pw", "secret", "token", "otp", "salt", "code"}) | known.KEY | known.KEYS
)
_VOCABULARY = frozenset(
    word
    for word in known.PLACES | known.NEUTRAL | known.KEY_KINDS | known.CODE_KINDS | known.ALONE | _CORES
    if len(word) > 2 or word in ("db", "pg", "my", "pw")
) | {"hash", "iv", "id", "url"}
"""The parts of words that were written together."""


@dataclass(frozen=True)
class Hit:
    """The credential that a text names.

    :param words: the words that name it, folded.
    :param may_be_number: whether such a credential may be a whole number: a PIN is, a token is not.
    """

    words: str
    may_be_number: bool


def credential_in(text: str) -> Hit | None:
    """Find the words of a name or a label that mean a credential; None if there are none."""
    return _credential_in_text(text[:_LONGEST_TEXT])


@lru_cache(maxsize=_KEPT)
def _credential_in_text(text: str) -> Hit | None:
    folded = fold(" ".join(map(_apart, text.split())))
    words = words_of(folded)
    for start in range(len(words)):
        end = _end_of_hit(words, start)
        if end is not None and not _is_on_tax_documents(words, start, end):
            return Hit(" ".join(words[start:end]), _may_be_number(words, start, end))
    return _in_disguise(folded) or _in_any_script(folded)


def _apart(word: str) -> str:
    """Split a word at its capitals, unless they are distributed at random."""
    parts = _CAMEL.split(word)
    return word if len(parts) * 2 >= len(word) else " ".join(parts)


def _in_disguise(folded: str) -> Hit | None:
    """Find a word with signs or digits instead of letters: `P@ssw0rd`."""
    for found in _DISGUISED.findall(folded):
        word = found.translate(_DISGUISES)
        if _is_plain(word):
            return Hit(word, may_be_number=True)
    return None


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text, without those that only link others; compounds are split."""
    for pattern, word in _REPLACED.items():
        folded = pattern.sub(word, folded)
    found = (part for word in _WORD.findall(folded) if len(word) > 1 or not word.isascii() for part in _parts(word))
    return [word for word in found if word not in known.LINKS]


def _end_of_hit(words: Sequence[str], start: int) -> int | None:
    """Return where the words of a credential end that begin here."""
    for end in range(start + 2, min(start + _LONGEST_PHRASE, len(words)) + 1):
        if " ".join(words[start:end]) in known.PHRASES and not _is_only_about(words, start, end):
            return end
        if " ".join(words[start:end]) in known.PHRASES_ALONE and {*words[:start], *words[end:]} <= known.NEUTRAL:
            return end
    pairs = {" ".join(words[max(0, start - 1) : start + 1]), " ".join(words[start : start + 2])}
    if pairs & known.NO_PHRASES:
        return None
    if _is_plain(words[start]):
        return None if _is_other_token(words, start) or _is_only_about(words, start, start + 1) else start + 1
    if _is_code(words, start) or _is_address(words, start):
        return start + 2
    return start + 1 if _is_weak(words, start) else _end_of_key(words, start)


def _is_plain(word: str) -> bool:
    """Say whether a word means a credential wherever it stands."""
    if word.startswith(known.NOT_THESE):
        return False
    is_word = word in known.ALONE or word.startswith(known.BEGINNINGS) or _TOKEN.fullmatch(word) is not None
    return is_word or any(part in word for part in known.INSIDE)


def _is_other_token(words: Sequence[str], start: int) -> bool:
    """Say whether a token is part of a text or of a design, or a currency."""
    before, after = {*words[max(0, start - 1) : start]}, {*words[start + 1 : start + 2]}
    return words[start].startswith("token") and bool(before & known.OTHER_TOKENS or after & known.TOKENS_OF_OTHER)


def _is_only_about(words: Sequence[str], start: int, end: int) -> bool:
    """Say whether the words around those of a credential say that the field is only about one."""
    before = {words[0], words[start - 1]} if start else set()
    after, last = (words[end], words[-1]) if end < len(words) else ("", "")
    return bool(before & known.ABOUT_BEFORE) or after in known.ABOUT_AFTER or last in known.ABOUT_LAST


def _end_of_key(words: Sequence[str], start: int) -> int | None:
    """Return where a key ends that begins here with its kind or itself: `api_key`, `cle_secrete`, `stripe_live_key`."""
    place = start
    if words[start] in known.KEY_KINDS:
        place = next((at for at in range(start + 1, len(words)) if words[at] not in _BESIDE_A_KEY), start)
    is_english, is_foreign = words[place] in known.KEY, _is_foreign_key(words[place])
    if not (is_english or is_foreign) or _is_only_about(words, place, place + 1):
        return None
    others, after = {*words}, {*words[place + 1 : place + 2]}
    if known.NAMES_A_KEY & (others if is_foreign else after) or known.PUBLIC & {*words[max(0, place - 1) : place + 3]}:
        return None
    follows = known.AFTER_KEY if is_english else known.KEY_KINDS
    if after & follows or (is_foreign and any(other.startswith(known.SECRET) for other in after)):
        return place + 2
    is_secret = is_foreign and ("api" in others or any(other.startswith(known.SECRET) for other in others))
    return place + 1 if place > start or is_secret else None


def _is_foreign_key(word: str) -> bool:
    return word in known.KEYS or word.endswith(known.KEY_ENDINGS)


def _is_code(words: Sequence[str], start: int) -> bool:
    """Say whether a code of some kind begins here: `access_code`, `codigo_secreto`."""
    pair, others = {*words[start : start + 2]}, {*words}
    if len(pair) < 2 or not (known.CODES & pair and known.CODE_KINDS & pair):
        return False
    is_approval = known.APPROVALS & pair and known.APPROVED & others
    return not (is_approval or _is_only_about(words, start, start + 2))


def _is_address(words: Sequence[str], start: int) -> bool:
    """Say whether an address begins here in which a password usually stands: `database_url`."""
    return words[start] in known.ADDRESS_KINDS and bool(known.ADDRESSES & {*words[start + 1 : start + 2]})


def _is_weak(words: Sequence[str], start: int) -> bool:
    """Say whether a word with several meanings means a credential here: `ftp_pass`, but not `pass_criteria`."""
    weak, before, after = known.WEAK.get(words[start]), {*words[:start]}, {*words[start + 1 :]}
    if weak is None or (start and words[start - 1] in weak.before):
        return False
    if known.PLACES & (before | after):
        after -= known.STAGES
    if not after <= _BESIDE_A_WEAK_ONE | weak.after or _is_only_about(words, start, start + 1):
        return False
    if weak.stands_alone:
        return before | after <= known.NEUTRAL
    return not weak.stands_first or before <= _BESIDE_A_WEAK_ONE


def _is_on_tax_documents(words: Sequence[str], start: int, end: int) -> bool:
    return bool(known.ON_TAX_DOCUMENTS & {*words[start:end]} and known.TAX_DOCUMENTS & {*words})


def _may_be_number(words: Sequence[str], start: int, end: int) -> bool:
    said, after = words[start:end], {*words[end:]}
    is_text = any(map(_TEXTS_ONLY.search, said)) and not known.CODES & {*said}
    return not is_text and after <= known.NEUTRAL | known.NUMBERS | known.CODES


def _in_any_script(folded: str) -> Hit | None:
    if folded.isascii() or any(part in folded for part in known.ABOUT_IN_ANY_SCRIPT):
        return None
    found = next((part for part in known.IN_ANY_SCRIPT if part in folded), None)
    if found is not None:
        return Hit(known.IN_ANY_SCRIPT[found], may_be_number=True)
    key = next((key for key in known.KEYS_IN_ANY_SCRIPT if "api" in folded and key in folded), None)
    return Hit(f"api {key}", may_be_number=False) if key is not None else None


@lru_cache(maxsize=_KEPT)
def _parts(word: str) -> tuple[str, ...]:
    """Split words that were written together, such as `smtppass`, as far as all of their parts are known."""
    if word in _VOCABULARY or len(word) > _LONGEST_COMPOUND or _is_plain(word):
        return (word,)
    best: list[tuple[str, ...] | None] = [(), *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start in range(end):
            head, shortest = best[start], best[end]
            is_shorter = head is not None and (shortest is None or len(head) + 1 < len(shortest))
            if head is not None and is_shorter and word[start:end] in _VOCABULARY:
                best[end] = (*head, word[start:end])
    found = best[-1]
    return found if found and _CORES & {*found} else (word,)
