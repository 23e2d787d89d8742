"""The options that all commands about the marts share."""

from __future__ import annotations

import click

from odoo_shadow.marts.building import DEFAULT_TIME_ZONE, MartsSettings, check_time_zone
from odoo_shadow.marts.target import marts_schema
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig

marts_schema_option = click.option(
    "--marts-schema",
    metavar="NAME",
    help="The schema that the marts are in.  [default: odoo_marts; of other mirrors odoo_marts_ and their name]",
)
time_zone_option = click.option(
    "--time-zone",
    metavar="ZONE",
    help="Whose months and days count for times, such as Europe/Vienna.  [default: as the mirrors file says; UTC]",
)


def marts_settings(
    config: MirrorConfig | None, schema: str, given_schema: str | None, time_zone: str | None
) -> MartsSettings:
    """Return what the marts are: as the options say, then the mirrors file, then by default.

    :param schema: the shadow's.
    :raises MartsError: there is no such time zone.
    """
    name = given_schema or marts_schema(schema, config.name if config else None)
    zone = time_zone or (config.time_zone if config else DEFAULT_TIME_ZONE)
    return MartsSettings(name, check_time_zone(zone), config.mart_fields if config else {})
