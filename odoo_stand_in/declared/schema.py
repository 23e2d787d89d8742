"""Models and fields as the stand-in knows them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Flavour = Literal["17", "19"]

NUMBERS = frozenset({"integer", "float", "monetary"})
X2MANY = frozenset({"one2many", "many2many"})
RELATIONAL = frozenset({"many2one", "one2many", "many2many"})
TEXTS = frozenset({"char", "text", "html"})
KNOWN_TYPES = (
    frozenset({"boolean", "date", "datetime", "selection", "reference", "many2one_reference", "json", "binary"})
    | frozenset({"properties", "properties_definition"})
    | NUMBERS
    | RELATIONAL
    | TEXTS
)
MAX_IDENTIFIER = 63
# PostgreSQL has columns of these names in every table.
SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
LOG_ACCESS = ("create_uid", "create_date", "write_uid", "write_date")


def identifier(name: str) -> str:
    """Return a name that PostgreSQL takes whole and as its own: shortened where it would cut it."""
    encoded = name.encode()
    if len(encoded) <= MAX_IDENTIFIER and name not in SYSTEM_COLUMNS:
        return name
    return f"{encoded[:50].decode(errors='ignore')}_{hashlib.sha256(encoded).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Field:
    """One field, with the attributes that `fields_get` tells and where its values are kept."""

    name: str
    type: str
    string: str = ""
    store: bool = True
    relation: str | None = None
    relation_field: str | None = None
    rel_table: str | None = None
    rel_own: str | None = None
    rel_other: str | None = None
    ondelete: str = "set null"
    required: bool = False
    readonly: bool = False
    company_dependent: bool = False
    translate: bool = False
    digits: tuple[int, int] | Literal[0] | None = None
    """Precision of a float; `0` (told as 0, or as false for prices from 19 on) is exact without a precision."""
    currency_field: str | None = None
    implied_currency: bool = False
    """Whether the field does not name its currency's field, but found one of the usual name."""
    related: str | None = None
    inherited: bool = False
    selection: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """What a form shows for the choices, made from them unless declared."""
    chosen_by_code: bool = False
    """Whether code makes the choices when it is asked, so that no row tells of them."""
    manual: bool = False
    groups: str | None = None
    definition_record: str | None = None
    definition_record_field: str | None = None
    model_field: str | None = None
    size: int | None = None
    """The most characters that a char may have."""
    default: Any = None
    active_only: bool = False
    """A one2many that never shows archived records."""
    attached: bool = False
    """Whether the value of a binary is not in a column, but kept as a file."""
    kept: bool = False
    """Told as computed, though its values stand in a column."""
    depends: tuple[str, ...] = ()
    """What a stored computed field is told to be made from."""
    mirror_of: str | None = None
    """A computed field whose value is that of another field of the same record."""
    told: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What `fields_get` tells otherwise than the rules would."""

    @property
    def column(self) -> bool:
        """Whether the model's own table has a column for it."""
        return (self.store or self.kept) and self.type not in X2MANY and not self.attached

    @property
    def column_name(self) -> str:
        """Its column: its name, as far as PostgreSQL lets it."""
        return identifier(self.name)

    def choices(self) -> Iterator[tuple[str, str]]:
        """Return the values of a selection, and what a form shows for them."""
        labels = self.labels or [value.replace("_", " ").replace("-", " ").capitalize() for value in self.selection]
        return zip(self.selection, labels, strict=True)

    @property
    def label(self) -> str:
        """What a form would show, made from the name unless declared."""
        base = self.name[:-4] + "s" if self.name.endswith("_ids") else self.name.removesuffix("_id")
        return self.string or base.replace("_", " ").capitalize()


@dataclass(slots=True)
class Model:
    """One model: its fields by name, its table, and the rights on it."""

    name: str
    description: str
    order: str = "id"
    rec_name: str = "name"
    kind: Literal["table", "abstract", "transient", "view"] = "table"
    module: str = "base"
    log_access: bool = True
    inherits: dict[str, str] = field(default_factory=dict)
    read_groups: tuple[str, ...] = ("base.group_user",)
    write_groups: tuple[str, ...] = ("base.group_user",)
    view_sql: str | None = None
    made_of_query: bool = False
    """Whether code has the query of a view, so that PostgreSQL knows nothing of it."""
    auto: bool = True
    """Whether the ORM looks after its table; where it does not, no row of `ir.model.constraint` tells of its keys."""
    own_table: str | None = None
    extends_table: str | None = None
    """The table that PostgreSQL lets show its rows, too, as far as it has their columns."""
    refusal: str | None = None
    """What is told to whoever searches it: its records are not to be had in this way."""
    profile: str | None = None
    """The model of the public records that are shown, under the same ids, to whoever may not read this one."""
    dropping: tuple[str, ...] = ()
    """Fields with which such a read gives nothing, and no error."""
    hidden_late: frozenset[int] = frozenset()
    """Records that a search leaves out only after its limit, as those of `mail.message` and `mail.activity` do."""
    fields: dict[str, Field] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The name of its PostgreSQL table: made from its own unless it says otherwise."""
        return identifier(self.own_table or self.name.replace(".", "_"))

    @property
    def manual(self) -> bool:
        """Whether it was made in a running Odoo, and belongs to no module."""
        return self.name.startswith("x_")

    @property
    def columns(self) -> list[Field]:
        """Fields that are columns of its table, without id."""
        return [f for f in self.fields.values() if f.column and f.name != "id"]

    @property
    def attachments(self) -> list[Field]:
        """Fields whose values are kept as files."""
        return [f for f in self.fields.values() if f.attached and f.store and not f.inherited]

    @property
    def has_table(self) -> bool:
        """Whether PostgreSQL holds a table of its own for it."""
        return self.kind in ("table", "transient")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A model that no server has, as written down for both flavours."""

    name: str
    description: str
    fields: str
    order: str = "id"
    rec_name: str = "name"
    kind: Literal["table", "abstract", "transient", "view"] = "table"
    module: str = "base"
    log_access: bool = True
    read_groups: tuple[str, ...] = ("base.group_user",)
    write_groups: tuple[str, ...] = ("base.group_user",)
    view_sql: str | None = None
    only: Flavour | None = None
    table: str | None = None
    profile: str | None = None
    dropping: tuple[str, ...] = ()
    extends: bool = False
    """These are more fields of a model that is declared elsewhere, as a module adds them."""


def magic_fields(model: Model, flavour: Flavour) -> Iterator[Field]:
    """Return the fields that every model has; Odoo 17's abstract models have only those that they declare."""
    if model.kind == "abstract" and flavour == "17":
        return
    yield Field("id", "integer", string="ID", readonly=True)
    yield Field("display_name", "char", string="Display Name", readonly=True, store=False)
    if model.log_access:
        stored = model.kind != "abstract"
        yield Field("create_uid", "many2one", "Created by", stored, "res.users", readonly=True)
        yield Field("create_date", "datetime", "Created on", stored, readonly=True)
        yield Field("write_uid", "many2one", "Last Updated by", stored, "res.users", readonly=True)
        yield Field("write_date", "datetime", "Last Updated on", stored, readonly=True)


def inherited_fields(child: Model, parent: Model, link: str) -> Iterator[Field]:
    """Return the fields of `parent` as `child` shows them through its `_inherits` link."""
    for parent_field in parent.fields.values():
        if parent_field.name not in child.fields:
            yield replace(
                parent_field,
                store=False,
                related=f"{link}.{parent_field.name}",
                inherited=True,
                company_dependent=False,
                manual=False,
                mirror_of=None,
            )
