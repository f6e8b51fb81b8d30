"""Run the commands of a text file: python app.py COMMANDS [STORE]."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path

from desk import Desk
from lending import Lending
from reports import Reports
from store import FileStore, Store


def build(store: Store, clock: Callable[[], datetime]) -> Desk:
    lending = Lending(store, clock)
    return Desk(lending, Reports(lending, clock))


def run(lines: Iterable[str], path: str | Path) -> list[str]:
    """The answers to the lines, in order, with the loans kept in the file `path`."""
    desk = build(FileStore(path), lambda: datetime.now(timezone.utc))
    return [desk.handle(line) for line in lines if line.strip()]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as commands:
        for answer in run(commands, sys.argv[2] if len(sys.argv) > 2 else "lending.json"):
            print(answer)
