"""What the statistics cost: one interval over 150 tasks, and all cells of 5,000 records."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from pytest_hybrideval.analysis.cells import cells
from pytest_hybrideval.analysis.intervals import mean_interval
from pytest_hybrideval.core.domain import Outcome, TaskClass
from pytest_hybrideval.core.records import TrialRecord

_TASKS, _SEEDS, _STRATEGIES = 125, 10, ("always-cloud", "always-local", "heuristic", "cascade")


def measure(rounds: int) -> list[dict[str, Any]]:
    """Rows of median seconds."""
    chance = random.Random(42)
    values = [chance.randint(0, 10) / 10 for _ in range(150)]
    records = [
        _record(chance, task, seed, name) for task in range(_TASKS) for seed in range(_SEEDS) for name in _STRATEGIES
    ]
    return [
        {"what": "mean_interval, 150 tasks", "median s": _median(lambda: mean_interval(values, 0, 1), rounds)},
        {
            "what": f"cells, {len(records):,} records",
            "median s": _median(lambda: cells(records, lambda _: 0.01), rounds),
        },
    ]


def _record(chance: random.Random, task: int, seed: int, strategy: str) -> TrialRecord:
    name = f"perf/task-{task}"
    return TrialRecord(
        trial=f"{name}[{strategy}-s{seed}]",
        task=name,
        suite="perf",
        task_class=TaskClass.D5,
        task_digest="0",
        strategy=strategy,
        threshold=None,
        seed=seed,
        agent="scripted",
        local_model="simulated/small",
        cloud_model="simulated/large",
        simulated=True,
        outcome=chance.choice([Outcome.PASSED, Outcome.FAILED]),
    )


def _median(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
