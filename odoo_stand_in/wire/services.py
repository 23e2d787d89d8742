"""The services behind the protocols: `common` and `object`, and who may call them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as pg

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Flavour
from odoo_stand_in.orm import access, records
from odoo_stand_in.orm.environment import Environment
from odoo_stand_in.orm.errors import AccessDenied
from odoo_stand_in.orm.pool import Pool
from odoo_stand_in.wire.errors import HttpProblem, OperationalError

VERSIONS: dict[Flavour, dict[str, Any]] = {
    flavour: {
        "server_version": f"{flavour}.0",
        "server_version_info": [int(flavour), 0, 0, "final", 0, ""],
        "server_serie": f"{flavour}.0",
        "protocol_version": 1,
    }
    for flavour in ("17", "19")
}
Rewrite = Callable[[str, list[dict[str, Any]]], list[dict[str, Any]]]
_RETRIED = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable)
TRIES = 5


class Services:
    """Everything that a protocol needs of the server."""

    def __init__(self, database: str, registry: Registry, pool: Pool) -> None:
        self.database = database
        self.registry = registry
        self.flavour: Flavour = registry.flavour
        self.pool = pool
        self.rewrite: Rewrite | None = None

    def dispatch(self, service: str, method: str, args: Sequence[Any]) -> Any:
        """Serve a call of one of the two services."""
        if service == "common":
            return self._common(method, args)
        if service == "object":
            return self._object(method, args)
        raise KeyError(service)

    def _common(self, method: str, args: Sequence[Any]) -> Any:
        if method == "version":
            return VERSIONS[self.flavour]
        if method in ("authenticate", "login"):
            database, login, secret = args[:3]
            self._check_database(database)
            with self.pool.transaction() as connection:
                return access.login(connection, str(login), str(secret or "")) or False
        raise Exception(f"Method not found: {method}")

    def _object(self, method: str, args: Sequence[Any]) -> Any:
        if self.flavour == "17" and len(args) < 3:
            raise IndexError("list index out of range")
        database, uid, secret, model, name, *rest = args
        self._check_database(database)
        if method not in ("execute", "execute_kw"):
            raise NameError(f"Method not available {method}")
        kwargs: dict[str, Any] = {}
        if method == "execute_kw":
            kwargs = rest[1] if len(rest) > 1 and rest[1] else {}
            rest = rest[0]
        return self.retried(lambda: self._execute(int(uid), str(secret or ""), model, name, rest, kwargs))

    def _execute(
        self, uid: int, secret: str, model: str, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        with self.pool.transaction() as connection:
            if not secret:
                raise AccessDenied
            env = self.environment(connection, uid)
            if not access.holds(connection, uid, secret):
                raise AccessDenied
            return self.rewritten(model, name, records.call(env, model, name, args, kwargs))

    @staticmethod
    def retried(work: Callable[[], Any]) -> Any:
        """Try again when a concurrent transaction got in the way, as Odoo does."""
        for left in reversed(range(TRIES)):
            try:
                return work()
            except _RETRIED:
                if not left:
                    raise
                # No secret depends on this: a random wait lets the other transactions end.
                time.sleep(random.uniform(0, 0.1 * (TRIES - left)))  # noqa: S311
        return None

    def rewritten(self, model: str, method: str, result: Any) -> Any:
        """Return the answer to a read as a test wants it (`StandIn.rewrite`)."""
        if self.rewrite is not None and method in ("read", "search_read"):
            return self.rewrite(model, result)
        return result

    def _check_database(self, database: Any) -> None:
        if database != self.database:
            raise OperationalError(
                f'connection to server at "127.0.0.1", port 5432 failed: FATAL:  database "{database}" does not exist\n'
            )

    @contextmanager
    def as_key_owner(self, key: str) -> Iterator[Environment]:
        """Return the environment of the user whose API key this is."""
        with self.pool.transaction() as connection:
            uid = access.key_owner(connection, key)
            if uid is None:
                raise HttpProblem(401, "Invalid apikey")
            yield self.environment(connection, uid)

    def environment(self, connection: psycopg.Connection[Any], uid: int) -> Environment:
        """Return the environment of a user in an open transaction."""
        return Environment(connection, self.registry, access.load_user(connection, uid))
