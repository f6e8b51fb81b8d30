"""A cache that loads each value once, however many threads ask for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class _Entry(Generic[V]):
    value: V
    loaded_at: float


class SingleFlightCache(Generic[K, V]):
    def __init__(self, load: Callable[[K], V], ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not ttl > 0:
            raise ValueError("ttl must be above 0")
        self._load = load
        self._ttl = ttl
        self._clock = clock
        self._entries: dict[K, _Entry[V]] = {}
        self._loading: set[K] = set()
        self._invalidated: set[K] = set()
        self._lock = threading.RLock()

    def get(self, key: K) -> V:
        with self._lock:
            now = self._clock()
            entry = self._entries.get(key)
            if entry is not None and now - entry.loaded_at < self._ttl:
                return entry.value
            if key in self._loading:
                raise RuntimeError(f"loading {key!r} needs {key!r}")
            self._loading.add(key)
            self._invalidated.discard(key)
            try:
                value = self._load(key)
                if key not in self._invalidated:
                    self._entries[key] = _Entry(value, now)
                return value
            finally:
                self._loading.discard(key)

    def invalidate(self, key: K) -> None:
        self._invalidated.add(key)
        self._entries.pop(key, None)
