"""A business whose figures hang together: what marts, dashboards and the questions in the docs are tried on."""
