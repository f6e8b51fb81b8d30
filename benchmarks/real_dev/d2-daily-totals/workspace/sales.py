"""Sales as the tills write them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from timestamps import parse_time


@dataclass(frozen=True)
class Sale:
    store: str
    at: datetime
    cents: int


def read_sales(lines: Iterable[str]) -> Iterator[Sale]:
    """The sales of a file of JSON lines; empty lines are skipped."""
    for line in lines:
        if line.strip():
            record = json.loads(line)
            yield Sale(record["store"], parse_time(record["at"]), record["cents"])
