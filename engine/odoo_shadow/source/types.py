"""The value types that Odoo's API exchanges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""What a call answers: JSON, or its XML-RPC equivalent."""

Record: TypeAlias = dict[str, Json]
"""One record as `search_read` gives it: field name to value, always with `id`."""

Argument: TypeAlias = "Mapping[str, Argument] | Sequence[Argument] | str | int | float | bool | None"
"""What a call takes. Tuples are welcome: they travel as lists."""

Domain: TypeAlias = Sequence[Argument]
"""An Odoo search domain, such as `[("id", ">", 7)]`."""

Context: TypeAlias = Mapping[str, Argument]
"""An Odoo context, such as `{"active_test": False}`."""
