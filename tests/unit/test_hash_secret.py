"""Which keys of hashed fields are taken: no weak one."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import pytest

from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.errors import OdooConfigurationError

pytestmark = pytest.mark.attack

WEAK = [
    "a",
    "hunter2",
    "1234567890123456",
    "passwordpassword",
    "PasswordPassword1234",
    "Password1234!Password1234!",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjklzxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "abcdefghijklmnopqrstuvwxyz",
    "AbCdEfGhIjKlMnOpQrStUvWxYz",
    "zyxwvutsrqponmlkjihgfedcba",
    "0123456789abcdef0123456789abcdef",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
    "abcabcabcabcabcabcabcabcabc",
    "summer-2024 summer-2024 summer-2024",
    "odoo-shadow-secret",
    "                                ",
]


GOOD = {
    "the command's": lambda: secrets.token_hex(32),
    "half of it": lambda: secrets.token_hex(16),
    "as in URLs": lambda: secrets.token_urlsafe(32),
    "a UUID": lambda: str(uuid.uuid4()),
    "a sentence": lambda: "a key that nobody guesses",
    "letters of another script": lambda: "ключ, который никто не угадает",
}


def parse(secret: object) -> OdooConnection:
    return OdooConnection.parse(
        "erp", host="http://localhost", database="d", login="l", password="p", extras={"hash_secret": secret}
    )


@pytest.mark.parametrize("secret", [*WEAK, 1234567890123456789012, ["x"]], ids=str)
def test_a_secret_that_can_be_guessed_is_refused_with_the_cure(secret: object) -> None:
    with pytest.raises(OdooConfigurationError) as raised:
        parse(secret)
    assert str(raised.value) == (
        "Odoo connection 'erp': hash_secret is too easy to guess: make a long random one "
        '(python3 -c "import secrets; print(secrets.token_hex(32))").'
    )


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_a_good_secret_is_taken(make: Any) -> None:
    for _ in range(200):
        secret = make()
        assert parse(secret).hash_secret == secret


def test_no_secret_is_none() -> None:
    assert parse(None).hash_secret is None
    assert parse("").hash_secret is None
