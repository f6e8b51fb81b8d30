"""The log of working hours: a JSON file with a list of entries."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


class LogError(Exception):
    """The log cannot be read."""


@dataclass
class Entry:
    id: int
    day: str  # YYYY-MM-DD
    project: str
    minutes: int
    billable: bool = True
    tags: list[str] = field(default_factory=list)
    invoice: str | None = None
    note: str = ""


def load(path: Path) -> list[Entry]:
    """Return the entries in the order in which they were booked."""
    if not path.exists():
        return []
    try:
        return [Entry(**record) for record in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise LogError(f"cannot read {path}: {error}") from error


def save(path: Path, entries: list[Entry]) -> None:
    records = [asdict(entry) for entry in entries]
    path.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
