"""Runs of the benchmarks with embedded models, for measuring: wall time, records by stage, peak memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Run:
    """One session: wall seconds with pytest's start, its trials' records, peak MiB of all its processes together."""

    wall: float
    records: list[dict[str, Any]]
    peak_mib: float


def run_benchmarks(arguments: Sequence[str]) -> Run:
    """Run pytest with these arguments in the repository. Raises `SystemExit` where it leaves no records."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", *arguments]
        command += ["--hybrid-results-dir", folder, "--hybrid-run-id", "run"]
        started = time.perf_counter()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
            peak = _peak_until_end(process)
            wall = time.perf_counter() - started
            records = Path(folder, "run", "raw.jsonl")
            if not records.exists():
                output.seek(0)
                raise SystemExit(f"{' '.join(command)} left no records:\n{output.read().decode()[-2000:]}")
        return Run(wall, [json.loads(line) for line in records.read_text().splitlines()], peak)


def stage_seconds(records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Median seconds per trial by part, and of the whole trial."""
    stages = [record["stages"] for record in records]
    parts = {
        "aider itself": [s["agent"] - s["model"] - s["queued"] for s in stages],
        "model calls (gateway and simulated model)": [s["model"] for s in stages],
        "the hidden tests' own time": [s["tests"] for s in stages],
        "sandbox and test runner": [s["scoring"] - s["tests"] for s in stages],
        "staging, diff, verdict": [s["total"] - s["agent"] - s["scoring"] for s in stages],
        "whole trial": [s["total"] for s in stages],
        "ours (all but model calls and tests' own)": [
            s["total"] - s["model"] - s["queued"] - s["tests"] for s in stages
        ],
    }
    return {name: statistics.median(values) for name, values in parts.items()}


def _peak_until_end(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; the most MiB that it and its descendants held at one time, shared pages counted in each."""
    peak = 0.0
    ended = threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    while not ended.wait(_SAMPLE_SECONDS):
        peak = max(peak, _tree_mib(process.pid))
    return peak


def _tree_mib(root: int) -> float:
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:  # it ended meanwhile
            continue
        parents[int(fields["Pid"])] = int(fields["PPid"])
        resident[int(fields["Pid"])] = int(fields.get("VmRSS", "0 kB").split()[0])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(resident.get(pid, 0) for pid in family) / 1024
