"""What the document of a model's records shows, as the project's own templates and the mirrors file say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from odoo_shadow.mirror.config.complaints import Complaint
from odoo_shadow.mirror.config.yaml_file import Place
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.text.given import given
from odoo_shadow.text.nearest import did_you_mean

MODEL_LABEL = "_model"
"""In a title, the model's label stands for it: `Sales Order`."""

_PATH = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,3}$"
_MOST = 60
FieldPath = Annotated[str, Field(pattern=_PATH, max_length=250)]
"""A field, or one of a record that a field points to: `partner_id.email`."""
_Paths = Annotated[tuple[FieldPath, ...], Field(max_length=_MOST)]


def _choices(value: JsonValue) -> JsonValue:
    if not isinstance(value, dict):
        return value
    found: dict[str, JsonValue] = {}
    for path, wanted in value.items():
        listed = wanted if isinstance(wanted, list | tuple | bool) else [wanted]
        if not isinstance(listed, bool) and not all(isinstance(item, str | int) for item in listed):
            raise ValueError(f"{path} must be a list of values, true for any value, or false for none")
        found[path] = listed if isinstance(listed, bool) else list(listed)
    return found


_Scalar = Annotated[StrictBool | StrictStr | StrictInt, Field(union_mode="left_to_right")]
Only = Annotated[
    dict[FieldPath, Annotated[bool | tuple[_Scalar, ...], Field(union_mode="left_to_right")]], BeforeValidator(_choices)
]
"""Which records count, by field: the values that it may have; true for any, false for none, or a boolean's value."""


class LinesTemplate(BaseModel):
    """The records of another model that belong to a document, such as an order's lines.

    :param model: theirs.
    :param by: the field that points to the document's record, over others if need be: `product_id.product_tmpl_id`.
    :param fields: what a line shows.
    :param amounts: fields that are amounts of money, though Odoo declares them as plain numbers.
    :param only: which of them belong to it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1, max_length=250)]
    by: FieldPath
    fields: _Paths
    amounts: _Paths = ()
    only: Only = {}


class DocumentTemplate(BaseModel):
    """What the documents of one model show. Empty, it shows what the catalogue knows of the model.

    :param title: fields; `_model` stands for the model's label.
    :param fields: what the text shows, in this order.
    :param names: names and codes, which people misspell.
    :param amounts: fields that are amounts of money, though Odoo declares them as plain numbers.
    :param date: when it happened, for searches by time.
    :param state: the field with its state.
    :param only: which records have documents.
    :param lines: records of other models that belong to it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: _Paths = ()
    fields: _Paths = ()
    names: _Paths = ()
    amounts: _Paths = ()
    date: FieldPath | None = None
    state: FieldPath | None = None
    only: Only = {}
    lines: Annotated[tuple[LinesTemplate, ...], Field(max_length=10)] = ()

    @classmethod
    def parse(cls, model: str, settings: object) -> Self:
        """Check a template as a person wrote it.

        :raises MirrorConfigurationError: says what is wrong.
        """
        if not isinstance(settings, dict):
            raise MirrorConfigurationError(f"The document template of {model}: {given(settings)} is not a mapping.")
        for place, hint in unknown_settings(settings):
            raise MirrorConfigurationError(
                f"The document template of {model}: there is no setting '{'.'.join(map(str, place))}'{hint}"
            )
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            raise MirrorConfigurationError(f"The document template of {model}, {Complaint.all_of(error)[0]}.") from None

    def as_text(self) -> str:
        """Return it as JSON, the same for the same template."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what `as_text` has written."""
        return cls.model_validate_json(text)


def unknown_settings(settings: object) -> Iterator[tuple[Place, str]]:
    """Yield where a template has settings that there are not, each with what may have been meant."""
    if not isinstance(settings, dict):
        return
    for name in settings:
        if name not in DocumentTemplate.model_fields:
            yield (name,), did_you_mean(str(name), DocumentTemplate.model_fields)
    lines = settings.get("lines")
    for number, item in enumerate(lines if isinstance(lines, list) else ()):
        for name in item if isinstance(item, dict) else ():
            if name not in LinesTemplate.model_fields:
                yield ("lines", number, name), did_you_mean(str(name), LinesTemplate.model_fields)
