"""Chooses the fields of a model that are mirrored, and the columns that they become."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as with_default

from odoo_shadow.mirror.config.model_settings import DEFAULT_SETTINGS, ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.shape.conversions import Convert, by_label, keyed_hash
from odoo_shadow.mirror.shape.field_types import field_type
from odoo_shadow.mirror.shape.record_name import fields_by_company, name_paths, reads_display_name
from odoo_shadow.mirror.shape.secrets import is_secret
from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.descriptions import Description
from odoo_shadow.shadow.names import free_column_name
from odoo_shadow.source.fields import Field
from odoo_shadow.source.reading import COMPANIES, TRANSLATIONS, Labels, Reading, Variant, field_of, variant_key
from odoo_shadow.source.record_names import DISPLAY_NAME
from odoo_shadow.text.nearest import nearest

WRITE_DATE_FIELD = "write_date"

_OWN_PLACE = frozenset({"id", WRITE_DATE_FIELD})


@dataclass(frozen=True)
class FieldColumn:
    """A column and how values get there.

    :param key: where a record has the value: the field's name, or that of its variants.
    :param may_be_copied: a source may give the values as text for COPY.
    """

    key: str
    column: Column
    convert: Convert
    may_be_copied: bool = False


@dataclass(frozen=True)
class Layout:
    """How a model's records become rows.

    :param columns: in the order of the fields' names.
    :param has_write_date: whether changes can be found by `write_date`.
    :param extra: columns of fields that Odoo does not store, whose changes `write_date` does not show.
    :param left_out: fields that are left out on purpose, each with the reason.
    :param unreadable: models that the login cannot read; many2many fields to them are not mirrored.
    :param refused: fields that are left out because Odoo does not return records with them, `not_given` included.
    :param unmirrored: stored fields whose values cannot be mirrored, each with the reason.
    :param settings: how this model is mirrored.
    :param name_paths: where the name of a record is, best first; see `record_name.name_paths`.
    :param not_given: fields whose values the source cannot give, each with the reason.
    :param links: the models that stored fields point to, each to one record, whether the fields are mirrored or not.
    """

    model: str
    columns: tuple[FieldColumn, ...]
    has_write_date: bool
    extra: tuple[FieldColumn, ...] = ()
    variants: tuple[Variant, ...] = ()
    left_out: Mapping[str, str] = with_default(default_factory=dict)
    unreadable: frozenset[str] = frozenset()
    settings: ModelSettings = DEFAULT_SETTINGS
    name_paths: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    unmirrored: Mapping[str, str] = with_default(default_factory=dict)
    not_given: Mapping[str, str] = with_default(default_factory=dict)
    links: Mapping[str, str] = with_default(default_factory=dict)

    @property
    def name_path(self) -> str | None:
        """Where the name of a record is: `name`, `partner_id.name` in an inherited record, `code name` for two."""
        return next(iter(self.name_paths), None)

    @property
    def omitted(self) -> dict[str, str]:
        """All stored fields that are left out, each with the reason; without one2many, which other tables hold."""
        refused = {field_of(key): "Odoo does not return records with it to this login" for key in self.refused}
        return {**self.unmirrored, **refused, **self.not_given, **self.left_out}

    @property
    def all_columns(self) -> tuple[FieldColumn, ...]:
        """The columns of the table, without the project's own."""
        return (*self.columns, *self.extra)

    @property
    def may_be_copied(self) -> bool:
        """Whether a source may give rows as text for COPY: no value has to be hashed or filtered on this side."""
        return self.has_write_date and all(item.may_be_copied for item in self.columns)

    @property
    def variant_labels(self) -> dict[str, list[str]]:
        """The further languages and companies in which some fields are read, by kind; the main one first."""
        found: dict[str, list[str]] = {}
        for item in self.variants:
            found.setdefault(item.kind, []).append(item.label)
        return found

    @property
    def reading(self) -> Reading:
        """The fields, domain and variants to ask Odoo for."""
        keys = {item.key for item in self.columns}
        variants = [_restricted(item, keys) for item in self.variants]
        named = [name for item in variants for name in item.fields]  # the main value stands in the record itself
        varied = {variant_key(name, item.kind) for item in variants for name in item.fields}
        plain = [key for key in dict.fromkeys((*(item.key for item in self.columns), *named)) if key not in varied]
        cursor = [WRITE_DATE_FIELD] if self.has_write_date else []
        used = tuple(item for item in variants if item.fields)
        return Reading(self.model, ("id", *cursor, *plain), self.settings.domain, used)

    def restricted(self, names: Iterable[str], *, cursor: bool = True) -> Layout:
        """Return the layout of some columns only, which may be extra ones.

        :param cursor: False leaves `write_date` out.
        """
        wanted = frozenset(names)
        columns = tuple(item for item in self.all_columns if item.column.name in wanted)
        return replace(self, columns=columns, extra=(), has_write_date=self.has_write_date and cursor)

    def without(self, refused: Collection[str]) -> Layout:
        """Return the layout without fields that Odoo refuses.

        :param refused: their names, or the keys of their variants; without a field there are no variants of it.
        """
        gone = self.refused | frozenset(refused)
        columns, extra = (
            tuple(item for item in some if item.key not in gone and item.column.field not in gone)
            for some in (self.columns, self.extra)
        )
        paths = tuple(path for path in self.name_paths if not gone & {part.partition(".")[0] for part in path.split()})
        return replace(self, columns=columns, extra=extra, name_paths=paths, refused=gone)

    @classmethod
    def of(
        cls,
        model: str,
        fields: Iterable[Field],
        settings: ModelSettings = DEFAULT_SETTINGS,
        *,
        languages: Labels | None = None,
        companies: Labels | None = None,
        hash_secret: str | None = None,
        unreadable: Collection[str] = (),
    ) -> Layout:
        """Choose the fields that are mirrored: stored or company-dependent, but not binary and not credentials.

        :param languages: needed for `settings.all_languages`, as `companies` is for `settings.all_companies` and for
            names that differ between companies.
        :raises MirrorConfigurationError: the settings do not fit the model's fields.
        """
        by_name = {field.name: field for field in sorted(fields, key=lambda field: field.name)}
        _check_settings(model, by_name, settings, hash_secret)
        stored = [field for field in by_name.values() if _is_stored(field) and not _needs(field, unreadable)]
        reasons = {name: _why_left_out(model, field, settings, by_name) for name, field in by_name.items()}
        secret = {name for name, why in reasons.items() if why is not None}
        not_given = {f.name: f.why_not_given for f in by_name.values() if f.why_not_given and f.name not in secret}
        named = [by_name[DISPLAY_NAME]] if reads_display_name(model, by_name, settings, secret) else []
        in_names = fields_by_company(model, by_name, settings, secret)
        mirrored = [*(field for field in stored if field.name not in secret), *named, *in_names]
        there_anyway = {field.name for field in (*stored, *mirrored)} | _OWN_PLACE
        extra = [by_name[name] for name in settings.extra_fields if name not in there_anyway]
        by_language = [f for f in mirrored if languages and f.translate and not settings.hashes(f.name)]
        dependent = (f for f in mirrored if settings.all_companies and f.company_dependent)
        by_company = [f for f in (*dependent, *in_names) if companies and not settings.hashes(f.name)]
        namer = _Namer([*mirrored, *extra])
        columns = [
            *(namer.column(field, settings, hash_secret) for field in mirrored),
            *(namer.variants_column(field, TRANSLATIONS) for field in by_language),
            *(namer.variants_column(field, COMPANIES) for field in by_company),
        ]
        variants = languages.variants(TRANSLATIONS, _names(by_language)) if languages and by_language else []
        variants += companies.variants(COMPANIES, _names(by_company)) if companies and by_company else []
        return cls(
            model,
            tuple(sorted(columns, key=lambda item: item.key)),
            any(field.name == WRITE_DATE_FIELD and field.store for field in by_name.values()),
            tuple(namer.column(field, settings, hash_secret) for field in extra),
            tuple(variants),
            {name: why for name, why in reasons.items() if why is not None and name not in settings.extra_fields},
            frozenset(unreadable),
            settings,
            name_paths(model, by_name, {field.name for field in (*mirrored, *extra)}),
            unmirrored={name: why for name, field in by_name.items() if (why := _why_unmirrored(field, unreadable))},
            refused=frozenset(not_given),
            not_given=not_given,
            links={field.name: field.relation for field in stored if field.type == "many2one" and field.relation},
        )


