"""Edge Functions, run by the real Deno as Supabase runs them: over HTTP, with nothing but their own variables."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tools import processes

DENO = Path(sys.executable).with_name("deno")
FUNCTIONS = Path(__file__).parents[2] / "engine" / "odoo_shadow" / "starter" / "supabase" / "functions"
SERVICE_KEY = "eyJhbGciOiJub25lIn0.service-role.key1"
SECONDS_TO_START = 60.0
_LISTENS = re.compile(r"Listening on (http://127\.0\.0\.1:\d+)/")


@dataclass(frozen=True)
class EdgeFunction:
    """A function that is being served.

    :param url: of the function itself.
    :param log: what it has printed.
    """

    url: str
    log: Path

    def ask(
        self,
        method: str = "GET",
        path: str = "",
        *,
        key: str | None = SERVICE_KEY,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | Iterator[bytes] | None = None,
    ) -> requests.Response:
        """Send a request, with a bearer token unless that is None."""
        bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between this machine and itself
            return session.request(
                method,
                self.url + path,
                headers={**bearer, **(headers or {})},
                json=json,
                data=data,
                timeout=60,
                allow_redirects=False,
            )

    def start(
        self, job: str = "sync_odoo_shadow", *, idempotency_key: str | None = None, **params: object
    ) -> requests.Response:
        """Ask ops-job-worker to start a job."""
        key = {} if idempotency_key is None else {"idempotency_key": idempotency_key}
        return self.ask("POST", json={"job_slug": job, "params": params, **key})


def deno_environment() -> dict[str, str]:
    """Return what Deno itself needs, and nothing that leads anywhere else."""
    cache = Path(tempfile.gettempdir()) / f"odoo-shadow-deno-{os.getuid()}"
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "DENO_DIR": str(cache),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
    }


@contextmanager
def edge_function(name: str, folder: Path, functions: Path = FUNCTIONS, /, **settings: str) -> Iterator[EdgeFunction]:
    """Serve a function until the end of the block.

    :param folder: where its log is written.
    :param functions: the folder of all functions, if it is not the one that is written into projects.
    :param settings: its variables.
    """
    log = folder / f"{name}-{time.monotonic_ns()}.log"
    environment = {
        **deno_environment(),
        "SUPABASE_SERVICE_ROLE_KEY": SERVICE_KEY,
        **settings,
        "DENO_SERVE_ADDRESS": "tcp:127.0.0.1:0",
    }
    command = [str(DENO), "run", "--no-remote", "--no-prompt", "--allow-net", "--allow-env"]
    process = processes.start([*command, str(functions / name / "index.ts")], environment, log)
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while (found := _LISTENS.search(log.read_text(encoding="utf-8"))) is None:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "the function does not start"
            time.sleep(0.02)
        yield EdgeFunction(f"{found[1]}/{name}", log)
    finally:
        processes.end(process)
