"""Sliding-window rate limiting per client."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    allowed: bool
    retry_after: float


class SlidingWindowLimiter:
    """Allow each client `limit` requests in any interval of `window_seconds`."""

    def __init__(self, limit: int, window_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        if not window_seconds > 0:
            raise ValueError("window_seconds must be above 0")
        self._limit = limit
        self._window = window_seconds
        self._clock = clock
        self._hits: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, client: str) -> Decision:
        with self._lock:
            now = self._clock()
            self._prune(now)
            hits = self._hits.setdefault(client, deque())
            if len(hits) >= self._limit:
                return Decision(False, hits[0] + self._window - now)
            hits.append(now)
            return Decision(True, 0.0)

    def client_count(self) -> int:
        with self._lock:
            return len(self._hits)

    def _prune(self, now: float) -> None:
        for client, hits in list(self._hits.items()):
            while hits and now - hits[0] >= self._window:
                hits.popleft()
            if not hits:
                del self._hits[client]
