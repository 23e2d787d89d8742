"""A TCP proxy that makes trouble at chosen moments of a conversation: drops, truncates, holds back, kills."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, TypeAlias

Address: TypeAlias = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""

_CHUNK = 65536
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Moment:
    """A moment of a conversation: the client has sent `text` for the `nth` time, and `then` once after it.

    :param answered: wait until the server has carried it out and begins to answer; otherwise it does not hear of it.
    """

    text: bytes
    nth: int = 1
    then: bytes = b""
    answered: bool = False


class Link:
    """One client's connection.

    :ivar answer_left: bytes that the client still gets before the connection ends; None for all.
    :ivar replaced: what the server gets something else instead of, in what is passed on next.
    """

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near = near
        self.far = far
        self.answer_left: int | None = None
        self.replaced: tuple[bytes, bytes] | None = None
        self.at_answer: list[Action] = []

    def drop(self) -> None:
        """Break off: the client gets a reset, the server an end."""
        with contextlib.suppress(OSError):
            self.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            self.near.shutdown(socket.SHUT_RD)  # wakes the thread that reads
        self.near.close()
        self._close_far()

    def end(self) -> None:
        """Close in order, both sides."""
        with contextlib.suppress(OSError):
            self.near.shutdown(socket.SHUT_RDWR)
        self.near.close()
        self._close_far()

    def _close_far(self) -> None:
        with contextlib.suppress(OSError):
            self.far.shutdown(socket.SHUT_RDWR)
        self.far.close()


Action: TypeAlias = Callable[[Link], object]


def drop(link: Link) -> None:
    """Break the connection off."""
    link.drop()


def truncate(length: int) -> Action:
    """Pass on so many bytes of the answer, then close."""

    def cut_short(link: Link) -> None:
        link.answer_left = length

    return cut_short


def replace(text: bytes, other: bytes) -> Action:
    """Send a statement in place of a longer one, so that the message keeps its length."""

    def put(link: Link) -> None:
        link.replaced = text, other.ljust(len(text))

    return put


def hold_until(event: threading.Event) -> Action:
    """Hold everything back until something has happened."""
    return lambda _: event.wait(60)


@dataclass
class _Watch:
    """Waits for a moment. What the client sends may come in any pieces."""

    moment: Moment
    action: Action
    awaited: deque[bytes] = field(default_factory=deque)
    ends: dict[Link, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.awaited.extend([self.moment.text] * self.moment.nth)
        if self.moment.then:
            self.awaited.append(self.moment.then)

    def has_come(self, link: Link, data: bytes) -> bool:
        """Look at what a client sends; say whether this is the moment."""
        rest = self.ends.get(link, b"") + data
        while self.awaited and self.awaited[0] in rest:
            _, _, rest = rest.partition(self.awaited.popleft())
        longest = max(len(self.moment.text), len(self.moment.then))
        self.ends[link] = rest[-longest + 1 :]
        return not self.awaited


class TcpProxy:
    """Passes bytes on to a server, and at the moments that `at` names does something else.

    :ivar is_refusing: no new connections are served.
    :ivar lag: seconds that every piece is held back, in both directions.
    """

    def __init__(self, target: Address) -> None:
        self.is_refusing = False
        self.lag = 0.0
        self._target = target
        self._lock = threading.Lock()
        self._watches: list[_Watch] = []
        self._links: list[Link] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_all()

    def at(self, moment: Moment, action: Action) -> None:
        """Let something happen, once."""
        with self._lock:
            self._watches.append(_Watch(moment, action))

    @property
    def awaits(self) -> int:
        """How many moments have not come yet."""
        with self._lock:
            return len(self._watches)

    def drop_all(self) -> None:
        """Break all connections off."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.drop()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed in the end
            while True:
                near, _ = self._listener.accept()
                self._serve(near)

    def _serve(self, near: socket.socket) -> None:
        try:
            if self.is_refusing:
                raise ConnectionRefusedError
            far = _connect(self._target)
        except OSError:
            near.close()
            return
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(near, far)
        with self._lock:
            self._links.append(link)
        for pump in (self._pass_requests, self._pass_answers):
            threading.Thread(target=pump, args=(link,), daemon=True).start()

    def _pass_requests(self, link: Link) -> None:
        try:
            while data := link.near.recv(_CHUNK):
                self._pause()
                for action in self._due(link, data):
                    action(link)
                if link.replaced is not None:
                    data, link.replaced = data.replace(*link.replaced), None
                link.far.sendall(data)
            link.far.shutdown(socket.SHUT_WR)
        except OSError:  # a reset by the client, or `drop`
            link.end()

    def _pass_answers(self, link: Link) -> None:
        with contextlib.suppress(OSError):  # a reset by the server, or `drop`
            while data := link.far.recv(_CHUNK):
                self._pause()
                while link.at_answer:
                    link.at_answer.pop(0)(link)
                if link.answer_left is not None:
                    data = data[: link.answer_left]
                    link.answer_left -= len(data)
                link.near.sendall(data)
                if link.answer_left == 0:
                    break
        link.end()

    def _pause(self) -> None:
        if self.lag:
            time.sleep(self.lag)

    def _due(self, link: Link, data: bytes) -> list[Action]:
        """Return what is to be done before this is passed on; keep what is to be done at its answer."""
        with self._lock:
            come = [watch for watch in self._watches if watch.has_come(link, data)]
            self._watches = [watch for watch in self._watches if watch not in come]
        link.at_answer += [watch.action for watch in come if watch.moment.answered]
        return [watch.action for watch in come if not watch.moment.answered]


def _connect(target: Address) -> socket.socket:
    if isinstance(target, str):
        far = socket.socket(socket.AF_UNIX)
        far.connect(target)
        return far
    far = socket.create_connection(target)
    far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return far
