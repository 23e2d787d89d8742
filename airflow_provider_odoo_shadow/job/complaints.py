"""What is wrong with a setting that a person wrote, in words that fit what they wrote it in."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from airflow_provider_odoo_shadow.text.given import given

_WANTED = {
    "int_parsing": "it must be a whole number",
    "int_type": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_parsing": "it must be a number",
    "float_type": "it must be a number",
    "bool_parsing": "it must be true or false",
    "bool_type": "it must be true or false",
    "string_type": "it must be a text",
    "string_too_short": "it must not be empty",
    "string_too_long": "it is too long",
    "tuple_type": "it must be a list",
    "dict_type": "it must be settings by name",
    "model_type": "it must be settings by name",
}
_READS_YES_AS_TRUE = ", and YAML reads yes, no, on and off as true and false: write it in quotes"


@dataclass(frozen=True)
class Complaint:
    """The first thing that is wrong.

    :param place: where it stands.
    :param given: what kind of value stands there.
    :param wanted: what it must be, without a full stop.
    """

    place: tuple[str | int, ...]
    given: str
    wanted: str

    @property
    def setting(self) -> str:
        """The setting's name, with those that it stands in."""
        return ".".join(map(str, self.place)) or "settings"

    @classmethod
    def of(cls, error: ValidationError) -> Complaint:
        """Read what pydantic found."""
        first = error.errors(include_url=False)[0]
        return cls(first["loc"], given(first["input"]), _wanted(first))


def _wanted(error: ErrorDetails) -> str:
    kind, value = error["type"], error["input"]
    wanted = _WANTED.get(kind)
    if kind == "tuple_type" and isinstance(value, str):
        return f"{wanted}: put [ ] around it"
    if kind == "string_type" and isinstance(value, bool):
        return f"{wanted}{_READS_YES_AS_TRUE}"
    return wanted or error["msg"].removeprefix("Value error, ").removesuffix(".")
