"""List the sessions found in access logs."""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

LINE = re.compile(
    r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:Z|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-5][0-9]))"
    r" (?P<address>\S+) (?P<id>\S+) [0-9]{3} (?P<bytes>[0-9]+|-)"
    r' "(?:[^"\\]|\\["\\])*" "(?P<agent>(?:[^"\\]|\\["\\])*)"'
)
HEADER = ("start", "end", "seconds", "address", "agent", "requests", "bytes")


@dataclass(frozen=True)
class Request:
    time: datetime
    id: str
    address: str
    agent: str
    size: int


@dataclass
class Session:
    start: datetime
    end: datetime
    address: str
    agent: str
    requests: int = 0
    size: int = 0

    def add(self, request: Request) -> None:
        self.end = request.time
        self.requests += 1
        self.size += request.size


def parse_line(line: str) -> Request:
    """Return the request of the line. Raises ValueError if it is not of the form in LOG_FORMAT.md."""
    match = LINE.fullmatch(line)
    if not match:
        raise ValueError("not a request")
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    if offset >= timedelta(days=1):
        raise ValueError("no such offset")
    if match["sign"] == "-":
        offset = -offset
    try:
        time = datetime.fromisoformat(match["time"]).replace(tzinfo=timezone.utc)
    except OverflowError as error:
        raise ValueError("time out of range") from error
    size = 0 if match["bytes"] == "-" else int(match["bytes"])
    agent = re.sub(r"\\(.)", r"\1", match["agent"])
    return Request(time, match["id"], match["address"], agent, size)


def read_input(name: str) -> str:
    if name == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(name, "rb") as handle:
            data = handle.read()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    return data.decode("utf-8", errors="replace")


def find_sessions(requests: Iterable[Request], gap: timedelta) -> list[Session]:
    sessions: list[Session] = []
    current: dict[tuple[str, str], Session] = {}
    for request in sorted(requests, key=lambda request: request.time):
        client = (request.address, request.agent)
        session = current.get(client)
        if session is None or request.time - session.end > gap:
            session = current[client] = Session(request.time, request.time, *client)
            sessions.append(session)
        session.add(request)
    return sorted(sessions, key=lambda session: (session.start, session.address, session.agent))


class CsvLines(io.StringIO):
    """Ends rows in LF. The writer ends them in CRLF, for then it quotes both characters in cells."""

    def write(self, row: str) -> int:
        return super().write(row.removesuffix("\r\n") + "\n")


def to_csv(sessions: Iterable[Session]) -> str:
    buffer = CsvLines()
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    for session in sessions:
        start, end = (f"{time.replace(tzinfo=None).isoformat()}Z" for time in (session.start, session.end))
        seconds = int((session.end - session.start).total_seconds())
        writer.writerow([start, end, seconds, session.address, session.agent, session.requests, session.size])
    return buffer.getvalue()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sessions", description=__doc__)
    parser.add_argument("--gap", metavar="SECONDS", type=int, default=1800)
    parser.add_argument("files", metavar="FILE", nargs="*")
    args = parser.parse_args(argv)

    requests: dict[str, Request] = {}
    messages = []
    for name in args.files or ["-"]:
        try:
            text = read_input(name)
        except (OSError, EOFError, zlib.error) as error:
            print(f"sessions: cannot read {name}: {error}", file=sys.stderr)
            return 2
        for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
            try:
                request = parse_line(line)
            except ValueError as error:
                messages.append(f"sessions: {name}:{number}: {error}")
            else:
                requests.setdefault(request.id, request)

    sys.stdout.buffer.write(to_csv(find_sessions(requests.values(), timedelta(seconds=args.gap))).encode("utf-8"))
    sys.stdout.flush()
    for message in messages:
        print(message, file=sys.stderr)
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
