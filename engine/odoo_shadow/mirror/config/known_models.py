"""Distinguishes a model that is not installed from a misspelt name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.registry import find_table
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.source.odoo_models import odoo_models
from odoo_shadow.source.port import Source
from odoo_shadow.text.nearest import nearest

_MOST_NAMED = 10
_ALIKE = 0.75
"""Stricter than for names of settings: there are a thousand models, and a wrong guess misleads."""


def check_names(odoo: Source, shadow: ShadowDatabase | None, names: Iterable[str]) -> None:
    """Make sure that models that somebody has named exist: on the server, in the shadow, or in Odoo's own modules.

    The server is asked only about names that Odoo's own modules do not have.

    :raises MirrorConfigurationError: a name does not exist; the message suggests the nearest one.
    :raises OdooError, ShadowError: one side could not be asked.
    """
    doubtful = [name for name in names if name not in odoo_models()]
    doubtful = [name for name in doubtful if name not in odoo.readable_models] if doubtful else []
    doubtful = _not_mirrored(shadow, doubtful) if shadow is not None and doubtful else doubtful
    unknown = list(islice((name for name in doubtful if not odoo.has_model(name)), _MOST_NAMED))
    if unknown:
        raise _no_model(unknown, odoo.readable_models, "the server")


def check_listed_names(names: Iterable[str], listed: Collection[str], where: str) -> None:
    """Make sure that models that somebody has named are in a list, or in Odoo's own modules.

    :param where: what the list is called.
    :raises MirrorConfigurationError: a name does not exist; the message suggests the nearest one.
    """
    unknown = [name for name in names if name not in listed and name not in odoo_models()]
    if unknown:
        raise _no_model(unknown, listed, where)


def _not_mirrored(shadow: ShadowDatabase, names: list[str]) -> list[str]:
    """Return the names without a table in the shadow, where the tables of uninstalled modules stay."""
    with shadow.transaction() as tx:
        has_shadow = bool(schema_version(tx))
        return [name for name in names if not has_shadow or find_table(tx, name) is None]


def _no_model(unknown: list[str], listed: Collection[str], where: str) -> MirrorConfigurationError:
    known = {*listed, *odoo_models()}
    named = [_with_guess(name, known) for name in unknown[:_MOST_NAMED]]
    more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
    return MirrorConfigurationError(
        f"There is no model {', '.join(named)}{more}: neither {where} nor any module of Odoo has it; correct the list "
        "of models."
    )


def _with_guess(name: str, known: Collection[str]) -> str:
    meant = nearest(name, known, alike=_ALIKE)
    return f"'{name}'" if meant is None else f"'{name}' (did you mean {meant}?)"
