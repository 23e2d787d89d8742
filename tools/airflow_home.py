"""An Airflow of one's own in a folder: for the demo, the web interface and the end-to-end tests."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

from odoo_shadow.source.api.connection import OdooConnection
from odoo_stand_in import StandIn
from tools import processes
from tools.trouble import ToolError

REPOSITORY = Path(__file__).resolve().parents[1]
DAG_ID = "odoo_shadow_sync"
ODOO_CONNECTION, SHADOW_CONNECTION = "odoo_default", "odoo_shadow_db"

# Airflow 3.3 cannot test a stored connection that has no port (its pull request 73298).
_USUAL_PORTS = {"http": 80, "https": 443, "postgresql": 5432}
_LOOPBACK = "127.0.0.1,localhost"


def to_stand_in(odoo: StandIn) -> OdooConnection:
    """Connect to a stand-in: by its API key, which means JSON-2, where it knows that; else by the password."""
    return OdooConnection.parse(
        f"stand-in for Odoo {odoo.flavour}",
        host=odoo.url,
        database=odoo.database,
        login=odoo.login,
        password=odoo.api_key if odoo.flavour == "19" else odoo.password,
    )


class AirflowHome:
    """An Airflow that knows this checkout's DAGs and two connections: to Odoo and to the shadow.

    :param folder: holds everything: settings, SQLite metadata, logs.
    :param dags_folder: the repository's own by default.
    :param settings: further environment variables, such as `AIRFLOW__CORE__PARALLELISM`.
    :ivar env: the environment of its commands; no setting of an Airflow of the caller's own is in it.
    :ivar log: what its commands print.
    """

    def __init__(
        self,
        folder: Path,
        *,
        odoo: OdooConnection,
        shadow_url: str,
        dags_folder: Path = REPOSITORY / "dags",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # credentials are in it
        self.folder = folder
        self.log = folder / "airflow.log"
        self.log.touch(mode=0o600)
        self.connections = {ODOO_CONNECTION: _odoo(odoo), SHADOW_CONNECTION: to_postgres(shadow_url)}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self.env = {
            **inherited,
            # Airflow calls its own commands by name.
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH")))),
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), _LOOPBACK))),
            "no_proxy": ",".join(filter(None, (os.environ.get("no_proxy"), _LOOPBACK))),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            # The default looks the host up in the DNS.
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **(settings or {}),
        }

    def env_with_connections(self) -> dict[str, str]:
        """Return the environment with both connections in it, for commands that need no metadata database for them."""
        given = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in self.connections.items()}
        return {**self.env, **given}

    def make_database(self) -> None:
        """Make the metadata database. Raises `ToolError`."""
        self.command("db", "migrate")

    def store_connections(self) -> None:
        """Store both connections in the metadata database, where people see and edit them. Raises `ToolError`."""
        file = self.folder / "connections.json"
        file.touch(mode=0o600)
        try:
            file.write_text(json.dumps(self.connections), encoding="utf-8")
            self.command("connections", "import", str(file))
        finally:
            file.unlink()

    def command(self, *arguments: str) -> None:
        """Run an `airflow` command to its end. Raises `ToolError`."""
        if processes.run([sys.executable, "-m", "airflow", *arguments], self.env, self.log):
            raise ToolError(f"airflow {' '.join(arguments[:2])} failed.", log=self.log)


def _odoo(odoo: OdooConnection) -> dict[str, Any]:
    parts = urlsplit(odoo.url)
    extras = {  # all of them: Airflow's form for a stored connection leaves out what is not there
        "protocol": str(odoo.protocol),
        "verify": str(odoo.verify).lower() if isinstance(odoo.verify, bool) else odoo.verify,
        "timeout": odoo.timeout,
        "lang": odoo.lang,
        "company_ids": ",".join(map(str, odoo.company_ids)) or None,
        "max_connections": odoo.max_connections,
        "requests_per_second": odoo.requests_per_second,
        "hash_secret": odoo.hash_secret,
        "allow_http": odoo.allow_http,
    }
    return {
        "conn_type": "odoo",
        "description": "The Odoo that is mirrored; it is only read.",
        "host": parts._replace(netloc=parts.netloc.removesuffix(f":{parts.port}")).geturl(),
        "port": parts.port or _USUAL_PORTS[parts.scheme],
        "schema": odoo.database,
        "login": odoo.login,
        "password": odoo.password,
        "extra": json.dumps(extras),
    }


def to_postgres(url: str, description: str = "The PostgreSQL that holds the shadow.") -> dict[str, Any]:
    """Return the fields of an Airflow connection to a PostgreSQL database."""
    parts = conninfo_to_dict(url)
    known = {"host": "host", "schema": "dbname", "login": "user", "password": "password"}
    fields = {name: str(parts.pop(part)) for name, part in known.items() if parts.get(part)}
    return {
        "conn_type": "postgres",
        "description": description,
        **fields,
        "port": int(parts.pop("port", None) or _USUAL_PORTS["postgresql"]),
        # Airflow would take an empty object for a secret, and warn that it is too short to hide.
        "extra": json.dumps(parts) if parts else None,
    }
