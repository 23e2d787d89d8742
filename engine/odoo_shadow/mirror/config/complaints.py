"""Turns pydantic's errors into messages about the settings of a YAML file or a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from odoo_shadow.text.given import given

_WANTED = {
    "int_parsing": "it must be a whole number",
    "int_type": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_parsing": "it must be a number",
    "float_type": "it must be a number",
    "bool_parsing": "it must be true or false",
    "bool_type": "it must be true or false",
    "string_type": "it must be text",
    "string_too_short": "it must not be empty",
    "string_too_long": "it is too long",
    "tuple_type": "it must be a list",
    "dict_type": "it must be a mapping of settings by name",
    "model_type": "it must be a mapping of settings by name",
}
_OF_A_TEXT = frozenset({"value_error", "string_too_short", "string_too_long", "string_pattern_mismatch", "enum"})
"""Kinds of errors about the content of a text, not about its type."""

_READS_YES_AS_TRUE = ", and YAML reads yes, no, on and off as true and false: write it in quotes"


@dataclass(frozen=True)
class Complaint:
    """One invalid setting.

    :param place: where it is.
    :param given: the kind of the value that was given; None if the kind is right.
    :param wanted: what it must be, without a full stop.
    """

    place: tuple[str | int, ...]
    given: str | None
    wanted: str

    def __str__(self) -> str:
        """Return it in words, without a full stop."""
        return f"{self.setting}{f' is {self.given}' if self.given else ''}: {self.wanted}"

    @property
    def setting(self) -> str:
        """The setting's path, such as `model_settings.res.partner`."""
        return ".".join(map(str, self.place)) or "settings"

    @classmethod
    def all_of(cls, error: ValidationError) -> list[Self]:
        """Read what pydantic found, one error per place; the caller reports unknown names."""
        found: dict[tuple[str | int, ...], Self] = {}
        for item in error.errors(include_url=False):
            if item["type"] == "extra_forbidden":
                continue
            is_of_text = item["type"] in _OF_A_TEXT and isinstance(item["input"], str)
            complaint = cls(item["loc"], None if is_of_text else given(item["input"]), _wanted(item))
            found.setdefault(complaint.place, complaint)
        return list(found.values())


def _wanted(error: ErrorDetails) -> str:
    kind, value = error["type"], error["input"]
    wanted = _WANTED.get(kind)
    if kind == "tuple_type" and isinstance(value, str):
        return f"{wanted}: put [ ] around it"
    if kind == "string_type" and isinstance(value, bool):
        return f"{wanted}{_READS_YES_AS_TRUE}"
    said = error["msg"].removeprefix("Value error, ").removesuffix(".")
    return wanted or said.replace("Input should be", "it must be").replace("String should", "it should")
