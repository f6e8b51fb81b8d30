"""The CSV format: rows of fields, which are text, or None where there is nothing at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from model import FormatError

FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,]*)')
SEPARATOR = re.compile(r",|\Z")


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
    record = ""
    for line in text.splitlines(keepends=True):
        record += line
        if record.count('"') % 2 == 0:
            record = record.removesuffix("\n").removesuffix("\r")
            if record:
                yield _split(record)
            record = ""
    if record:
        raise FormatError("a field is not enclosed properly at the end of the file")


def _split(record: str) -> list[str | None]:
    row: list[str | None] = []
    position = 0
    while position <= len(record):
        field = FIELD.match(record, position)
        if field is None or not SEPARATOR.match(record, field.end()):
            raise FormatError(f"a field is not enclosed properly: {record[position : position + 20]!r}")
        quoted, plain = field.groups()
        row.append(plain or None if quoted is None else quoted.replace('""', '"'))
        position = field.end() + 1
    return row
