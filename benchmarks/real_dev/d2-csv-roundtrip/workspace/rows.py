"""The CSV format: rows of fields as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def write_rows(rows: Iterable[list[str]]) -> str:
    """Rows as CSV text."""
    return "".join(",".join(_quote(field) for field in row) + "\r\n" for row in rows)


def _quote(field: str) -> str:
    if "," in field or '"' in field or "\n" in field:
        return '"' + field.replace('"', '""') + '"'
    return field


def read_rows(text: str) -> Iterator[list[str]]:
    """The rows of a CSV text; blank lines are skipped."""
    for line in text.splitlines():
        if line:
            yield _split(line)


def _split(line: str) -> list[str]:
    fields = []
    field = ""
    quoted = False
    for char in line:
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            fields.append(field)
            field = ""
        else:
            field += char
    fields.append(field)
    return fields
