"""Which errors there were."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from records import Record

TRACEBACK = "Traceback (most recent call last):"


def error_kinds(records: Iterable[Record]) -> dict[str | None, int]:
    """How many records of the level ERROR there are of each kind; None stands for those without a traceback."""
    return dict(Counter(error_kind(record) for record in records if record.level == "ERROR"))


def error_kind(record: Record) -> str | None:
    """The kind of error that the traceback of a record shows."""
    kind = None
    inside = True
    for line in record.lines:
        if line == TRACEBACK:
            inside = True
        elif inside and re.match(r"[A-Za-z_][\w.]*(:|$)", line):
            kind = line.partition(":")[0]
            inside = False
    return kind
