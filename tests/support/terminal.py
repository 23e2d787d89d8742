"""The program on a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import subprocess

from tests.support.shell import PROGRAM, Shell


def run_on_a_terminal(shell: Shell, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Run the program on a pseudo-terminal; return its exit code and all that it showed."""
    leader, follower = pty.openpty()
    env = shell.changed_env(TERM="xterm", COLUMNS="120", LINES="40")
    process = subprocess.Popen([PROGRAM, *arguments], env=env, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    os.write(leader, typed.encode())
    shown = bytearray()
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return process.wait(30), shown.decode()
