"""Where a trial's seconds go: aider, model calls through the gateway, scoring, and what is ours. Embedded models.

    python perf/stages.py [pytest arguments]

Runs the benchmarks once (by default one seed of every task under `heuristic`) and prints medians over the trials, their
share, and the session's wall time per trial beside them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

ROOT = Path(__file__).parents[1]
DEFAULT = ["benchmarks", "--strategy", "heuristic", "--seeds", "42"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        arguments = sys.argv[1:] or DEFAULT
        command = [sys.executable, "-m", "pytest", "-q", *arguments]
        command += ["--hybrid-results-dir", folder, "--hybrid-run-id", "run"]
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        wall = time.perf_counter() - started
        records = [json.loads(line) for line in Path(folder, "run", "raw.jsonl").read_text().splitlines()]
    stages = [record["stages"] for record in records]
    parts = {
        "aider itself": [s["agent"] - s["model"] for s in stages],
        "model calls (gateway and simulated model)": [s["model"] for s in stages],
        "scoring (sandbox, hidden tests)": [s["scoring"] for s in stages],
        "ours (staging, diff, verdict)": [s["total"] - s["agent"] - s["scoring"] for s in stages],
    }
    total = statistics.median(s["total"] for s in stages)
    rows = [(name, statistics.median(values), statistics.median(values) / total) for name, values in parts.items()]
    rows.append(("whole trial", total, 1.0))
    print(tabulate(rows, headers=["part", "median s", "share"], floatfmt=("", ".4f", ".1%")))
    print(
        f"\n{len(records)} trials in {wall:.1f} s wall: {wall / len(records):.2f} s per trial, pytest's start included"
    )


if __name__ == "__main__":
    main()
