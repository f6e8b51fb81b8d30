"""Records pooled into the lines of the decision matrix. Thresholds and models are never pooled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_hybrideval.analysis.bootstrap import row_percentile_bootstrap
from pytest_hybrideval.analysis.intervals import Interval, exact_binomial_interval, mean_interval
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

ALL_SUITES = "*"
# With more errors than this the pass rates of two cells say little about their strategies.
COMPARABLE_ERRORS = 0.05


@dataclass(frozen=True)
class CellKey:
    """What the trials of one line have in common. `scope` is a suite's name, or `ALL_SUITES`."""

    scope: str
    local_model: str
    cloud_model: str
    agent: str
    strategy: str
    threshold: float | None

    @property
    def order(self) -> tuple[Any, ...]:
        """Where the line stands: suites by name, all together last; then models, strategy, threshold."""
        threshold = -math.inf if self.threshold is None else self.threshold
        last = self.scope == ALL_SUITES
        return last, self.scope, self.local_model, self.cloud_model, self.agent, self.strategy, threshold


@dataclass(frozen=True)
class Cell:
    """One line of the matrix.

    `pass_rate` is the mean over tasks of their seeds' mean, errors counted as not passed. `interval` is about tasks
    like these (Dirichlet weights with one unseen task), `trials_interval` about these tasks alone (Clopper-Pearson),
    `row_bootstrap` the ancestor's (None where every trial ended in an error). Costs are USD, times seconds.
    """

    key: CellKey
    simulated: bool
    tasks: int
    trials: int
    passed: int
    failed: int
    errors: int
    pass_rate: float
    interval: Interval
    trials_interval: Interval
    row_bootstrap: Interval | None
    cloud: TierTokens
    local: TierTokens
    overhead_tokens: int
    cost: float
    seconds: float

    @property
    def cloud_fraction(self) -> float | None:
        """Cloud tokens over all tokens; None where there were none."""
        total = self.cloud.total + self.local.total
        return self.cloud.total / total if total else None

    @property
    def comparable(self) -> bool:
        """Whether few enough trials ended in errors."""
        return self.errors <= COMPARABLE_ERRORS * self.trials


def cells(records: Iterable[TrialRecord], cost: Callable[[TrialRecord], float], confidence: float = 0.95) -> list[Cell]:
    """Every cell, each suite's and, where there are several suites, all together. `cost` prices a record in USD.

    A record without an agent (its trial ended before one was made) belongs to the run's agent if there is only one.
    """
    records = list(records)
    agents = {record.agent for record in records if record.agent}
    only = next(iter(agents)) if len(agents) == 1 else ""
    several = len({record.suite for record in records}) > 1
    groups: dict[CellKey, list[TrialRecord]] = {}
    for record in records:
        for scope in (record.suite, ALL_SUITES) if several else (record.suite,):
            groups.setdefault(_key(record, scope, record.agent or only), []).append(record)
    ordered = sorted(groups.items(), key=lambda item: item[0].order)
    return [_cell(key, group, cost, confidence) for key, group in ordered]


def _key(record: TrialRecord, scope: str, agent: str) -> CellKey:
    return CellKey(scope, record.local_model, record.cloud_model, agent, record.strategy, record.threshold)


def _cell(
    key: CellKey, records: Sequence[TrialRecord], cost: Callable[[TrialRecord], float], confidence: float
) -> Cell:
    outcomes = [record.outcome for record in records]
    passed, errors = outcomes.count(Outcome.PASSED), outcomes.count(Outcome.ERROR)
    worst = _task_means(records, error_counts=0.0)
    best = _task_means(records, error_counts=1.0)
    rows = [float(outcome is Outcome.PASSED) for outcome in outcomes if outcome is not Outcome.ERROR]
    sides = {tier: _tokens(records, tier) for tier in Tier}
    return Cell(
        key=key,
        simulated=any(record.simulated for record in records),
        tasks=len(worst),
        trials=len(records),
        passed=passed,
        failed=outcomes.count(Outcome.FAILED),
        errors=errors,
        pass_rate=float(np.mean(worst)),
        interval=mean_interval(worst, 0.0, 1.0, confidence, best=best),
        trials_interval=_trials_interval(passed, errors, len(records), confidence),
        row_bootstrap=row_percentile_bootstrap(rows, confidence) if rows else None,
        cloud=sides[Tier.CLOUD],
        local=sides[Tier.LOCAL],
        overhead_tokens=sum(part.total for record in records for part in record.overhead.values()),
        cost=sum(map(cost, records)),
        seconds=float(np.mean([record.stages.total for record in records])),
    )


def _task_means(records: Sequence[TrialRecord], error_counts: float) -> list[float]:
    by_task: dict[str, list[float]] = {}
    for record in records:
        value = error_counts if record.outcome is Outcome.ERROR else float(record.outcome is Outcome.PASSED)
        by_task.setdefault(record.task, []).append(value)
    return [float(np.mean(values)) for values in by_task.values()]


def _trials_interval(passed: int, errors: int, trials: int, confidence: float) -> Interval:
    worst = exact_binomial_interval(passed, trials, confidence)
    best = exact_binomial_interval(passed + errors, trials, confidence)
    return Interval(worst.low, best.high, confidence)


def _tokens(records: Sequence[TrialRecord], tier: Tier) -> TierTokens:
    total = TierTokens()
    for record in records:
        total = total.merged(record.tier_tokens(tier))
    return total
