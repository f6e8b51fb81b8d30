"""Members in CSV files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from columns import COLUMNS, from_text, to_text
from model import FormatError, Member
from rows import read_rows, write_rows


def dumps(members: Iterable[Member]) -> str:
    """Members as CSV text."""
    rows = [[to_text(getattr(member, column)) for column in COLUMNS] for member in members]
    return write_rows([list(COLUMNS), *rows])


def loads(text: str) -> list[Member]:
    """The members in a CSV text."""
    rows = read_rows(text.removeprefix("\ufeff"))
    header = next(rows, None)
    if header is None:
        raise FormatError("the file has no header")
    members = []
    number = 1
    for row in rows:
        if len(row) != len(header):
            raise FormatError(f"record {number} has {len(row)} fields instead of {len(header)}")
        try:
            values = {column: from_text(column, text) for column, text in zip(header, row) if column in COLUMNS}
        except FormatError as error:
            raise FormatError(f"record {number}: {error}") from error
        members.append(Member(**values))
        number += 1 + sum((field or "").count("\n") for field in row)
    return members


def export_file(members: Iterable[Member], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(dumps(members))


def import_file(path: Path) -> list[Member]:
    with path.open(encoding="utf-8", newline="") as file:
        return loads(file.read())
