"""Trouble on demand: wrong statuses, pages of HTML, delays, closed connections."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Fault:
    """One kind of trouble for calls of a model or method (None: any); the `after` first ones pass, `times` fail."""

    model: str | None = None
    method: str | None = None
    times: int = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    delay: float = 0.0
    close: bool = False
    after: int = 0

    def matches(self, model: str, method: str) -> bool:
        """Whether a call is meant."""
        return self.model in (None, model) and self.method in (None, method)

    @property
    def answers(self) -> bool:
        """Whether it stands in for the answer, rather than only delaying it."""
        return self.status is not None or self.body is not None or self.close

    @property
    def content(self) -> bytes:
        """The body that is sent."""
        body = self.body if self.body is not None else ""
        return body if isinstance(body, bytes) else body.encode()


class Faults:
    """The faults in wait; safe to change while calls come in."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Let trouble wait for the next matching calls."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """No more trouble."""
        with self._lock:
            self._faults.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._faults)

    def take(self, model: str, method: str) -> Fault | None:
        """Return the fault for this call, if any; one that is used up is gone."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(model, method):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None


class Calls(list[tuple[str, str]]):
    """The (model or service, method) of every call received, in order."""
