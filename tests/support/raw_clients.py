"""Clients of a server that answers whatever a test wants, and the errors that they end in."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import OdooError

SECRET = "s3cr3t-of-this-test"
ClientTo = Callable[..., OdooClient]
AnyOdooError = TypeVar("AnyOdooError", bound=OdooError)


@contextmanager
def failing_with(kind: type[AnyOdooError], *words: str, name: str = "odoo_raw") -> Iterator[list[AnyOdooError]]:
    """Expect exactly this class, a sentence with these words, and no secret wherever an error can show one."""
    caught: list[AnyOdooError] = []
    with pytest.raises(OdooError) as raised:
        yield caught
    error = raised.value
    assert type(error) is kind, f"{type(error).__name__}: {error}"
    assert isinstance(error, kind)
    for word in (f"'{name}'", *words):
        assert word in str(error)
    shown = str(error) + repr(error) + "".join(traceback.format_exception(error, limit=0))
    assert SECRET not in shown
    assert "\n" not in str(error)
    caught.append(error)
