"""Builds the marts, one build at a time, and reads what came of each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import sql

from odoo_shadow.marts.environment import Dbt
from odoo_shadow.marts.errors import MartsError
from odoo_shadow.marts.project import run_dbt
from odoo_shadow.marts.target import connection_variables, place_variables
from odoo_shadow.marts.whose import check_owners, check_whose
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction, check_schema
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.relations import MART_FRESHNESS
from odoo_shadow.text.time_zones import existing_zone

DEFAULT_TIME_ZONE = "UTC"


@dataclass(frozen=True)
class MartsSettings:
    """What the marts of a mirror are.

    :param marts_schema: the schema that they are in.
    :param time_zone: whose months and days count for times.
    :param fields: fields of one's own that come along, by model.
    """

    marts_schema: str
    time_zone: str = DEFAULT_TIME_ZONE
    fields: Mapping[str, tuple[str, ...]] | None = None

    def variables(self, schema: str) -> dict[str, object]:
        """Return the variables of the dbt project.

        :param schema: the shadow's.
        """
        return {
            "odoo_shadow_schema": schema,
            "odoo_shadow_internal_schema": internal_schema(schema),
            "odoo_marts_schema": self.marts_schema,
            "odoo_shadow_time_zone": self.time_zone,
            "odoo_shadow_pass_through": {
                model.replace(".", "_"): list(names) for model, names in (self.fields or {}).items()
            },
        }


@dataclass(frozen=True)
class Mart:
    """A mart after a build.

    :param built_at: None if it was left out.
    :param as_of: what was committed in Odoo before is in it.
    :param left_out_because: which model or field is not mirrored.
    """

    name: str
    built_at: datetime | None
    as_of: datetime | None
    rows: int | None
    left_out_because: str | None


@dataclass(frozen=True)
class Build:
    """What a build came to.

    :param failed: what did not go well, a sentence each.
    """

    marts: tuple[Mart, ...]
    failed: tuple[str, ...]
    output: str


def check_time_zone(name: str) -> str:
    """Return a zone's name, if there is such a zone.

    :raises MartsError: there is none.
    """
    try:
        return existing_zone(name)
    except ValueError as error:
        raise MartsError(f"time_zone: {error}.") from None


def build_marts(dbt: Dbt, shadow: ShadowDatabase, url: str, settings: MartsSettings) -> Build:
    """Build all marts and run their tests.

    :param url: the shadow's, as `shadow` was made from.
    :raises MartsError: another build is under way, the schema holds another shadow's marts, or dbt cannot begin.
    :raises ShadowError: the database cannot be reached.
    """
    check_schema(settings.marts_schema)
    with _alone(shadow, settings.marts_schema) as connection, tempfile.TemporaryDirectory(prefix="odoo-marts-") as made:
        own = {**connection_variables(shadow.name, url, shadow.schema), **connection}
        run = run_dbt(dbt, ["build"], connection=own, variables=settings.variables(shadow.schema), target=Path(made))
    if run.could_not_begin is not None:
        raise MartsError(f"dbt could not begin: {run.could_not_begin}.")
    with shadow.transaction() as tx:
        return Build(tuple(read_marts(tx, settings.marts_schema)), run.failed, run.output)


def read_marts(tx: Transaction, marts_schema: str) -> Iterator[Mart]:
    """Yield the marts that the last builds made or left out, by name; none if there was no build."""
    table = sql.Identifier(marts_schema, MART_FRESHNESS)
    name = table.as_string(tx.cursor)
    if tx.run("SELECT to_regclass({name})", name=name)[0][0] is None:
        return
    for row in tx.run(
        "SELECT mart, built_at, as_of, row_count, left_out_because FROM {table} ORDER BY mart", table=table
    ):
        yield Mart(*row)


@contextmanager
def _alone(shadow: ShadowDatabase, marts_schema: str) -> Iterator[dict[str, str]]:
    """Keep other builds out; yields what only an open connection knows of its address.

    The lock lives as long as its transaction, so that it works through a pooler, too, and ends with this process.
    """
    with shadow.transaction() as tx:
        tx.run("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
        check_owners(tx, marts_schema)
        is_free = tx.run(
            "SELECT pg_try_advisory_xact_lock(hashtextextended({name}, 15))", name=f"marts {marts_schema}"
        )[0][0]
        if not is_free:
            raise MartsError(f"The marts in schema '{marts_schema}' are being built already: wait until that ends.")
        # Going back lets go of the table that it reads: dbt may have to add a column to it, and would wait for ever.
        with tx.cursor.connection.transaction(force_rollback=True):
            check_whose(tx, marts_schema)
        yield place_variables(tx.cursor.connection.info)
