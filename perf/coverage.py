"""How often 95 % intervals hold the truth: ours beside bootstraps, in simulated experiments whose truth is known.

    python perf/coverage.py [--quick] [--json FILE]

A task's pass rate is Beta distributed around the true rate so that two seeds of one task are correlated by 1/2; for
differences, half of the tasks are equally hard for both strategies. The bootstrap of rows resamples trials, those of
tasks resample task means (scipy). Where BCa finds no limits, because all tasks agree, it counts as a point at the mean.
Experiments with the same task means in another order are judged once.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import DegenerateDataWarning, bootstrap
from tabulate import tabulate

from pytest_hybrideval.analysis import mean_interval, paired_interval, row_percentile_bootstrap
from pytest_hybrideval.analysis.planner import difference_distribution

_SPREAD, _AGREEMENT, _RESAMPLES = 0.5, 0.5, 1000

Row = dict[str, Any]
Limits = tuple[float, float]


@dataclass(frozen=True)
class Setting:
    """What is simulated: a pass rate, or its difference from a baseline's."""

    tasks: int
    seeds: int
    rate: float
    baseline: float | None = None

    def __str__(self) -> str:
        what = f"rate {self.rate}" if self.baseline is None else f"difference {self.rate} - {self.baseline}"
        return f"{what}, {self.tasks} tasks x {self.seeds} seeds"


SETTINGS = [
    Setting(8, 3, 0.96),
    Setting(8, 3, 0.99),
    Setting(100, 5, 0.96),
    Setting(100, 5, 0.99),
    Setting(8, 3, 0.92, 0.96),
    Setting(100, 5, 0.92, 0.96),
]


def measure(experiments: int) -> list[Row]:
    """A row per setting and method."""
    return [row for setting in SETTINGS for row in _compare(setting, experiments)]


def _compare(setting: Setting, experiments: int) -> list[Row]:
    # A strategy that never passes as the baseline makes a difference a rate.
    baseline = setting.baseline or 0.0
    values, probabilities = difference_distribution(
        candidate=setting.rate, baseline=baseline, spread=_SPREAD, agreement=_AGREEMENT, seeds=setting.seeds
    )
    counts = np.random.default_rng(42).multinomial(setting.tasks, probabilities, size=experiments)
    distinct, times = np.unique(counts, axis=0, return_counts=True)
    means = [np.repeat(values, count) for count in distinct]
    truth = setting.rate - baseline
    return [
        {"setting": str(setting), "method": name, **_judge([method(one) for one in means], times, truth)}
        for name, method in _methods(setting).items()
    ]


def _judge(limits: list[Limits], times: NDArray[np.int64], truth: float) -> Row:
    """Coverage with its Monte Carlo standard error, mean width, and how often all of an interval missed to one side."""
    low, high = np.array(limits).T
    shares = times / times.sum()
    above, below = float(shares @ (low > truth)), float(shares @ (high < truth))
    coverage = 1.0 - above - below
    error = math.sqrt(coverage * (above + below) / times.sum())
    width = float(shares @ (high - low))
    return {"coverage": coverage, "s.e.": error, "mean width": width, "too high": above, "too low": below}


def _methods(setting: Setting) -> dict[str, Callable[[NDArray[np.float64]], Limits]]:
    resampled = {
        "bootstrap of tasks, percentile": lambda means: _bootstrap(means, "percentile"),
        "bootstrap of tasks, BCa": lambda means: _bootstrap(means, "BCa"),
    }
    if setting.baseline is not None:
        return {"paired_interval (ours)": _paired, **resampled}
    return {
        "mean_interval (ours)": _mean,
        "bootstrap of rows, percentile": lambda means: _rows(means, setting.seeds),
        **resampled,
    }


def _mean(means: NDArray[np.float64]) -> Limits:
    interval = mean_interval(means, 0.0, 1.0)
    return interval.low, interval.high


def _paired(means: NDArray[np.float64]) -> Limits:
    interval = paired_interval(means)
    return interval.low, interval.high


def _rows(means: NDArray[np.float64], seeds: int) -> Limits:
    trials = means.size * seeds
    passed = round(float(means.sum()) * seeds)
    interval = row_percentile_bootstrap(np.arange(trials) < passed, resamples=_RESAMPLES)
    return interval.low, interval.high


def _bootstrap(means: NDArray[np.float64], method: Literal["percentile", "BCa"]) -> Limits:
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        found = bootstrap((means,), np.mean, n_resamples=_RESAMPLES, method=method, rng=np.random.default_rng(42))
    limits = found.confidence_interval
    if np.isnan(limits.low):
        return float(means.mean()), float(means.mean())
    return float(limits.low), float(limits.high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the experiments")
    parser.add_argument("--json", type=Path, help="where the figures go too")
    options = parser.parse_args()
    experiments = 1000 if options.quick else 10_000
    started = time.perf_counter()
    rows = measure(experiments)
    print(tabulate(rows, headers="keys", floatfmt=".3f"))
    print(f"\n{experiments} experiments per setting, {time.perf_counter() - started:.0f} s")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"experiments": experiments, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
