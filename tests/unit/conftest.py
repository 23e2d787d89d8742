"""No test of this folder has a server: it is what `make unit` runs, in seconds."""

from __future__ import annotations

import socket
import subprocess

import psycopg
import pytest


class ServerNeededError(Exception):
    """A test of tests/unit that needs a server belongs into another folder."""


def _refuse(*_: object, **__: object) -> None:
    raise ServerNeededError("tests/unit runs without servers and other programs")


@pytest.fixture(scope="session")
def postgres() -> None:
    """All servers of the tests stand on this one."""
    _refuse()


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections, listening and other programs."""
    for name in ("bind", "connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _refuse)
    monkeypatch.setattr(psycopg, "connect", _refuse)
    monkeypatch.setattr(subprocess, "Popen", _refuse)
