"""Airflow connections in their JSON form."""

from __future__ import annotations

import json

from psycopg.conninfo import conninfo_to_dict

from odoo_stand_in import StandIn


def odoo_connection(odoo: StandIn, **extras: object) -> str:
    """Return a stand-in's connection in Airflow's JSON form."""
    password = odoo.api_key if odoo.flavour == "19" else odoo.password
    login = {"login": odoo.login, "password": password}
    return json.dumps({"conn_type": "odoo", "host": odoo.url, "schema": odoo.database, **login, "extra": extras})


def shadow_connection(url: str) -> str:
    """Return a database's connection in Airflow's JSON form."""
    parts = conninfo_to_dict(url)
    return json.dumps(
        {"conn_type": "postgres", "host": parts["host"], "schema": parts["dbname"], "login": parts["user"]}
    )
