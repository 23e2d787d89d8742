"""Chooses the models of a mirror: those that a person asked for and that the server has and can be mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from odoo_shadow.mirror.config.known_models import check_names
from odoo_shadow.mirror.config.patterns import BUSINESS_MODELS, ModelChoice, in_order
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.shape.secrets import why_secret
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.fields import FieldsState
from odoo_shadow.source.models import ModelKind, ServerModel
from odoo_shadow.source.port import Source
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

NO_MATCH = "matches no model of this server"
"""Why a pattern is listed as left out: a typing error, or a module that is not installed."""

_MOST_MISNAMED = 100


@dataclass(frozen=True)
class LeftOut:
    """A model that is not mirrored, and why."""

    model: str
    reason: str


@dataclass(frozen=True)
class Chosen:
    """The models of a mirror, in the order in which they are mirrored, and those that are left out.

    :param fields: the fields of some models, if they were read anyway, so that a plan need not ask again.
    """

    models: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    fields: Mapping[str, FieldsState] = field(default_factory=dict)


def choose_models(odoo: Source, choice: ModelChoice, shadow: ShadowDatabase | None = None) -> Chosen:
    """Find the models that match a choice; the server is asked only if there are patterns.

    A model that is named is always taken: even an SQL view, a store of credentials, or one that is not installed. A
    pattern takes only tables, and none that hold credentials.

    :param shadow: has tables of models that the server may not have any more.
    :raises MirrorConfigurationError: a name is misspelt, or no model is left.
    :raises OdooError, ShadowError: one side could not be asked.
    """
    check_names(odoo, shadow, choice.names)
    for name in choice.names:
        secret = why_secret(name)
        if secret is not None and name not in BUSINESS_MODELS:
            log.warning(
                "%s is mirrored because it is named, although %s: whoever can read the shadow sees them.", name, secret
            )
    if choice.is_plain:
        return Chosen(choice.names)
    found = odoo.discover()
    if not found.is_complete:
        log.warning(
            "The login '%s' cannot read ir.model: patterns take only models that it can read and that have a "
            "write_date. Give it the right (Administration / Access Rights), or name further models.",
            odoo.access.login,
        )
    reasons = {item.name: _why_not(item, choice) for item in found.models if _is_asked_for(item.name, choice)}
    taken = [name for name, reason in reasons.items() if reason is None]
    left_out = _listed({name: reason for name, reason in reasons.items() if reason is not None})
    idle = [pattern for pattern in choice.patterns if not _matches_any(pattern, found.models)]
    idle += [f"!{pattern}" for pattern in choice.excluded if not _matches_any(pattern, found.models)]
    left_out += [LeftOut(pattern, NO_MATCH) for pattern in idle]
    models = in_order((*choice.names, *taken))
    if not models:
        raise MirrorConfigurationError(f"{', '.join(choice.patterns)} takes no model of this server: correct models.")
    fields = {item.name: item.fields for item in found.models if item.fields is not None}
    return Chosen(models, tuple(left_out), fields)


def _listed(reasons: Mapping[str, str]) -> list[LeftOut]:
    """List what is left out; of invalid names, of which a hostile server may have any number, only some."""
    known = [LeftOut(name, reason) for name, reason in sorted(reasons.items()) if reason != ModelKind.MISNAMED]
    misnamed = sorted(name for name, reason in reasons.items() if reason == ModelKind.MISNAMED)
    known += [LeftOut(name, ModelKind.MISNAMED) for name in misnamed[:_MOST_MISNAMED]]
    more = len(misnamed) - _MOST_MISNAMED
    return [*known, LeftOut(counted(more, "more name"), ModelKind.MISNAMED)] if more > 0 else known


def _is_asked_for(model: str, choice: ModelChoice) -> bool:
    return choice.matches(model) or choice.excludes(model)


def _matches_any(pattern: str, models: tuple[ServerModel, ...]) -> bool:
    return any(ModelChoice(patterns=(pattern,)).matches(item.name) for item in models)


def _why_not(model: ServerModel, choice: ModelChoice) -> str | None:
    if model.kind is ModelKind.MISNAMED:
        return str(model.kind)
    if choice.excludes(model.name):
        return "excluded by the mirror's own settings"
    if model.name in choice.names:
        return None
    return why_secret(model.name, model.text_fields) or (None if model.kind is ModelKind.TABLE else str(model.kind))
