"""What a model is made of."""

from __future__ import annotations

from dataclasses import dataclass

TEXT_TYPES = ("char", "text")


@dataclass(frozen=True)
class Field:
    """A field of an Odoo model.

    :param type: Odoo's type, such as `char` or `many2one`.
    :param store: whether it has a column of its own (for x2many it says nothing).
    :param relation: the model that a relational field points to.
    :param has_digits: whether a float is stored as an exact numeric (Odoo 17.0 and 19.0, `fields_get`).
    :param company_dependent: one value per company; `store` is false up to Odoo 17, true from 18.
    :param translate: one value per language.
    :param manual: made by an administrator or Studio, not by a module.
    :param related: where the value comes from, such as `partner_id.name`.
    :param depends: what it is computed from, such as `partner_id.name`.
    :param label: what Odoo shows, in the connection's language.
    :param selection: value and label of each choice; for a `reference` the models that it may point to.
    :param why_not_given: why the source cannot give the values; empty if it can.
    """

    name: str
    type: str
    store: bool = True
    relation: str | None = None
    has_digits: bool = False
    company_dependent: bool = False
    translate: bool = False
    required: bool = False
    manual: bool = False
    related: str | None = None
    depends: tuple[str, ...] = ()
    label: str = ""
    selection: tuple[tuple[str, str], ...] = ()
    why_not_given: str = ""


@dataclass(frozen=True)
class FieldsState:
    """A model's fields at one moment.

    :param digest: differs when a field came, went or changed.
    :param has_write_date: whether changes can be found by `write_date`.
    :param names: of the fields that may have a column.
    """

    digest: str
    has_write_date: bool
    names: frozenset[str] = frozenset()
