"""A cache whose entries expire."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any


class TtlCache:
    """Keeps values for `ttl` seconds of `clock`."""

    def __init__(self, ttl: float, clock: Callable[[], float]) -> None:
        self._ttl = ttl
        self._clock = clock
        self._entries: dict[Hashable, tuple[float, Any]] = {}

    def get_or_load(self, key: Hashable, load: Callable[[], Any]) -> Any:
        """The value of a key, from `load` if the cache has none."""
        entry = self._entries.get(key)
        if entry is not None and self._clock() - entry[0] < self._ttl:
            return entry[1]
        value = load()
        self._entries[key] = (self._clock(), value)
        return value

    def drop(self, key: Hashable) -> None:
        """Forget the value of a key, if there is one."""
        self._entries.pop(key, None)

    def drop_if(self, condition: Callable[[Any], bool]) -> None:
        """Forget the values for which a condition holds."""
        self._entries = {key: entry for key, entry in self._entries.items() if not condition(entry[1])}
