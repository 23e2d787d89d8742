"""Which roles the sync's role trusts in the shadow's database, other than itself and superusers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from odoo_shadow.shadow.errors import ShadowConfigurationError


@dataclass(frozen=True)
class Trust:
    """What a person has agreed to.

    Superusers are always trusted: they can become any role.

    :param roles: names of other roles that may own the mirror's schema, its tables and its views.
    :param objects: other roles' triggers and rules that may run with the sync's rights, as `doctor` names them, such as
        `trigger audit on odoo_shadow_res_partner 1f3c5a9b`; the digest at the end is that of the definition.
    """

    roles: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()

    @classmethod
    def of(cls, roles: Iterable[str], objects: Iterable[str]) -> Trust:
        """Read what a person wrote.

        :raises ShadowConfigurationError: one of them is a string, whose letters would count as names.
        """
        for what, names in (("trusted_roles", roles), ("agreed_objects", objects)):
            if isinstance(names, str):
                raise ShadowConfigurationError(f"{what} is text: write a list, with [ ] around it.")
        return cls(frozenset(roles), frozenset(objects))


NOBODY_ELSE = Trust()
