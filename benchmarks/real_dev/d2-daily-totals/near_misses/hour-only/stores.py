"""The stores and their clocks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path


@dataclass(frozen=True)
class Store:
    name: str
    zone: timezone
    day_start: time

    def business_day(self, moment: datetime) -> date:
        """The business day of this store to which a moment belongs."""
        local = moment.astimezone(self.zone)
        if local.hour < self.day_start.hour:
            return local.date() - timedelta(days=1)
        return local.date()


def parse_offset(text: str) -> timezone:
    """`+05:30` as a time zone."""
    hours, minutes = text.lstrip("+-").split(":")
    distance = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-distance if text.startswith("-") else distance)


def load_stores(path: Path) -> dict[str, Store]:
    """The stores of a `stores.json`, by name."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Store(name, parse_offset(entry["utc_offset"]), time.fromisoformat(entry["day_start"]))
        for name, entry in entries.items()
    }
