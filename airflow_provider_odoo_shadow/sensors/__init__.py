"""Sensors: they wait for the shadow, for other teams' DAGs."""
