"""The CSV format: rows of fields, which are text, or None where there is nothing at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from model import FormatError

FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,\r\n]*)')
SEPARATOR = re.compile(r",|\r\n|\n|\Z")


def write_rows(rows: Iterable[Sequence[str | None]]) -> str:
    """Rows as CSV text."""
    return "".join(",".join(_quote(field) for field in row) + "\r\n" for row in rows)


def _quote(field: str | None) -> str:
    if field is None:
        return ""
    if field and not re.search(r'[,"\r\n]', field):
        return field
    return '"' + field.replace('"', '""') + '"'


def read_rows(text: str) -> Iterator[list[str | None]]:
    """The rows of a CSV text; blank lines are skipped."""
    row: list[str | None] = []
    position = 0
    while position < len(text) or row:
        field = FIELD.match(text, position)
        separator = SEPARATOR.match(text, field.end()) if field else None
        if field is None or separator is None:
            raise FormatError(f"a field is not enclosed properly: {text[position : position + 20]!r}")
        quoted, plain = field.groups()
        row.append(plain or None if quoted is None else quoted.replace('""', '"'))
        position = separator.end()
        if separator.group() != ",":
            if row != [None]:
                yield row
            row = []
