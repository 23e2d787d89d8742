"""Marts: tables for analysts, which dbt makes from the shadow. The dbt project itself is in `dbt/`."""
