"""The addresses that the page links to, below whatever path Airflow is served at."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from airflow_provider_odoo_shadow.transfers.watermark_variable import WatermarkVariable


@dataclass(frozen=True)
class Links:
    """Addresses without a host, so that they hold behind any proxy.

    :param airflow: the path of Airflow itself, without a slash at the end.
    :param page: the path of the page, without a slash at the end.
    """

    airflow: str
    page: str

    def overview(self) -> str:
        """Return the address of all mirrors."""
        return f"{self.page}/"

    def mirror(self, mirror: str) -> str:
        """Return the address of a mirror."""
        return f"{self.page}/mirrors/{_part(mirror)}"

    def table(self, mirror: str, table: str) -> str:
        """Return the address of a table."""
        return f"{self.mirror(mirror)}/tables/{_part(table)}"

    def start(self, mirror: str, table: str, what: str) -> str:
        """Return the address where a run for one table is started."""
        return f"{self.table(mirror, table)}/start/{_part(what)}"

    def static(self, name: str) -> str:
        """Return the address of the style sheet or the script."""
        return f"{self.page}/static/{_part(name)}"

    def dag(self, dag_id: str) -> str:
        """Return Airflow's own page of a DAG."""
        return f"{self.airflow}/dags/{_part(dag_id)}"

    def run(self, dag_id: str, run_id: str) -> str:
        """Return Airflow's own page of a run."""
        return f"{self.dag(dag_id)}/runs/{_part(run_id)}"

    def variable(self, mirror: str, table: str) -> str:
        """Return Airflow's own list of Variables, with the table's watermark only."""
        return f"{self.airflow}/variables?{urlencode({'name_pattern': WatermarkVariable(mirror, table).key})}"

    def connection(self, conn_id: str) -> str:
        """Return Airflow's own list of connections, with one connection only."""
        return f"{self.airflow}/connections?{urlencode({'name_pattern': conn_id})}"

    def pools(self) -> str:
        """Return Airflow's own list of pools."""
        return f"{self.airflow}/pools"

    def trigger(self, dag_id: str) -> str:
        """Return where Airflow's REST API starts a run."""
        return f"{self.airflow}/api/v2/dags/{_part(dag_id)}/dagRuns"

    def login(self, after: str) -> str:
        """Return Airflow's own login, which leads back to an address of the page."""
        return f"{self.airflow}/api/v2/auth/login?{urlencode({'next': after})}"


def _part(text: str) -> str:
    return quote(text, safe="")
