"""What a log consists of."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Record:
    time: str
    worker: str
    level: str
    service: str
    lines: list[str]

    @property
    def message(self) -> str:
        return "\n".join(self.lines)


@dataclass
class Log:
    """The records, in the order of their first lines, and the lines that belong to none."""

    records: list[Record] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
