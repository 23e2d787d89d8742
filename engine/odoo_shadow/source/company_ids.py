"""Companies by their ids, as people and forms write them."""

from __future__ import annotations

from collections.abc import Sequence

WANTED = "company ids, such as 1,3"


def read_company_ids(value: object) -> tuple[int, ...]:
    """Read ids, the main company's first; none for all companies.

    :raises ValueError: they are not ids.
    """
    if value is None or value == "":
        return ()
    parts: Sequence[object]
    if isinstance(value, str):
        parts = [part for part in value.strip(" []").split(",") if part.strip()]
    else:
        parts = value if isinstance(value, list | tuple) else [value]
    ids = tuple(int(str(part)) for part in parts)
    # A text of nothing but commas would mean all companies.
    if any(item < 1 for item in ids) or (not ids and value not in ([], (), "[]")):
        raise ValueError(WANTED)
    return ids
