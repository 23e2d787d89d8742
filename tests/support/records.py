"""Records that a test makes on a server and takes away again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import psycopg

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.types import Argument, Context, Json, Record
from tests.support.servers import OdooServer

ARCHIVED_TOO: Context = {"active_test": False}
Values = Mapping[str, Argument]


class Records:
    """Makes records with a prefix of their own, and deletes them in the end, the newest first."""

    def __init__(self, hook: OdooHook, server: OdooServer) -> None:
        self.hook = hook
        self.server = server
        self.prefix = f"odoo-shadow-test-{uuid.uuid4().hex[:8]}"
        self._made: list[tuple[str, list[int]]] = []

    def create(self, model: str, values: Sequence[Values], context: Context | None = None) -> list[int]:
        """Create records in one call; what has no `name` gets one with the prefix."""
        named = [{"name": f"{self.prefix} {number}", **one} for number, one in enumerate(values)]
        kwargs: dict[str, Argument] = {"context": context} if context else {}
        ids = ids_of(self.hook.execute_kw(model, "create", [named], kwargs))
        self._made.append((model, ids))
        return ids

    def partner(self, **values: Argument) -> int:
        """Create one partner."""
        return self.create("res.partner", [values])[0]

    def partners(self, count: int, **values: Argument) -> list[int]:
        """Create partners that are alike, in one call."""
        return self.create("res.partner", [values] * count)

    def product(self, **values: Argument) -> tuple[int, int]:
        """Create a product template; return its id and that of its only variant."""
        (template,) = self.create("product.template", [values])
        (variant,) = self.hook.search("product.product", [("product_tmpl_id", "=", template)])
        self._made.append(("product.product", [variant]))  # by itself, as Odoo keeps messages of cascaded records
        return template, variant

    def write(self, model: str, ids: Sequence[int], context: Context | None = None, **values: Argument) -> None:
        """Write the same values on records, in one call."""
        kwargs: dict[str, Argument] = {"context": context} if context else {}
        assert self.hook.execute_kw(model, "write", [list(ids), values], kwargs) is True

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete records now."""
        assert self.hook.execute_kw(model, "unlink", [list(ids)]) is True

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str], **options: Context | str) -> list[Record]:
        """Read records by id, archived ones too."""
        context = options.pop("context", {})
        assert isinstance(context, Mapping)
        load = str(options.get("load", ""))
        return self.hook.search_read(
            model, [("id", "in", list(ids))], fields, order="id", context={**ARCHIVED_TOO, **context}, load=load
        )

    def read_partner(self, partner: int, *fields: str, **options: Context | str) -> Record:
        """Read one partner."""
        (record,) = self.read("res.partner", [partner], fields, **options)
        return record

    def write_dates(self, model: str, ids: Sequence[int]) -> list[datetime]:
        """Return the records' write_date as the API tells it, by ascending id."""
        return [moment(record["write_date"]) for record in self.read(model, ids, ["write_date"])]

    def settle(self, model: str, ids: Sequence[int]) -> list[datetime]:
        """Let time pass between what was written and what will be, and return the write_dates of now.

        With a DSN the rows are dated back, else the server's clock must reach the next second.
        """
        if self.server.dsn is not None:
            statement = psycopg.sql.SQL("UPDATE {} SET write_date = write_date - interval '1 hour' WHERE id = ANY(%s)")
            with psycopg.connect(self.server.dsn, autocommit=True) as connection:
                connection.execute(statement.format(psycopg.sql.Identifier(model.replace(".", "_"))), [list(ids)])
        dates = self.write_dates(model, ids)
        while self.server.dsn is None and self.clock() <= max(dates):
            time.sleep(0.05)
        return dates

    def clock(self) -> datetime:
        """Return the server's clock of right now."""
        self.hook.search("res.partner", [], limit=1)
        return self.hook.get_conn().server_time()

    def clean_up(self) -> None:
        """Delete what is left."""
        for model, ids in reversed(self._made):
            left = self.hook.search(model, [("id", "in", ids)], context=ARCHIVED_TOO)
            if left:
                self.unlink(model, left)


def ids_of(answer: Json) -> list[int]:
    """Check that an answer is a list of ids."""
    assert isinstance(answer, list)
    ids = [item for item in answer if isinstance(item, int)]
    assert len(ids) == len(answer)
    return ids


def moment(value: Json) -> datetime:
    """Read a datetime as the API tells it."""
    assert isinstance(value, str)
    return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
