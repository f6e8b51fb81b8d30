"""Flatten JSON lines to CSV."""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

Segment = tuple[int, int, str]
Path = tuple[Segment, ...]


class Number(str):
    """A JSON number as it was written."""


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse_record(line: bytes) -> dict[str, Any]:
    """Return the object of the line. Raises ValueError if there is none."""
    record = json.loads(line.decode("utf-8"), parse_int=Number, parse_float=Number, parse_constant=refuse_constant)
    if not isinstance(record, dict):
        raise ValueError("not an object")
    return record


def flatten(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict) and (value or not path):
        for key, item in value.items():
            yield from flatten(item, (*path, (1, 0, key)))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from flatten(item, (*path, (0, index, "")))
    else:
        yield path, cell(value)


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def column_name(path: Path) -> str:
    parts = []
    for is_key, index, key in path:
        parts.append("." + re.sub(r"[\\.\[]", r"\\\g<0>", key) if is_key else f"[{index}]")
    return "".join(parts).removeprefix(".")


def read_input(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    with open(name, "rb") as handle:
        return handle.read()


class CsvLines(io.StringIO):
    """Ends rows in LF. The writer ends them in CRLF, for then it quotes both characters in cells."""

    def write(self, row: str) -> int:
        return super().write(row.removesuffix("\r\n") + "\n")


def to_csv(rows: list[dict[Path, str]]) -> str:
    columns = sorted({path for row in rows for path in row})
    if not columns:
        return ""
    buffer = CsvLines()
    writer = csv.writer(buffer)
    writer.writerow(map(column_name, columns))
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return buffer.getvalue()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="flatten_jsonl", description=__doc__)
    parser.add_argument("files", metavar="FILE", nargs="*", default=["-"])
    args = parser.parse_args(argv)
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]

    try:
        inputs = [(name, read_input(name)) for name in args.files or ["-"]]
    except OSError as error:
        print(f"flatten_jsonl: {error.strerror}: {error.filename}", file=sys.stderr)
        return 2

    rows = []
    bad = 0
    for name, data in inputs:
        for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
            if not line.strip(b" \t\r"):
                continue
            try:
                rows.append(dict(flatten(parse_record(line))))
            except ValueError as error:
                bad += 1
                print(f"flatten_jsonl: {name}:{number}: {error}", file=sys.stderr)

    sys.stdout.buffer.write(to_csv(rows).encode("utf-8"))
    sys.stdout.flush()
    if bad:
        print(f"flatten_jsonl: bad lines: {bad}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
