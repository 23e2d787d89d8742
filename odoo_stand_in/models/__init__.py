"""The declared models and the registry that a running server is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from odoo_stand_in.declaring import parse_field
from odoo_stand_in.models import (
    accounting,
    awkward,
    dictionary,
    odd,
    partners,
    products,
    projects,
    sales,
    secrets,
    technical,
    wide,
)
from odoo_stand_in.schema import Declaration, Field, Flavour, Model, inherited_fields, magic_fields

MODULES = (dictionary, technical, partners, products, accounting, sales, projects, odd)


SCHEMAS: Mapping[str, Callable[[], Iterator[Declaration]]] = {
    "standard": awkward.custom,
    "awkward": awkward.models,
    "secrets": secrets.models,
    "wide": wide.models,
    "wide, but few": partial(wide.models, wide.FEW),
}
"""What a stand-in has besides the usual models."""


class Registry:
    """All models of one server by name; it changes when a module or a custom field comes or goes."""

    def __init__(self, flavour: Flavour, schema: str = "standard") -> None:
        self.flavour: Flavour = flavour
        self.models: dict[str, Model] = {}
        self.version = 0
        self.schema = schema
        declarations = [one for module in MODULES for one in module.MODELS]
        self.declare([*declarations, *SCHEMAS[schema]()])

    def declare(self, declarations: Iterable[Declaration]) -> list[Model]:
        """Take in declared models of this server's flavour."""
        added = []
        for declaration in declarations:
            if declaration.only not in (None, self.flavour):
                continue
            if declaration.extends:
                self._add_fields(self.models[declaration.name], declaration)
            else:
                model = self._build(declaration)
                self.models[model.name] = model
                added.append(model)
        for model in added:
            self._settle(model)
        self.version += 1
        return added

    def _build(self, declaration: Declaration) -> Model:
        model = Model(
            name=declaration.name,
            description=declaration.description,
            order=declaration.order,
            rec_name=declaration.rec_name,
            kind=declaration.kind,
            module=declaration.module,
            log_access=declaration.log_access,
            inherits=dict(declaration.inherits),
            read_groups=declaration.read_groups,
            write_groups=declaration.write_groups,
            view_sql=declaration.view_sql,
            auto=declaration.auto,
            own_table=declaration.table,
            refusal=declaration.refusal,
            profile=declaration.profile,
            dropping=declaration.dropping,
        )
        # Odoo 17's abstract models have only the fields that they declare.
        if model.kind != "abstract" or self.flavour == "19":
            for magic in magic_fields(model):
                model.fields[magic.name] = magic
        self._add_fields(model, declaration)
        return model

    def _add_fields(self, model: Model, declaration: Declaration) -> None:
        for line in declaration.fields.splitlines():
            text = line.strip()
            if text and not text.startswith("#"):
                parsed = parse_field(text, model.name, self.flavour)
                if parsed is not None:
                    model.fields[parsed.name] = parsed

    def _settle(self, model: Model) -> None:
        for parent, link in model.inherits.items():
            for shown in inherited_fields(model, self.models[parent], link):
                model.fields[shown.name] = shown

    def put_field(self, model: Model, added: Field) -> None:
        """Add or replace one field, there and where it is inherited."""
        model.fields[added.name] = added
        self._each_heir(model, added.name)
        self.version += 1

    def drop_field(self, model: Model, name: str) -> None:
        """Forget one field, there and where it is inherited."""
        del model.fields[name]
        self._each_heir(model, name)
        self.version += 1

    def _each_heir(self, model: Model, name: str) -> None:
        for heir in self.models.values():
            if model.name in heir.inherits:
                shown = heir.fields.get(name)
                if shown is not None and shown.inherited:
                    del heir.fields[name]
                self._settle(heir)

    def remove(self, name: str) -> Model:
        """Forget a model: from now on the server does not know it."""
        self.version += 1
        return self.models.pop(name)
