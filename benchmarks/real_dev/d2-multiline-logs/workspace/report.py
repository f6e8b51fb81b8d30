"""Which errors there were."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from records import Record

KIND = re.compile(r"([\w.]*(?:Error|Exception)\b)")


def error_kinds(records: Iterable[Record]) -> dict[str | None, int]:
    """How many records of the level ERROR there are of each kind; None stands for those without a traceback."""
    return dict(Counter(error_kind(record) for record in records if record.level == "ERROR"))


def error_kind(record: Record) -> str | None:
    """The kind of error that the traceback of a record shows."""
    for line in record.lines:
        if match := KIND.match(line):
            return match[1]
    return None
