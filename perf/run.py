"""All speed figures in one run: trials, throughput, collection, gateway, statistics, memory. Embedded models only.

    python perf/run.py [--quick] [--json FILE]

Prints tables of medians and writes the same as JSON (by default `results/perf-<time>.json`). What is compared takes
turns within the run. `--quick` uses fewer tasks, items and rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import collection
import gateway
import statistics_cost
from tabulate import tabulate
from trials import ROOT, Run, run_benchmarks, stage_seconds

Row = dict[str, Any]


def trial_runs(tasks: list[str], seeds: str, rounds: int) -> dict[str, list[Run]]:
    """Sessions cold, warm, and warm with workers, in turns."""
    base = [*tasks, "--strategy", "heuristic", "--seeds", seeds]
    ways = {
        "cold": ["--hybrid-aider-warm", "off", "--hybrid-scoring-warm", "off"],
        "warm": ["--hybrid-aider-warm", "on", "--hybrid-scoring-warm", "on"],
        "-n 1": ["-n", "1"],
        "-n 2": ["-n", "2"],
        "-n 4": ["-n", "4"],
    }
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, options in ways.items():
            runs[way].append(run_benchmarks([*base, *options]))
    return runs


def stage_rows(runs: dict[str, list[Run]]) -> list[Row]:
    """Median seconds per trial by part, cold and warm side by side."""
    cold, warm = (stage_seconds([record for run in runs[way] for record in run.records]) for way in ("cold", "warm"))
    return [
        {"part": part, "cold s": cold[part], "warm s": warm[part], "cold / warm": cold[part] / (warm[part] or 1e-9)}
        for part in cold
    ]


def throughput_rows(runs: dict[str, list[Run]]) -> list[Row]:
    """Trials per minute of whole sessions, pytest's start included, and their peak memory."""
    rows: list[Row] = []
    for way in ("-n 1", "-n 2", "-n 4"):
        rate = statistics.median(60 * len(run.records) / run.wall for run in runs[way])
        peak = statistics.median(run.peak_mib for run in runs[way])
        first = rows[0]["trials per minute"] if rows else rate
        rows.append({"workers": way, "trials per minute": rate, "against -n 1": rate / first, "peak MiB": peak})
    return rows


def measure(quick: bool) -> dict[str, list[Row]]:
    """Every table by its title."""
    tasks = ["benchmarks/real_dev/d1-retry-decorator", "benchmarks/exercism/pig-latin"] if quick else ["benchmarks"]
    runs = trial_runs(tasks, "42,7" if quick else "42,7,13", 1 if quick else 3)
    sizes = (100, 10, 1) if quick else (100, 125, 3)
    return {
        "seconds per trial": stage_rows(runs),
        "throughput and memory": throughput_rows(runs),
        "collection": collection.measure(*sizes),
        "gateway": gateway.measure(200 if quick else 2000),
        "statistics": statistics_cost.measure(3 if quick else 9),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer tasks, items and rounds")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    started = time.perf_counter()
    tables = measure(options.quick)
    for title, rows in tables.items():
        print(f"\n{title}\n")
        print(tabulate(rows, headers="keys", floatfmt=".4g"))
    now = datetime.now(timezone.utc)
    target = options.json or ROOT / "results" / f"perf-{now:%Y%m%dT%H%M%SZ}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"at": now.isoformat(), "quick": options.quick, **tables}, indent=2) + "\n")
    print(f"\nmeasured in {time.perf_counter() - started:.0f} s; written to {target}")


if __name__ == "__main__":
    main()
