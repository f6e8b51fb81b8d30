"""From lines to records."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from lines import iter_chunks, iter_lines
from records import Log, Record

FIRST = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<worker>[\w-]+) "
    r"(?P<level>DEBUG|INFO|WARN|ERROR) (?P<service>[\w.-]+): (?P<text>.*)"
)
FURTHER = re.compile(r"\.\.\. (?P<worker>[\w-]+) \| ?(?P<text>.*)")


def read_log(path: Path) -> Log:
    """The log in a file."""
    return parse(iter_lines(iter_chunks(path)))


def parse(lines: Iterable[str]) -> Log:
    """The log in some lines."""
    log = Log()
    latest: dict[str, Record] = {}
    for line in lines:
        if not line:
            continue
        if first := FIRST.match(line):
            record = Record(first["time"], first["worker"], first["level"], first["service"], [first["text"]])
            log.records.append(record)
            latest[record.worker] = record
        elif (further := FURTHER.match(line)) and further["worker"] in latest:
            latest[further["worker"]].lines.append(further["text"])
        else:
            log.stray.append(line)
    return log
