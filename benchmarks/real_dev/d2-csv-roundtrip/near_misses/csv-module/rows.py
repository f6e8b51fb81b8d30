"""The CSV format: rows of fields as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence


def write_rows(rows: Iterable[Sequence[str | None]]) -> str:
    """Rows as CSV text."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def read_rows(text: str) -> Iterator[list[str | None]]:
    """The rows of a CSV text; blank lines are skipped."""
    for row in csv.reader(io.StringIO(text, newline="")):
        if row:
            yield [field or None for field in row]
