"""Child processes in sessions of their own, so that nobody is left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import SystemRandom

import psutil

from tools.signals import held_back
from tools.trouble import ToolError

SECONDS_TO_END = 10.0


def start(command: Sequence[str], env: Mapping[str, str], log: Path, *, given: str = "") -> subprocess.Popen[bytes]:
    """Start a command in a session of its own; what it prints is appended to the log.

    :param given: what it reads from its standard input, which nobody else sees.
    """
    with log.open("ab") as stream, tempfile.TemporaryFile() as read, held_back():
        read.write(given.encode())
        read.seek(0)
        return subprocess.Popen(  # noqa: S603 - the commands are this project's own
            command, env=env, stdin=read, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )


def run(command: Sequence[str], env: Mapping[str, str], log: Path, *, given: str = "") -> int:
    """Run a command as `start` begins it, to its end and that of all that it leaves behind; return its exit code."""
    process = start(command, env, log, given=given)
    try:
        return process.wait()
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command that `start` began, with all that lives in its session.

    Airflow puts each task into a process group of its own, so ending the command's group would leave tasks running.
    """
    _signal_all(process, "terminate")
    deadline = time.monotonic() + SECONDS_TO_END
    while _session(process) and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.05)
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command that `start` began, with all that lives in its session: at once, as a machine goes off."""
    while _session(process):
        _signal_all(process, "kill")
        process.poll()
        time.sleep(0.05)
    process.wait()


def has_in_session(process: subprocess.Popen[bytes], pid: int) -> bool:
    """Say whether a process is one of those that a command of `start` has brought up."""
    return any(member.pid == pid for member in _session(process))


def _signal_all(process: subprocess.Popen[bytes], action: str) -> None:
    for member in _session(process):
        try:
            getattr(member, action)()
        except psutil.NoSuchProcess:
            continue


def _session(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the living processes of the command's session."""
    found = []
    for candidate in psutil.process_iter():
        try:
            if os.getsid(candidate.pid) == process.pid and candidate.status() != psutil.STATUS_ZOMBIE:
                found.append(candidate)
        except (OSError, psutil.Error):
            continue
    return found


def free_port(preferred: int | None = None) -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens at: the preferred one if it is free.

    Others are below those that systems give to who asks for any (from 32768 on): until somebody listens there, one of
    these would soon be given to somebody else.

    :raises ToolError: none was found.
    """
    others = SystemRandom().sample(range(20_000, 32_768), 100)
    for port in others if preferred is None else [preferred, *others]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ToolError("There is no free TCP port.")
