"""Where a trial's seconds go: aider, model calls through the gateway, scoring, and what is ours. Embedded models.

    python perf/stages.py [pytest arguments]

Runs the benchmarks once (by default one seed of every task under `heuristic`) and prints medians over the trials, their
share, and the session's wall time per trial beside them.
"""

from __future__ import annotations

import sys

from tabulate import tabulate
from trials import run_benchmarks, stage_seconds

DEFAULT = ["benchmarks", "--strategy", "heuristic", "--seeds", "42"]


def main() -> None:
    run = run_benchmarks(sys.argv[1:] or DEFAULT)
    parts = stage_seconds(run.records)
    total = parts["whole trial"]
    rows = [(name, seconds, seconds / total) for name, seconds in parts.items()]
    print(tabulate(rows, headers=["part", "median s", "share"], floatfmt=("", ".4f", ".1%")))
    count = len(run.records)
    print(f"\n{count} trials in {run.wall:.1f} s wall: {run.wall / count:.2f} s per trial, pytest's start included")


if __name__ == "__main__":
    main()
