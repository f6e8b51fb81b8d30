"""What `hybrideval report` costs on a large run, beside the row bootstrap that older tools do, in pure Python.

    python perf/report_cost.py [--records N]

By default 100,000 records in 200 lines of the matrix (4 suites and all together; 40 strategies and thresholds; 25 tasks
a suite; 25 seeds). Both start from the same `raw.jsonl`, as new processes; the bootstrap makes 1,000 resamples a line
and writes 200 pairs of numbers, the report everything that it always writes.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tabulate import tabulate

from pytest_hybrideval.core.domain import Outcome, TaskClass, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord, to_json

_SUITES, _TASKS = ("alpha", "beta", "gamma", "delta"), 25
_LINES: list[tuple[str, float | None]] = [("always-cloud", None), ("always-local", None)]
_LINES += [(name, float(5 * step)) for name in ("heuristic", "cascade") for step in range(1, 20)]
_MANIFEST = {
    "schema_version": 1,
    "run_id": "large",
    "finished_at": "2026-01-01T00:00:00+00:00",
    "agent": "scripted",
    "sandbox": "none",
    "prices": "packaged",
    "models": {},
}

_PLAIN_BOOTSTRAP = """
import json, random, sys

lines = {}
with open(sys.argv[1]) as file:
    for row in map(json.loads, file):
        passed = row["outcome"] == "passed"
        for scope in (row["suite"], "*"):
            lines.setdefault((scope, row["strategy"], row["threshold"]), []).append(passed)
chance = random.Random(42)
for key, rows in lines.items():
    means = sorted(sum(chance.choices(rows, k=len(rows))) / len(rows) for _ in range(1000))
    print(key, means[25], means[974])
"""


def measure(records: int = 100_000) -> list[dict[str, Any]]:
    """Seconds and peak MiB of both, and ours over theirs."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "large")
        run.mkdir()
        (run / "manifest.json").write_text(json.dumps(_MANIFEST))
        with (run / "raw.jsonl").open("w") as file:
            file.writelines(json.dumps(row) + "\n" for row in _rows(records))
        plain = _run([sys.executable, "-c", _PLAIN_BOOTSTRAP, str(run / "raw.jsonl")])
        ours = _run([sys.executable, "-m", "pytest_hybrideval.cli", "report", str(run)])
    return [
        {"what": "row bootstrap, pure Python", "records": records, "s": plain[0], "peak MiB": plain[1], "s ratio": 1.0},
        {
            "what": "hybrideval report, everything",
            "records": records,
            "s": ours[0],
            "peak MiB": ours[1],
            "s ratio": ours[0] / plain[0],
        },
    ]


def _rows(records: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(42)
    seeds = max(1, records // (len(_LINES) * len(_SUITES) * _TASKS))
    for strategy, threshold in _LINES:
        cloudy = {"always-cloud": 1.0, "always-local": 0.0}.get(strategy, 1.0 - (threshold or 0.0) / 100.0)
        template = to_json(_record(strategy, threshold))
        for suite in _SUITES:
            for number in range(_TASKS):
                chance_of_passing = min(1.0, 0.55 + 0.4 * cloudy + 0.01 * (number % 5))
                for seed in range(seeds):
                    task = f"{suite}/task-{number}"
                    passed = chance.random() < chance_of_passing
                    row = {
                        "trial": f"{task}[{strategy}-{threshold}-{seed}]",
                        "task": task,
                        "suite": suite,
                        "seed": seed,
                    }
                    yield {
                        **template,
                        **row,
                        "outcome": "passed" if passed else "failed",
                        "tokens": _tokens(cloudy, chance),
                    }


def _tokens(cloudy: float, chance: random.Random) -> dict[str, Any]:
    total = chance.randint(5_000, 20_000)
    parts = {Tier.CLOUD: int(total * cloudy), Tier.LOCAL: total - int(total * cloudy)}
    return {
        tier.value: vars(TierTokens(calls=2, prompt=3 * part // 4, completion=part // 4))
        for tier, part in parts.items()
        if part
    }


def _record(strategy: str, threshold: float | None) -> TrialRecord:
    return TrialRecord(
        trial="",
        task="",
        suite="",
        task_class=TaskClass.D1,
        task_digest="0",
        strategy=strategy,
        threshold=threshold,
        seed=0,
        agent="scripted",
        local_model="ollama/small",
        cloud_model="openai/gpt-5.5",
        simulated=False,
        outcome=Outcome.PASSED,
    )


def _run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak MiB of a process."""
    counted = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); "
    counted += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    started = time.perf_counter()
    ended = subprocess.run([sys.executable, "-c", counted, *command], stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - started, int(ended.stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    print(tabulate(measure(parser.parse_args().records), headers="keys", floatfmt=".4g"))


if __name__ == "__main__":
    main()
