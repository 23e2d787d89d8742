"""An Airflow on this machine answers to this machine's own names only.

A page in somebody's browser may resolve its own name to 127.0.0.1 (DNS rebinding), and would then count as the same
site as Airflow; but the browser still sends that name.
"""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin
from starlette.middleware.trustedhost import TrustedHostMiddleware

LOCAL = ["127.0.0.1", "localhost"]


class LocalHosts(AirflowPlugin):
    """Refuses requests to other hosts."""

    name = "local_hosts"
    fastapi_root_middlewares = [  # noqa: RUF012 - as Airflow declares it
        {
            "name": "local hosts",
            "middleware": TrustedHostMiddleware,
            "kwargs": {"allowed_hosts": LOCAL, "www_redirect": False},
        }
    ]
