"""Run the commands of a text file: python app.py COMMANDS [STORE]."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import desk
import lending
from store import FileStore


def run(lines: Iterable[str], path: str | Path) -> list[str]:
    """The answers to the lines, in order, with the loans kept in the file `path`."""
    lending.use_store(FileStore(path))
    return [desk.handle(line) for line in lines if line.strip()]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as commands:
        for answer in run(commands, sys.argv[2] if len(sys.argv) > 2 else "lending.json"):
            print(answer)
