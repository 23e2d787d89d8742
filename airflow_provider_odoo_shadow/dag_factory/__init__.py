"""DAGs from YAML: one per mirror."""
