"""Sums over entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from entries import Entry


def minutes_by_project(entries: Iterable[Entry]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for entry in entries:
        totals[entry.project] += entry.minutes
    return dict(sorted(totals.items()))


def clock_format(minutes: int) -> str:
    sign = "-" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"
