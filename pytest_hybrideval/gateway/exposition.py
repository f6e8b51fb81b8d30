"""Counters, gauges and histograms in Prometheus' text format 0.0.4. Used from one event loop only, so without locks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, ...]


class Family(ABC):
    """One metric with its label names; a series for each combination of values that was met."""

    kind = "untyped"

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        """`text` is what `# HELP` says."""
        self.name = name
        self._text = text
        self._labels = tuple(labels)

    def lines(self) -> Iterator[str]:
        """HELP, TYPE, and a line per sample."""
        yield f"# HELP {self.name} {_escaped(self._text, quotes=False)}"
        yield f"# TYPE {self.name} {self.kind}"
        for suffix, labels, value in self.samples():
            yield f"{self.name}{suffix}{_braced(labels)} {_number(value)}"

    @abstractmethod
    def samples(self) -> Iterator[tuple[str, Iterable[tuple[str, str]], float]]:
        """Name suffix, labels and value of every sample."""


class Value(Family):
    """A number per series that goes up (a counter), or up and down (a gauge)."""

    def __init__(self, kind: str, name: str, text: str, labels: Sequence[str] = ()) -> None:
        """`kind` is "counter" or "gauge". Without labels there is one series, from the beginning."""
        super().__init__(name, text, labels)
        self.kind = kind
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, amount: float, *labels: str) -> None:
        """Add to a series; one that is new begins at 0."""
        self._values[labels] = self._values.get(labels, 0.0) + amount

    def samples(self) -> Iterator[tuple[str, Iterable[tuple[str, str]], float]]:
        """One sample per series."""
        for labels, value in self._values.items():
            yield "", zip(self._labels, labels, strict=True), value


class Histogram(Family):
    """How many observations were at most as large as each bound, their number and their sum."""

    kind = "histogram"

    def __init__(self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        """`bounds` are the buckets' upper ends, ascending, without infinity."""
        super().__init__(name, text, labels)
        self._bounds = (*bounds, math.inf)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count one observation."""
        counts = self._counts.setdefault(labels, [0] * len(self._bounds))
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def samples(self) -> Iterator[tuple[str, Iterable[tuple[str, str]], float]]:
        """The buckets, cumulative, then sum and count, for each series."""
        for labels, counts in self._counts.items():
            own = tuple(zip(self._labels, labels, strict=True))
            total = 0
            for bound, count in zip(self._bounds, counts, strict=True):
                total += count
                yield "_bucket", (*own, ("le", _number(bound))), total
            yield "_sum", own, self._sums[labels]
            yield "_count", own, total


def exposition(families: Iterable[Family]) -> bytes:
    """What `/metrics` answers."""
    return "".join(f"{line}\n" for family in families for line in family.lines()).encode()


def _braced(labels: Iterable[tuple[str, str]]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    if value == math.inf:
        return "+Inf"
    return repr(int(value)) if float(value).is_integer() else repr(float(value))
