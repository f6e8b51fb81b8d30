"""Sliding-window rate limiting per client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    allowed: bool
    retry_after: float


class SlidingWindowLimiter:
    """Allow each client `limit` requests in any interval of `window_seconds`."""

    def __init__(
        self, limit: int, window_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        if not window_seconds > 0:
            raise ValueError("window_seconds must be above 0")
        self._limit = limit
        self._window = window_seconds
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def check(self, client: str) -> Decision:
        with self._lock:
            now = self._clock()
            self._prune(now)
            start, count = self._windows.get(client, (now, 0))
            if count >= self._limit:
                return Decision(False, start + self._window - now)
            self._windows[client] = (start, count + 1)
            return Decision(True, 0.0)

    def client_count(self) -> int:
        with self._lock:
            return len(self._windows)

    def _prune(self, now: float) -> None:
        for client, (start, _) in list(self._windows.items()):
            if now - start >= self._window:
                del self._windows[client]
