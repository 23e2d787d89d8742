"""The public methods of every model: what can be called from outside, with Odoo's signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from odoo_stand_in.declared.schema import Model
from odoo_stand_in.orm import access, describing, grouping, reading, writing
from odoo_stand_in.orm.environment import Environment
from odoo_stand_in.orm.errors import AccessError

PRIVATE = frozenset({"exists", "browse", "sudo", "with_context", "check_access"})
Method = TypeVar("Method", bound=Callable[..., Any])


def api_model(method: Method) -> Method:
    """Mark a method that takes no ids."""
    method._api_model = True  # type: ignore[attr-defined]
    return method


class BaseModel:
    """Records of one model, as a call from outside sees them."""

    def __init__(self, env: Environment, model: Model, ids: Sequence[int] = ()) -> None:
        self._env = env
        self._model = model
        self._ids = list(ids)

    @api_model
    def search(self, domain: Any, offset: int = 0, limit: int | None = None, order: str | None = None) -> list[int]:
        """Ids of the records that match."""
        return reading.search(self._env, self._model, domain, offset, limit, order)

    @api_model
    def search_count(self, domain: Any, limit: int | None = None) -> int:
        """How many records match."""
        return reading.count(self._env, self._model, domain, limit)

    @api_model
    def search_read(
        self,
        domain: Any = None,
        fields: Sequence[str] | None = None,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        **read_kwargs: Any,
    ) -> list[dict[str, Any]]:
        """Return records that match, with their values."""
        return self._answer(*_read_arguments(domain or [], fields, offset, limit, order, **read_kwargs))

    def _answer(
        self,
        domain: Any,
        fields: Sequence[str] | None,
        offset: int,
        limit: int | None,
        order: str | None,
        load: str | None,
    ) -> list[dict[str, Any]]:
        return reading.search_read(self._env, self._model, domain, fields, offset, limit, order, load)

    def read(self, fields: Sequence[str] | None = None, load: str | None = "_classic_read") -> list[dict[str, Any]]:
        """Values of the records that exist."""
        return reading.read(self._env, self._model, self._ids, fields, load)

    @api_model
    def read_group(
        self,
        domain: Any,
        fields: Sequence[str],
        groupby: str | Sequence[str],
        offset: int = 0,
        limit: int | None = None,
        orderby: Any = False,
        lazy: bool = True,
    ) -> list[dict[str, Any]]:
        """Return sums by group, as up to 18."""
        if orderby or lazy:
            raise NotImplementedError("the stand-in answers neither an order nor lazy groups")
        return grouping.read_group(self._env, self._model, domain, fields, groupby, offset, limit)

    @api_model
    def fields_get(
        self, allfields: Sequence[str] | None = None, attributes: Sequence[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Descriptions of the fields."""
        return describing.fields_get(self._env, self._model, allfields, attributes)

    @api_model
    def create(self, vals_list: Any) -> Any:
        """Create records."""
        single = isinstance(vals_list, Mapping)
        return writing.create(self._env, self._model, [vals_list] if single else vals_list)

    def write(self, vals: Mapping[str, Any]) -> bool:
        """Change the records."""
        return writing.write(self._env, self._model, self._ids, vals)

    def unlink(self) -> bool:
        """Delete the records."""
        return writing.unlink(self._env, self._model, self._ids)

    def action_archive(self) -> None:
        """Make the active ones inactive."""
        self._archive(True)

    def action_unarchive(self) -> None:
        """Make the inactive ones active."""
        self._archive(False)

    def _archive(self, active: bool) -> None:
        env = self._env.with_context(active_test=False)
        domain = [("id", "in", self._ids), ("active", "=", active)]
        writing.write(
            self._env, self._model, reading.search(env, self._model, domain, 0, None, "id"), {"active": not active}
        )


