"""Whom the sync's role trusts in the shadow's database, besides itself and superusers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from odoo_shadow.shadow.errors import ShadowConfigurationError


@dataclass(frozen=True)
class Trust:
    """What a person has agreed to.

    Superusers are trusted in any case: they can become every role.

    :param roles: names of other roles that may own the mirror's schema, its tables and its views.
    :param objects: triggers and rules of others that may run with the sync's rights, as `doctor` names them, such as
        `trigger audit on odoo_shadow_res_partner 1f3c5a9b`; the digest at the end is of its definition.
    """

    roles: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()

    @classmethod
    def of(cls, roles: Iterable[str], objects: Iterable[str]) -> Trust:
        """Read what a person wrote.

        :raises ShadowConfigurationError: one of them is a single text, whose letters would count as names.
        """
        for what, names in (("trusted_roles", roles), ("agreed_objects", objects)):
            if isinstance(names, str):
                raise ShadowConfigurationError(f"{what} is a text: write a list, with [ ] around it.")
        return cls(frozenset(roles), frozenset(objects))


NOBODY_ELSE = Trust()
