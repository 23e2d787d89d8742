"""The tables of models: their structure, and writing, removing and comparing their rows."""
