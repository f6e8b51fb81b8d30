"""How loud the services are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from records import Record


def levels_by_service(records: Iterable[Record]) -> dict[str, Counter[str]]:
    """How many records of each level a service has."""
    levels: dict[str, Counter[str]] = {}
    for record in records:
        levels.setdefault(record.service, Counter())[record.level] += 1
    return levels
