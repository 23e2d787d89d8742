"""What `docs/reference/json.md` says of the documents that the commands print."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json.md"


def documented(heading: str) -> set[str]:
    """Return the keys of the table right below a heading."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{heading}\n\n")
    table = rest.partition("\n\n")[0].splitlines()
    return {key for line in table if line.startswith("| `") for key in re.findall(r"`(\w+)`", line.split("|")[1])}
