"""How single models are mirrored, where that differs from the default."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from odoo_shadow.mirror.config.complaints import Complaint
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.source.port import Access
from odoo_shadow.source.record_names import DISPLAY_NAME, computed_name
from odoo_shadow.text.given import given
from odoo_shadow.text.nearest import did_you_mean

_OPERANDS = {"&": 2, "|": 2, "!": 1}
_WILD = re.compile(r"[*?\[]")
_KEY = "key "
_FIELD_OR_PATTERN = re.compile(r"([A-Za-z0-9_*?]|\[!?[A-Za-z0-9_-]+\])+")
_MODEL_OR_PATTERN = re.compile(r"([a-z0-9_.*?]|\[!?[a-z0-9_.-]+\])+")
_NAMES = ("name", "complete_name", DISPLAY_NAME)
_Names = tuple[Annotated[str, Field(min_length=1)], ...]


class ModelSettings(BaseModel):
    """How one model is mirrored.

    Names of fields may be patterns, such as `*_iban`, except in `extra_fields` and `allow_fields`.

    :param domain: an Odoo domain; only records that match are mirrored.
    :param exclude_fields: fields to leave out. Values that were mirrored before are removed.
    :param hashed_fields: fields of which only a keyed hash is kept (`hash_secret` of the Odoo connection).
    :param extra_fields: fields that Odoo does not store; every run reads them again, as `write_date` shows no changes.
    :param allow_fields: fields that look like credentials, but are not or are wanted anyway.
    :param all_languages: keep translated fields in every active language, in `<field>__translations`.
    :param all_companies: keep company-dependent fields for every company, in `<field>__companies`.
    :param named_fields: names that must be fields of the model; see `of_this_model`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: tuple[JsonValue, ...] = ()
    exclude_fields: _Names = ()
    hashed_fields: _Names = ()
    extra_fields: _Names = ()
    allow_fields: _Names = ()
    all_languages: bool = False
    all_companies: bool = False
    named_fields: _Names = ()

    @field_validator("domain")
    @classmethod
    def _check_domain(cls, domain: tuple[JsonValue, ...]) -> tuple[JsonValue, ...]:
        missing = 0  # operands that operators still wait for
        for number, term in enumerate(domain, start=1):
            if isinstance(term, str) and term in _OPERANDS:
                missing = max(missing, 1) - 1 + _OPERANDS[term]
            elif isinstance(term, list) and len(term) == 3:
                missing = max(missing, 1) - 1
            else:
                raise ValueError(f"its part {number} is not a condition such as ['active', '=', true]")
        if missing:
            raise ValueError("an operator is not followed by its conditions")
        return domain

    def excludes(self, field: str) -> bool:
        """Say whether a field is left out."""
        return _matches(field, self.exclude_fields)

    def hashes(self, field: str) -> bool:
        """Say whether only a hash of a field is kept."""
        return _matches(field, self.hashed_fields)

    @property
    def hides_names(self) -> bool:
        """Whether the names of some records are not in the shadow, or only as hashes."""
        return bool(self.domain) or any(self.excludes(name) or self.hashes(name) for name in _NAMES)

    def as_text(self) -> str:
        """Return the settings that are not the default as JSON, the same for the same settings."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_text(cls, text: str | None) -> ModelSettings:
        """Return what `as_text` has written."""
        return cls.model_validate_json(text) if text else cls()

    @classmethod
    def parse(cls, model: str, settings: object) -> ModelSettings:
        """Check settings as a person wrote them.

        :raises MirrorConfigurationError: says which is wrong.
        """
        if not isinstance(settings, Mapping):
            raise MirrorConfigurationError(
                f"The settings of {model}: {given(settings)} is not a mapping of settings by name."
            )
        known = {*SETTINGS, _INTERNAL}
        for name in settings:
            if name not in known:
                hint = did_you_mean(str(name), SETTINGS)
                raise MirrorConfigurationError(f"The settings of {model}, {name}: there is no such setting{hint}")
        try:
            parsed = cls.model_validate(dict(settings))
        except ValidationError as error:
            found = Complaint.all_of(error)[0]
            is_given = f" (it is {found.given})" if found.given else ""
            raise MirrorConfigurationError(
                f"The settings of {model}, {found.setting}: {found.wanted}{is_given}."
            ) from None
        parsed.check_names(model)
        return parsed if _INTERNAL in settings else parsed.of_this_model()

    def check_names(self, model: str) -> None:
        """Refuse names that cannot match anything, so that a typing error does not let data through.

        :raises MirrorConfigurationError: one is neither a possible name of a field or model, nor a pattern.
        """
        if not _MODEL_OR_PATTERN.fullmatch(model):
            raise MirrorConfigurationError(
                f"model_settings: '{model}' is not a model's name or pattern; they look like res.partner and sale.*."
            )
        lists = ("exclude_fields", "hashed_fields", "extra_fields", "allow_fields")
        for setting in lists:
            for name in getattr(self, setting):
                if not _FIELD_OR_PATTERN.fullmatch(name):
                    raise MirrorConfigurationError(
                        f"The settings of {model}, {setting}: '{name}' is not a field's name or pattern; they look "
                        "like phone and *_iban, and each is a separate entry."
                    )

    def of_this_model(self) -> ModelSettings:
        """Return the same, where every name that is not a pattern must be a field: a typo would let data through."""
        lists = (*self.exclude_fields, *self.hashed_fields, *self.allow_fields)
        named = (name for name in lists if not _WILD.search(name))
        return self.model_copy(update={"named_fields": tuple(sorted({*self.named_fields, *named}))})

    def united(self, other: ModelSettings) -> ModelSettings:
        """Merge other settings into these: lists are joined; any other value is the other's, if it is set there."""
        merged: dict[str, object] = {}
        for name, value in other.model_dump(exclude_unset=True).items():
            mine = getattr(self, name)
            is_list = isinstance(mine, tuple) and name != "domain"
            merged[name] = tuple(dict.fromkeys((*mine, *value))) if is_list else value
        return self.model_copy(update=merged)


