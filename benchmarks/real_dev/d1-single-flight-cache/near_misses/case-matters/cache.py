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


class _Flight(Generic[V]):
    """A load that is under way."""

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.thread = threading.get_ident()
        self.landed = threading.Event()
        self.error: BaseException | None = None
        self.value: V

    def result(self) -> V:
        self.landed.wait()
        if self.error is not None:
            raise self.error
        return self.value


class SingleFlightCache(Generic[K, V]):
    def __init__(self, load: Callable[[K], V], ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not ttl > 0:
            raise ValueError("ttl must be above 0")
        self._load = load
        self._ttl = ttl
        self._clock = clock
        self._entries: dict[K, _Entry[V]] = {}
        self._flights: dict[K, _Flight[V]] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        with self._lock:
            now = self._clock()
            entry = self._entries.get(key)
            if entry is not None and now - entry.loaded_at < self._ttl:
                return entry.value
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = _Flight(now)
                is_pilot = True
            elif flight.thread == threading.get_ident():
                raise RuntimeError(f"loading {key!r} needs {key!r}")
            else:
                is_pilot = False
        if is_pilot:
            self._fly(key, flight)
        return flight.result()

    def invalidate(self, key: K) -> None:
        with self._lock:
            self._entries.pop(key, None)
            self._flights.pop(key, None)

    def _fly(self, key: K, flight: _Flight[V]) -> None:
        try:
            flight.value = self._load(key)
        except BaseException as error:
            flight.error = error
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
                if flight.error is None:
                    self._entries[key] = _Entry(flight.value, flight.started_at)
        flight.landed.set()
