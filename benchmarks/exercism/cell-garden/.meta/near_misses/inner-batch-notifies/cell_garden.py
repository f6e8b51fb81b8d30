# Calls the watchers at the end of every batch, also of an inner one.
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Callback = Callable[[str, Any, Any], object]


class CycleError(ValueError):
    """A cell would depend on itself."""


class Garden:
    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._plants: dict[str, tuple[list[str], Callable[..., Any]]] = {}
        self._dependents: defaultdict[str, set[str]] = defaultdict(set)
        self._watchers: dict[object, tuple[str, Callback]] = {}
        self._before: dict[str, Any] = {}
        self._batches = 0

    def set(self, name: str, value: Any) -> None:
        with self.batch():
            self._uproot(name)
            changed = self._store(name, value)
            self._update(self._downstream(name), {name} if changed else set())

    def plant(self, name: str, sources: list[str], function: Callable[..., Any]) -> None:
        sources = list(sources)
        order = self._downstream(name)
        if not set(sources).isdisjoint(order):
            raise CycleError(f"{name!r} would depend on itself")
        with self.batch():
            self._uproot(name)
            self._plants[name] = (sources, function)
            for source in sources:
                self._dependents[source].add(name)
            changed = self._store(name, self._calculate(name))
            self._update(order, {name} if changed else set())

    def get(self, name: str) -> Any:
        return self._values.get(name)

    def watch(self, name: str, callback: Callback) -> Callable[[], None]:
        registration = object()
        self._watchers[registration] = (name, callback)

        def cancel() -> None:
            self._watchers.pop(registration, None)

        return cancel

    @contextmanager
    def batch(self) -> Iterator[None]:
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
            if self._batches <= 1:
                self._notify()

    def _notify(self) -> None:
        changes = {name: old for name, old in self._before.items() if old != self._values[name]}
        self._before = {}
        for name, callback in list(self._watchers.values()):
            if name in changes:
                callback(name, changes[name], self._values[name])

    def _store(self, name: str, value: Any) -> bool:
        old = self.get(name)
        if old == value:
            return False
        self._before.setdefault(name, old)
        self._values[name] = value
        return True

    def _uproot(self, name: str) -> None:
        sources, _ = self._plants.pop(name, ([], None))
        for source in sources:
            self._dependents[source].discard(name)

    def _calculate(self, name: str) -> Any:
        sources, function = self._plants[name]
        values = [self.get(source) for source in sources]
        return None if any(value is None for value in values) else function(*values)

    def _update(self, order: list[str], changed: set[str]) -> None:
        for name in order[1:]:
            if not changed.isdisjoint(self._plants[name][0]) and self._store(name, self._calculate(name)):
                changed.add(name)

    def _downstream(self, start: str) -> list[str]:
        """The cell and all that depend on it, each one after its sources."""
        done: list[str] = []
        seen = {start}
        path = [(start, iter(self._dependents[start]))]
        while path:
            name, dependents = path[-1]
            following = next((other for other in dependents if other not in seen), None)
            if following is None:
                done.append(name)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(self._dependents[following])))
        return done[::-1]
