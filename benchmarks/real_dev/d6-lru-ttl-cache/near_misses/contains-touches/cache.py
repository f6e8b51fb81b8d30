"""An LRU cache with weights, expiry, statistics and shared loading."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


class _Unset:
    """The type of the marker for arguments that were not given."""


_UNSET = _Unset()


@dataclass(frozen=True)
class Stats:
    hits: int = 0
    misses: int = 0
    evictions: int = 0
    expirations: int = 0


@dataclass(frozen=True)
class _Entry:
    value: Any
    weight: float
    expires: float | None


class _Load:
    """A loader that runs, and what came of it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def result(self) -> Any:
        self.done.wait()
        if self.error is not None:
            raise self.error
        return self.value


class Cache:
    """Holds the most recently used entries up to a total weight."""

    def __init__(
        self,
        max_weight: float,
        *,
        ttl: float | None = None,
        weigh: Callable[[Any, Any], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not max_weight > 0:
            raise ValueError("max_weight must be above 0")
        self._max_weight = max_weight
        self._ttl = _checked_ttl(ttl)
        self._weigh = weigh or (lambda key, value: 1)
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._loads: dict[Hashable, _Load] = {}
        self._weight: float = 0
        self._hits = self._misses = self._evictions = self._expirations = 0

    def put(self, key: Hashable, value: Any, *, ttl: float | None | _Unset = _UNSET) -> bool:
        lifetime = self._ttl if isinstance(ttl, _Unset) else _checked_ttl(ttl)
        weight = self._weighed(key, value)
        with self._lock:
            self._loads.pop(key, None)
            return self._store(key, value, weight, lifetime)

    def get(self, key: Hashable, default: Any = None) -> Any:
        with self._lock:
            entry = self._read(key)
        return default if entry is None else entry.value

    def get_or_load(self, key: Hashable, loader: Callable[[], Any]) -> Any:
        with self._lock:
            entry = self._read(key)
            if entry is not None:
                return entry.value
            load = self._loads.get(key)
            waits = load is not None
            if load is None:
                load = self._loads[key] = _Load()
        if not waits:
            self._run(key, load, loader)
        return load.result()

    def delete(self, key: Hashable) -> bool:
        with self._lock:
            self._loads.pop(key, None)
            entry = self._entries.get(key)
            if entry is None:
                return False
            return not self._remove_counting_expiry(key, self._clock())

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._loads.clear()
            self._weight = 0

    def purge(self) -> int:
        with self._lock:
            now = self._clock()
            expired = [key for key, entry in self._entries.items() if _is_expired(entry, now)]
            for key in expired:
                self._remove_counting_expiry(key, now)
            return len(expired)

    def stats(self) -> Stats:
        with self._lock:
            return Stats(self._hits, self._misses, self._evictions, self._expirations)

    @property
    def weight(self) -> float:
        with self._lock:
            return self._weight

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return self.get(key, _UNSET) is not _UNSET

    def _run(self, key: Hashable, load: _Load, loader: Callable[[], Any]) -> None:
        """Call the loader without the lock and store its result unless the load was called off meanwhile."""
        weight: float = 0
        try:
            load.value = loader()
            weight = self._weighed(key, load.value)
        except BaseException as error:
            load.error = error
        finally:
            with self._lock:
                if self._loads.get(key) is load:
                    del self._loads[key]
                    if load.error is None:
                        self._store(key, load.value, weight, self._ttl)
            load.done.set()

    def _weighed(self, key: Hashable, value: Any) -> float:
        weight = self._weigh(key, value)
        if not weight >= 0:
            raise ValueError("a weight must not be negative")
        return weight

    # The methods below need the lock.

    def _read(self, key: Hashable) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and self._drop_if_expired(key, entry):
            entry = None
        if entry is None:
            self._misses += 1
        else:
            self._hits += 1
            self._entries.move_to_end(key)
        return entry

    def _store(self, key: Hashable, value: Any, weight: float, ttl: float | None) -> bool:
        now = self._clock()
        if key in self._entries:
            self._remove_counting_expiry(key, now)
        if weight > self._max_weight:
            return False
        while self._weight + weight > self._max_weight:
            oldest = next(iter(self._entries))
            if not self._remove_counting_expiry(oldest, now):
                self._evictions += 1
        self._entries[key] = _Entry(value, weight, None if ttl is None else now + ttl)
        self._weight += weight
        return True

    def _drop_if_expired(self, key: Hashable, entry: _Entry) -> bool:
        now = self._clock()
        return _is_expired(entry, now) and self._remove_counting_expiry(key, now)

    def _remove_counting_expiry(self, key: Hashable, now: float) -> bool:
        """Remove an entry and tell whether it was expired."""
        entry = self._entries.pop(key)
        self._weight = self._weight - entry.weight if self._entries else 0
        expired = _is_expired(entry, now)
        self._expirations += expired
        return expired


def _checked_ttl(ttl: float | None) -> float | None:
    if ttl is not None and not ttl > 0:
        raise ValueError("ttl must be above 0")
    return ttl


def _is_expired(entry: _Entry, now: float) -> bool:
    return entry.expires is not None and now >= entry.expires