_INTERNAL = "named_fields"
SETTINGS = tuple(name for name in ModelSettings.model_fields if name != _INTERNAL)
"""The settings that a person may write."""

DEFAULT_SETTINGS = ModelSettings()
"""How a model without settings is mirrored."""


def read_as(access: Access, settings: ModelSettings, key_id: UUID | None) -> str:
    """Return what decides which values Odoo gives, and what is kept of them: when it changes, rows are read again.

    :param key_id: the name of the connection's `hash_secret`; None when no run has used it.
    """
    decisive: list[str] = [access.read_as]
    if settings.domain:
        decisive.append(f"domain {json.dumps(settings.domain)}")
    if settings.hashed_fields:
        key = "an unknown key" if key_id is None else f"{_KEY}{key_id}"
        decisive.append(f"hashed {', '.join(settings.hashed_fields)} with {key}")
    return "; ".join(decisive)


def key_in(read_as: str) -> str:
    """Return the name of the key in a text of `read_as`, for a table with hashed fields."""
    return read_as.rpartition(_KEY)[2]


def settings_of(model: str, by_pattern: Mapping[str, ModelSettings]) -> ModelSettings:
    """Return a model's settings: those of every name or pattern that matches it, in the order of the file.

    Names that Odoo computes with texts of other models are left out where those models' names are.
    """
    found = _united(model, by_pattern)
    about = computed_name(model)
    if about is None or DISPLAY_NAME in found.extra_fields:
        return found
    hides = any(_united(other, by_pattern).hides_names for other in about.contains)
    return found.united(ModelSettings(exclude_fields=(DISPLAY_NAME,))) if hides else found


def _united(model: str, by_pattern: Mapping[str, ModelSettings]) -> ModelSettings:
    found = ModelSettings()
    for pattern, settings in by_pattern.items():
        if fnmatchcase(model, pattern):
            found = found.united(settings.of_this_model() if pattern == model else settings)
    return found


def unmatched_patterns(settings: Mapping[str, ModelSettings], fields: Mapping[str, Collection[str]]) -> list[str]:
    """Return warnings about patterns of `exclude_fields` and `hashed_fields` that match no field of their models.

    Such a pattern protects nothing, for example when a field has another name in a newer Odoo.

    :param settings: by model.
    :param fields: names of fields, by model; models that are missing here are not checked.
    """
    having: dict[tuple[str, str], list[str]] = {}
    for model in settings.keys() & fields.keys():
        for setting in ("exclude_fields", "hashed_fields"):
            for pattern in getattr(settings[model], setting):
                having.setdefault((setting, pattern), []).append(model)
    return [
        f"{setting}: '{pattern}' matches no field of {_some(sorted(models))}, so it protects nothing"
        for (setting, pattern), models in sorted(having.items())
        if not any(fnmatchcase(name, pattern) for model in models for name in fields[model])
    ]


def _some(models: list[str]) -> str:
    return models[0] if len(models) == 1 else f"the {len(models)} models that have it in this run"


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
