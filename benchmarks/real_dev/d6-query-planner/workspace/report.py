"""Prints the rows of a query as a table."""

from __future__ import annotations

from collections.abc import Sequence


def as_table(rows: Sequence[dict[str, object]]) -> str:
    if not rows:
        return "(no rows)"
    header = list(rows[0])
    cells = [header, *(["" if row[name] is None else str(row[name]) for name in header] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