def _read_arguments(
    domain: Any,
    fields: Any,
    offset: Any,
    limit: Any,
    order: Any,
    load: str | None = "_classic_read",
) -> tuple[Any, Any, Any, Any, Any, str | None]:
    return domain, fields, offset or 0, limit, order, load


_read_arguments.__qualname__ = "BaseModel._read_format"


class NewerModel(BaseModel):
    """What 19 has besides."""

    @api_model
    def formatted_read_group(
        self,
        domain: Any,
        groupby: Sequence[str] = (),
        aggregates: Sequence[str] = (),
        having: Sequence[Any] = (),
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return sums by group."""
        if having or order:
            raise NotImplementedError("the stand-in answers neither conditions on groups nor an order")
        return grouping.formatted_read_group(self._env, self._model, domain, groupby, aggregates, offset, limit)


class Users(BaseModel):
    """What res.users has besides."""

    @api_model
    def context_get(self) -> dict[str, Any]:
        """Language, time zone and id of the user."""
        rows = reading.read(self._env.sudo(), self._env.model("res.users"), [self._env.user.id], ["lang", "tz"], None)
        return {"lang": rows[0]["lang"] or "en_US", "tz": rows[0]["tz"], "uid": self._env.user.id}

    def has_group(self, group_ext_id: str) -> bool:
        """Whether the user is in the group."""
        return self._env.has_group(group_ext_id)


class OlderUsers(Users):
    """res.users of 17, where one asks about oneself."""

    @api_model
    def has_group(self, group_ext_id: str) -> bool:
        """Whether the user is in the group."""
        return super().has_group(group_ext_id)


class Models(BaseModel):
    """What ir.model has besides."""

    @api_model
    def get_available_models(self) -> list[dict[str, Any]]:
        """Return the models with records that the user may read, whether or not they may read this one."""
        env = self._env
        internal = env.has_group("base.group_user")
        names = [
            model.name
            for model in env.registry.models.values()
            if internal and model.kind in ("table", "view") and access.allowed(env, model, "read")
        ]
        found = reading.search_read(
            env.sudo(), self._model, [("model", "in", names)], ["name", "model"], 0, None, None, None
        )
        return [{"display_name": row["name"], "model": row["model"]} for row in found]


def browse(env: Environment, model: Model, ids: Sequence[int] = ()) -> BaseModel:
    """Return records of a model by id."""
    if model.name == "res.users":
        return (Users if env.newer else OlderUsers)(env, model, ids)
    if model.name == "ir.model":
        return Models(env, model, ids)
    return (NewerModel if env.newer else BaseModel)(env, model, ids)


def public_method(env: Environment, model: Model, name: str) -> Callable[..., Any]:
    """Return the unbound method of that name that may be called from outside."""
    private = f"Private methods (such as '{model.name}.{name}') cannot be called remotely."
    if name.startswith("_") or (env.newer and name in PRIVATE):
        raise AccessError(private)
    method = getattr(type(browse(env, model)), name, None)
    if not callable(method):
        raise AttributeError(f"The method '{model.name}.{name}' does not exist")
    found: Callable[..., Any] = method
    return found


def call(env: Environment, model_name: str, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """One call with positional arguments, the first being ids where the method takes them."""
    model = env.model(model_name)
    method = public_method(env, model, name)
    named = dict(kwargs)
    context = named.pop("context", None) or {}
    inner = env.with_context(**context)
    rest = list(args)
    ids: Any = ()
    if not getattr(method, "_api_model", False):
        if not rest:
            raise IndexError(f"{'list' if env.newer else 'tuple'} index out of range")
        ids, rest = rest[0], rest[1:]
    result = method(browse(inner, model, as_ids(ids)), *rest, **named)
    if name == "create" and isinstance((rest or list(named.values()))[0], Mapping):
        return result[0]
    return result


def as_ids(ids: Any) -> list[int]:
    """Ids from a number, a list, or nothing."""
    if not ids:
        return []
    return [ids] if isinstance(ids, int) else list(ids)