class _Namer:
    """Gives each field a column of its own, with the field's name if a column can have it."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._taken = {field.name for field in fields}

    def column(self, field: Field, settings: ModelSettings, hash_secret: str | None) -> FieldColumn:
        declared = field_type(field.type)
        kind, convert = _column_type(field), declared.convert
        if field.name in settings.allow_fields and declared.unfiltered is not None:
            convert = declared.unfiltered
        is_hashed = hash_secret is not None and settings.hashes(field.name)
        if hash_secret is not None and is_hashed:
            kind, convert = ColumnType.TEXT, keyed_hash(hash_secret, field.name, convert)
        column = Column(
            self._name(field.name, self._taken - {field.name}), kind, field.name, field.type, _description(field)
        )
        return FieldColumn(field.name, column, convert, may_be_copied=declared.may_be_copied and not is_hashed)

    def variants_column(self, field: Field, kind: str) -> FieldColumn:
        name = self._name(f"{field.name}__{kind}", self._taken)
        convert = field_type(field.type).convert
        described = replace(_description(field), selection=(), relation=None, required=False)
        column = Column(name, ColumnType.JSONB, field.name, field.type, described)
        return FieldColumn(variant_key(field.name, kind), column, by_label(convert))

    def _name(self, wanted: str, taken: Collection[str]) -> str:
        name = free_column_name(wanted, taken)
        self._taken.add(name)
        return name


def _column_type(field: Field) -> ColumnType:
    declared = field_type(field.type)
    if declared.column is None:
        raise AssertionError(f"{field.type} fields are never mirrored")
    return declared.with_digits if field.has_digits and declared.with_digits else declared.column


def _is_stored(field: Field) -> bool:
    has_value = field.store or field.company_dependent
    return has_value and not (field.why_not_given or field.name in _OWN_PLACE or field_type(field.type).column is None)


def _needs(field: Field, unreadable: Collection[str]) -> bool:
    """Say whether a field cannot be read: from 19.0 on, Odoo does not return records with such a many2many at all."""
    return field.type == "many2many" and field.relation in unreadable


def _why_unmirrored(field: Field, unreadable: Collection[str]) -> str | None:
    """Return why a field that Odoo stores has no column, None if it has one or is not stored."""
    if _needs(field, unreadable):
        return f"the login has no right to read {field.relation}"
    is_elsewhere = field.type == "one2many" or not field.store
    return None if is_elsewhere or field_type(field.type).column else f"{field.type} fields are never mirrored"


def _why_left_out(model: str, field: Field, settings: ModelSettings, others: Mapping[str, Field]) -> str | None:
    if settings.excludes(field.name):
        return "the settings exclude it"
    return None if field.name in settings.allow_fields else is_secret(model, field, others)


def _check_settings(model: str, fields: dict[str, Field], settings: ModelSettings, hash_secret: str | None) -> None:
    for name in settings.named_fields:
        if name not in fields:
            lists = ("exclude_fields", "hashed_fields", "allow_fields")
            where = next((item for item in lists if name in getattr(settings, item)), "its settings")
            raise _no_field(model, name, where, fields)
    for name in settings.extra_fields:
        field = fields.get(name)
        if field is None:
            raise _no_field(model, name, "extra_fields", fields)
        if field.why_not_given:
            raise MirrorConfigurationError(f"{model}, field '{name}' of extra_fields: {field.why_not_given}.")
        if field_type(field.type).column is None:
            raise MirrorConfigurationError(f"{model}, field '{name}': {field.type} fields are never mirrored.")
    if settings.hashed_fields and hash_secret is None:
        raise MirrorConfigurationError(
            f"{model} has hashed_fields, but the Odoo connection has no hash_secret: set it (ODOO_HASH_SECRET)."
        )


def _no_field(model: str, name: str, where: str, fields: Iterable[str]) -> MirrorConfigurationError:
    meant = nearest(name, fields)
    hint = "" if meant is None else f" (did you mean {meant}?)"
    return MirrorConfigurationError(f"{model} has no field '{name}' that this login can read{hint}: correct {where}.")


def _restricted(variant: Variant, keys: set[str]) -> Variant:
    return replace(variant, fields=tuple(name for name in variant.fields if variant_key(name, variant.kind) in keys))


def _description(field: Field) -> Description:
    return Description(
        label=field.label,
        relation=field.relation,
        translated=field.translate,
        company_dependent=field.company_dependent,
        required=field.required,
        custom=field.manual,
        selection=field.selection if field.type == "selection" else (),
    )


def _names(fields: Iterable[Field]) -> tuple[str, ...]:
    return tuple(field.name for field in fields)
