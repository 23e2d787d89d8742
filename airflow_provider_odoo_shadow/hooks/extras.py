"""The extras of an Airflow connection, of which none is ignored.

Airflow itself takes extras that are no JSON for none at all, and of two equal names the last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

_PREFIX = "extra__"
_WHOLE = "__extra__"
"""The name under which Airflow keeps extras in a connection's URI that are not plain texts."""


class ExtrasError(ValueError):
    """What is wrong with the extras, as the second half of a sentence."""


def read_extras(given: str | None, conn_type: str) -> dict[str, object]:
    """Read the extras of a connection; names of old forms (`extra__odoo__verify`) are accepted, too.

    :raises ExtrasError: they are no JSON object, or one stands twice.
    """
    if not given or not given.strip():
        return {}
    try:
        document = json.loads(given, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ExtrasError(f"the extras are not JSON ({error.msg} in line {error.lineno}): correct them") from None
    except RecursionError:
        raise ExtrasError("the extras are nested too deeply") from None
    if not isinstance(document, dict):
        raise ExtrasError("the extras must be a JSON object, such as {}")
    whole = document.get(_WHOLE)
    if set(document) == {_WHOLE} and isinstance(whole, str):
        return read_extras(whole, conn_type)
    return _once([(_plain(name, conn_type), value) for name, value in document.items()])


def _plain(name: str, conn_type: str) -> str:
    return name.removeprefix(f"{_PREFIX}{conn_type}__")


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if found.get(name) not in (None, "", value) and value not in (None, ""):
            raise ExtrasError(f"{name} appears twice in the extras: keep one")
        if name not in found or value not in (None, ""):
            found[name] = value
    return found
