"""StandIn: the server as tests, the demo and benchmarks use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from odoo_stand_in.declared.schema import Flavour
from odoo_stand_in.invented import bulk, story
from odoo_stand_in.invented.schemas import SCHEMAS, registry_of
from odoo_stand_in.orm import ddl, live, records, reflecting
from odoo_stand_in.orm.access import load_user
from odoo_stand_in.orm.environment import Environment
from odoo_stand_in.orm.pool import Pool
from odoo_stand_in.wire.faults import Calls, Faults
from odoo_stand_in.wire.server import Application, Server
from odoo_stand_in.wire.services import Rewrite, Services

ADMIN = 2


class Caller:
    """Calls as the administrator inside one open transaction."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def execute(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """One call, with the first argument as ids where the method takes them."""
        return records.call(self._env, model, method, args, kwargs)


class StandIn:
    """A stand-in Odoo of one flavour with a database of its own.

    :param copied: from the database of the first such one, of which the server keeps a copy: filling takes seconds.
    """

    login = "admin"
    password = "admin"  # noqa: S105 - invented
    limited_login = "limited"
    limited_password = "limited"  # noqa: S105 - invented

    def __init__(
        self,
        postgres_url: str,
        flavour: Flavour = "17",
        database: str = "acme",
        seed: int = 1,
        scale: float = 1,
        schema: str = "standard",
        port: int = 0,
        *,
        copied: bool = False,
    ) -> None:
        self.flavour: Flavour = flavour
        self.database = database
        random = Random(f"keys-{seed}")  # noqa: S311 - invented keys must be the same for the same seed
        self.api_key, self.limited_api_key, self.expired_api_key = (random.randbytes(20).hex() for _ in range(3))
        self._port = port
        self._postgres_url = postgres_url
        self.dsn = _with_database(postgres_url, database)
        self.registry = registry_of(flavour, schema)
        self.faults = Faults()
        self.calls = Calls()
        kept = f"stand-in {flavour} {schema} {seed} {scale}"
        if copied and self._has_database(kept):
            self._create_database(template=kept)
        else:
            self._create_database()
            self._fill_database(schema, seed, scale)
            if copied:
                self._keep_copy(kept)
        self._pool = Pool(self.dsn)
        self._services = Services(database, self.registry, self._pool)
        self._server: Server | None = None

    def _has_database(self, name: str) -> bool:
        with psycopg.connect(self._postgres_url) as connection:
            return bool(connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchall())

    def _create_database(self, template: str | None = None) -> None:
        with psycopg.connect(self._postgres_url, autocommit=True) as connection:
            name = sql.Identifier(self.database)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            if template is None:
                statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'").format(name)
            else:
                statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template))
            connection.execute(statement)

    def _keep_copy(self, name: str) -> None:
        with psycopg.connect(self._postgres_url, autocommit=True) as connection:
            names = sql.Identifier(name), sql.Identifier(self.database)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))

    def _fill_database(self, schema: str, seed: int, scale: float) -> None:
        logins = story.Logins(
            self.password, self.limited_password, self.api_key, self.limited_api_key, self.expired_api_key
        )
        generator = story.populate(self.registry, schema, seed, scale, logins)
        with psycopg.connect(self.dsn) as connection:
            ddl.create_tables(connection, self.registry)
            generator.load(connection)
            ddl.finish(connection, self.registry)
            ddl.create_views(connection, self.registry)
            reflecting.reflect(connection, self.registry, self.registry.models.values())
            bulk.company_properties(connection, self.registry)
            SCHEMAS[schema].company_values(connection, self.registry)

    def start(self) -> Self:
        """Serve on 127.0.0.1."""
        self._pool.reopen()
        self._server = Server(Application(self._services, self.faults, self.calls), self._port)
        self._server.start()
        return self

    def stop(self) -> None:
        """End serving and let go of the database."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._pool.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it serves."""
        if self._server is None:
            raise RuntimeError("the stand-in is not started")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def rewrite(self) -> Rewrite | None:
        """A function (model, rows) -> rows that alters what reads answer; None for nothing."""
        return self._services.rewrite

    @rewrite.setter
    def rewrite(self, rewrite: Rewrite | None) -> None:
        self._services.rewrite = rewrite

    @contextmanager
    def transaction(self) -> Iterator[Caller]:
        """One open PostgreSQL transaction, committed at the end; its start is the write_date of all its writes."""
        with self._pool.transaction() as connection:
            connection.execute("SELECT 1")
            yield Caller(Environment(connection, self.registry, load_user(connection, ADMIN)))

    def execute(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """One call as the administrator, in a transaction of its own."""
        with self.transaction() as env:
            return env.execute(model, method, *args, **kwargs)

    def fill(self, model: str, count: int, **like: Any) -> None:
        """Add many rows fast; `like` gives columns that are the same in all of them."""
        with self._connect() as connection:
            bulk.fill(connection, self.registry, model, count, like)

    def add_field(self, model: str, name: str, type: str, **attrs: Any) -> None:  # noqa: A002 - Odoo's word
        """Add a field, as a developer or Studio adds one."""
        with self._connect() as connection:
            live.add_field(connection, self.registry, model, name, type, attrs)

    def remove_field(self, model: str, name: str) -> None:
        """Remove a field with its column."""
        with self._connect() as connection:
            live.remove_field(connection, self.registry, model, name)

    def add_model(
        self, name: str, fields: Mapping[str, str | Mapping[str, Any]] | None = None, *, label: str | None = None
    ) -> None:
        """Add a model; `fields` maps names to types, or to attributes with a `type`."""
        with self._connect() as connection:
            live.add_model(connection, self.registry, name, fields or {"x_name": "char"}, label)

    def add_view(self, name: str, view_sql: str, fields: Mapping[str, str] | None = None) -> None:
        """Add a model that is an SQL view; its columns are `id`, the fields, and those that Odoo itself adds."""
        with self._connect() as connection:
            live.add_view(connection, self.registry, name, view_sql, fields or {"x_name": "char"})

    def hide_late(self, model: str, ids: Iterable[int]) -> None:
        """Hide records as `mail.message` does those that a login may not see: a search's limit counts them."""
        self.registry.models[model].hidden_late = frozenset(ids)

    def uninstall(self, model: str) -> None:
        """Uninstall the model: the server does not know it any more."""
        with self._connect() as connection:
            live.uninstall(connection, self.registry, model)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn)


def _with_database(url: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{database}", parts.query, parts.fragment))
