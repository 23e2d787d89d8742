"""Translates the shadow's address for dbt: into variables of the environment, never into a file or an argument.

`dbt/profiles.yml` reads them. What its adapter does not know, such as a channel binding, libpq reads by itself from its
own variables.
"""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import ConnectionInfo, pq

from odoo_shadow.marts.errors import MartsError
from odoo_shadow.postgres.address import read_address
from odoo_shadow.postgres.transport import protected
from odoo_shadow.shadow.errors import shadow_called
from odoo_shadow.shadow.state.visible import usual_marts_schema

PASSWORD = "DBT_ENV_SECRET_ODOO_SHADOW_PASSWORD"  # noqa: S105 - the name of a variable
"""dbt masks the values of variables that are called so wherever it writes."""

_OWN = {"host": "HOST", "port": "PORT", "user": "USER", "dbname": "DATABASE", "sslmode": "SSLMODE"}
_DEFAULT_PORT = "5432"


def marts_schema(schema: str, mirror: str | None = None) -> str:
    """Return the schema of a mirror's marts: `odoo_marts` for the default mirror, one of its own for each other.

    :param schema: the mirror's.
    :param mirror: its name in the mirrors file; None without a file, then its schema's name counts.
    """
    return usual_marts_schema(mirror or schema)


def connection_variables(name: str, url: str, schema: str) -> dict[str, str]:
    """Return the variables that lead dbt to the shadow's database, as the engine itself would connect.

    :param name: how messages call the address.
    :raises ShadowConfigurationError: the address cannot be used.
    :raises MartsError: dbt cannot use it.
    """
    called = shadow_called(name)
    parameters = protected(called, read_address(called, url, schema))
    if not parameters.get("port", _DEFAULT_PORT).isdigit():
        raise MartsError(f"Shadow database '{name}': dbt takes one port, not {parameters['port']}: name one.")
    return {**_of_libpq(parameters), **_of_profile(parameters)}


def place_variables(info: ConnectionInfo) -> dict[str, str]:
    """Return the variables that only an open connection knows: which of several hosts it has reached, and as whom."""
    return {
        "ODOO_SHADOW_HOST": info.host,
        "ODOO_SHADOW_PORT": str(info.port),
        "ODOO_SHADOW_USER": info.user,
        "ODOO_SHADOW_DATABASE": info.dbname,
    }


def _of_profile(parameters: Mapping[str, str]) -> dict[str, str]:
    own = {f"ODOO_SHADOW_{variable}": parameters[key] for key, variable in _OWN.items() if key in parameters}
    return {**own, PASSWORD: parameters.get("password", "")}


def _of_libpq(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return libpq's variables; the password is in dbt's own, which it masks."""
    named = {option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    return {named[key]: value for key, value in parameters.items() if key in named and key != "password"}
