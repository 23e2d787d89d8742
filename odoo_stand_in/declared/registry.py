"""The registry of models that a running server is asked about."""

from __future__ import annotations

from collections.abc import Iterable

from odoo_stand_in.declared import captured
from odoo_stand_in.declared.declaring import build, parse_fields
from odoo_stand_in.declared.schema import Declaration, Field, Flavour, Model, inherited_fields
from odoo_stand_in.declared.supplement import SELDOM


class Registry:
    """All models of one server by name; it changes when a module or a custom field comes or goes."""

    def __init__(self, flavour: Flavour, invented: Iterable[Declaration], seldom: Iterable[str] = ()) -> None:
        self.flavour: Flavour = flavour
        self.models: dict[str, Model] = {}
        self.version = 0
        left_out = SELDOM - set(seldom)
        self._add([model for model in captured.models(flavour) if model.name not in left_out])
        self.declare(invented)

    def declare(self, declarations: Iterable[Declaration]) -> list[Model]:
        """Take in declared models of this server's flavour, and more fields of those that are there."""
        own = [one for one in declarations if one.only in (None, self.flavour)]
        added = [build(one, self.flavour) for one in own if not one.extends]
        self._add(added)
        for one in own:
            if one.extends:
                for field in parse_fields(one, self.flavour):
                    self.put_field(self.models[one.name], field)
        return added

    def _add(self, models: list[Model]) -> None:
        self.models |= {model.name: model for model in models}
        for model in models:
            self._settle(model)
        self.version += 1

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
