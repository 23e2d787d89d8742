"""What one call runs in: a connection with its transaction, a user, a context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Model
from odoo_stand_in.orm.errors import AccessError, UserError

SUPERUSER_ID = 1
LANGUAGES = frozenset({"en_US", "fr_FR"})


@dataclass(frozen=True)
class User:
    """The user of a call and what was granted to them."""

    id: int
    login: str
    company_id: int
    company_ids: tuple[int, ...]
    groups: frozenset[str]


@dataclass(frozen=True)
class Environment:
    """Connection, registry, user and context of one call; `su` switches all rights off."""

    connection: psycopg.Connection[tuple[Any, ...]]
    registry: Registry
    user: User
    context: Mapping[str, Any] = field(default_factory=dict)
    su: bool = False

    def model(self, name: str) -> Model:
        """Return the model of that name; told as Odoo tells it when there is none."""
        found = self.registry.models.get(name)
        if found is None:
            raise UserError(f"Object {name} doesn't exist")
        return found

    def with_context(self, **changes: Any) -> Environment:
        """Return the same with some context keys set; 19 looks at the language at once."""
        inner = replace(self, context={**self.context, **changes})
        if "lang" in changes:
            _ = inner.lang
        return inner

    def sudo(self) -> Environment:
        """Return the same without any check of rights."""
        return replace(self, su=True)

    @property
    def newer(self) -> bool:
        """Whether this is the 19 flavour."""
        return self.registry.flavour == "19"

    @cached_property
    def lang(self) -> str:
        """The language of translated values; 19 refuses one that is not installed, 17 falls back."""
        lang = str(self.context.get("lang") or "en_US")
        if lang in LANGUAGES:
            return lang
        if self.newer:
            raise UserError(f"Invalid language code: {lang}")
        return "en_US"

    @cached_property
    def company_ids(self) -> tuple[int, ...]:
        """The companies whose records are visible: those asked for, else all that the user has."""
        asked = tuple(self.context.get("allowed_company_ids") or ())
        if not asked:
            return self.user.company_ids
        if not self.su and set(asked) - set(self.user.company_ids):
            raise AccessError("Access to unauthorized or invalid companies.")
        return asked

    @cached_property
    def company_id(self) -> int:
        """The company of company-dependent values."""
        asked = self.context.get("allowed_company_ids")
        return self.company_ids[0] if asked else self.user.company_id

    def has_group(self, groups: str | Sequence[str]) -> bool:
        """Whether the user is in one of the groups (a comma-separated list, or several names)."""
        names = groups.split(",") if isinstance(groups, str) else groups
        return self.su or any(name.strip() in self.user.groups for name in names)

    def execute(self, query: sql.Composable) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement in the call's transaction."""
        return self.connection.execute(sql.Composed([query]))

    def rows(self, query: sql.Composable) -> list[tuple[Any, ...]]:
        """All rows of one query."""
        return self.execute(query).fetchall()
