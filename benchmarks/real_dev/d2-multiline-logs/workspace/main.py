"""Print the kinds of errors in a log. Usage: python main.py FILE"""

from __future__ import annotations

import sys
from pathlib import Path

from report import error_kinds
from worker_log import read_log


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        print("usage: python main.py FILE", file=sys.stderr)
        return 2
    log = read_log(Path(argv[0]))
    for kind, count in sorted(error_kinds(log.records).items(), key=lambda item: (-item[1], item[0] or "")):
        print(f"{count:>6}  {kind or '(no traceback)'}")
    if log.stray:
        print(f"{len(log.stray):>6}  stray lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
