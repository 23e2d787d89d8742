"""What the tasks of the marts' DAGs do: build with dbt, and compare with Odoo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.sides import both_sides
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.plugin.run_note import KEY, PREFIX
from odoo_shadow.marts.building import MartsSettings, build_marts
from odoo_shadow.marts.environment import find_dbt
from odoo_shadow.marts.errors import MartsError
from odoo_shadow.marts.proof.run import chosen_marts, prove_marts, sentences, verdict_of_all
from odoo_shadow.marts.target import marts_schema
from odoo_shadow.mirror.errors import VerificationError
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logger(__name__)

_MOST_NAMED = 10
_MOST_SENTENCES = 200


def build(mirror: DagConfig) -> None:
    """Build a mirror's marts and run their tests.

    :raises MartsError: dbt is not there, another build is under way, or a mart or a test failed.
    :raises ShadowError: the database cannot be reached.
    """
    dbt = find_dbt()
    with shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
        settings = MartsSettings(_schema(mirror), mirror.time_zone, mirror.mart_fields)
        outcome = build_marts(dbt, shadow, _address(shadow), settings)
    for mart in outcome.marts:
        what = f"{mart.rows} rows" if mart.left_out_because is None else f"left out: {mart.left_out_because}"
        log.info("%s: %s", mart.name, what)
    for problem in outcome.failed:
        log.error("%s", problem)
    if outcome.failed:
        raise MartsError(f"The marts are not all well: {first_of(outcome.failed, _MOST_NAMED, '; ')}.")


def verify(context: Context, mirror: DagConfig) -> None:
    """Compare a mirror's marts with Odoo, log every difference, and leave the run's note.

    :raises VerificationError: some figures are not Odoo's, or could not be compared.
    :raises MartsError: there are no marts.
    :raises OdooError, ShadowError: one side cannot be asked.
    """
    with both_sides(mirror) as (odoo, shadow):
        proofs = list(prove_marts(odoo, shadow, _schema(mirror), mirror.time_zone, chosen_marts(None)))
    for sentence in [item for proof in proofs for item in sentences(proof)][:_MOST_SENTENCES]:
        log.warning("%s", sentence)
    said = verdict_of_all(proofs)
    log.info("%s", said)
    context["ti"].xcom_push(key=KEY, value=f"{PREFIX}{said}")
    if not all(proof.is_good for proof in proofs):
        raise VerificationError(said)


def _schema(mirror: DagConfig) -> str:
    return marts_schema(mirror.schema_name, mirror.name)


def _address(shadow: ShadowDatabase) -> str:
    """Return where the shadow's connection leads, with its password: dbt gets it in variables of its environment."""
    with shadow.transaction() as tx:
        info = tx.cursor.connection.info
        return make_conninfo(info.dsn, password=info.password or None)
