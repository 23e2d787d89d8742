"""What Airflow reads about this provider: the connection form, settings, modules."""

from __future__ import annotations


def get_provider_info() -> dict[str, object]:
    """Return the provider's metadata (entry point `apache_airflow_provider`)."""
    return {
        "package-name": "airflow-provider-odoo-shadow",
        "name": "Odoo Shadow",
        "description": "A verified, read-only shadow of an Odoo ERP in PostgreSQL or Supabase.",
        "integrations": [
            {
                "integration-name": "Odoo",
                "external-doc-url": "https://www.odoo.com/documentation",
                "how-to-guide": ["/docs/how-to/airflow.md", "/docs/how-to/wait-for-the-shadow.md"],
                "logo": "/docs/integration-logos/odoo-shadow.svg",
                "tags": ["service"],
            }
        ],
        "sensors": [
            {"integration-name": "Odoo", "python-modules": ["airflow_provider_odoo_shadow.sensors.odoo_shadow"]}
        ],
        "triggers": [
            {"integration-name": "Odoo", "python-modules": ["airflow_provider_odoo_shadow.triggers.odoo_shadow"]}
        ],
        "hooks": [{"integration-name": "Odoo", "python-modules": ["airflow_provider_odoo_shadow.hooks.odoo"]}],
        "transfers": [
            {
                "source-integration-name": "Odoo",
                "target-integration-name": "PostgreSQL",
                "python-module": "airflow_provider_odoo_shadow.transfers.odoo_to_postgres",
                "how-to-guide": "/docs/how-to/airflow.md",
            }
        ],
        "asset-uris": [
            {
                "schemes": ["odoo-shadow"],
                "handler": "airflow_provider_odoo_shadow.assets.odoo_shadow.sanitize_uri",
                "factory": "airflow_provider_odoo_shadow.assets.odoo_shadow.create_asset",
                "to_openlineage_converter": (
                    "airflow_provider_odoo_shadow.assets.odoo_shadow.convert_asset_to_openlineage"
                ),
            }
        ],
        "extra-links": [
            "airflow_provider_odoo_shadow.links.odoo_shadow.ShadowTableLink",
            "airflow_provider_odoo_shadow.links.odoo_shadow.OdooLink",
            "airflow_provider_odoo_shadow.links.odoo_shadow.LastVerificationLink",
        ],
        "notifications": ["airflow_provider_odoo_shadow.notifications.odoo_shadow.OdooShadowNotifier"],
        "connection-types": [
            {
                "connection-type": "odoo",
                "hook-class-name": "airflow_provider_odoo_shadow.hooks.odoo.OdooHook",
                "hook-name": "Odoo",
                "ui-field-behaviour": {
                    "hidden-fields": [],
                    "relabeling": {"host": "URL", "schema": "Database", "password": "Password or API key"},
                    "placeholders": {
                        "host": "https://erp.example.com",
                        "schema": "the Odoo database's name",
                        "login": "integration@example.com",
                        "port": "443, or the URL's port: without one Airflow cannot test the connection",
                    },
                },
                "conn-fields": _connection_fields(),
            }
        ],
        "config": {
            "odoo_shadow": {
                "description": "Settings of the Odoo shadow.",
                "options": {
                    "mirrors_file": {
                        "description": "The YAML file that describes the mirrors; "
                        "by default odoo_shadow.yaml beside the DAG file.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "/opt/airflow/config/odoo_shadow.yaml",
                        "default": "",
                    }
                },
            }
        },
    }


def _connection_fields() -> dict[str, object]:
    return {
        "protocol": {
            "label": "Protocol",
            "description": "auto takes JSON-2 from Odoo 19 on with an API key, else JSON-RPC.",
            "schema": {"type": ["string", "null"], "enum": ["auto", "json2", "jsonrpc", "xmlrpc"], "default": "auto"},
        },
        "verify": {
            "label": "Verify certificate",
            "description": "true, false, or the path of a CA file.",
            "schema": {"type": ["string", "null"], "default": "true"},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds to wait for an answer; Odoo itself ends a call after 120.",
            "schema": {"type": ["number", "null"], "default": 120},
        },
        "lang": {
            "label": "Language",
            "description": "Language of translated text, such as fr_FR; en_US when empty.",
            "schema": {"type": ["string", "null"]},
        },
        "company_ids": {
            "label": "Companies",
            "description": "Ids, such as 1,3; the first is the main one. Empty: all companies of the login.",
            "schema": {"type": ["string", "null"]},
        },
        "max_connections": {
            "label": "Connections",
            "description": "The most HTTP connections that one task keeps open.",
            "schema": {"type": ["integer", "null"], "default": 2},
        },
        "requests_per_second": {
            "label": "Requests per second",
            "description": "Most calls per second of a run; 1 is usual for hosted *.odoo.com. Empty: no limit.",
            "schema": {"type": ["number", "null"]},
        },
        "hash_secret": {
            "label": "Hash secret",
            "description": "Key of the fields that are kept only as a hash (hashed_fields): long and random.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "allow_http": {
            "label": "Allow http",
            "description": "Let the password travel unencrypted to an Odoo on another machine (http://).",
            "schema": {"type": ["boolean", "null"], "default": False},
        },
    }
