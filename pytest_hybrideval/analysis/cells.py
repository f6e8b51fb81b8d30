"""Records pooled into the lines of the decision matrix. Thresholds and models are never pooled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from statistics import fmean
from typing import Any

import numpy as np

from pytest_hybrideval.analysis.bootstrap import row_percentile_bootstrap
from pytest_hybrideval.analysis.intervals import (
    Interval,
    cost_interval,
    exact_binomial_interval,
    mean_interval,
    ratio_interval,
)
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

ALL_SUITES = "*"
# The strategies that use one tier alone: every other one is measured by them.
ALWAYS_CLOUD, ALWAYS_LOCAL = CONTROLS = ("always-cloud", "always-local")
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
    `row_bootstrap` the ancestor's (None where every trial ended in an error). `cloud_interval` is the cloud fraction's,
    None where it is a constant by design or without tokens. `cost` is USD of all trials together, `cost_interval` is of
    the mean cost of a trial over tasks like these, None where every trial was free; times are seconds. `first_try` is
    the pass rate had the agent's first try been its last, with `first_try_interval`; None where it had one try only.
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
    cloud_interval: Interval | None
    cost: float
    cost_interval: Interval | None
    seconds: float
    first_try: float | None = None
    first_try_interval: Interval | None = None

    @property
    def cloud_fraction(self) -> float | None:
        """Cloud tokens over all tokens; None where there were none."""
        total = self.cloud.total + self.local.total
        return self.cloud.total / total if total else None

    @property
    def cost_per_solved(self) -> float | None:
        """USD of all trials over the number that passed; None where none did."""
        return self.cost / self.passed if self.passed else None

    @property
    def comparable(self) -> bool:
        """Whether few enough trials ended in errors."""
        return self.errors <= COMPARABLE_ERRORS * self.trials


def cells(records: Iterable[TrialRecord], cost: Callable[[TrialRecord], float], confidence: float = 0.95) -> list[Cell]:
    """Every cell of `grouped`. `cost` prices a record in USD."""
    return [cell(key, group, cost, confidence) for key, group in grouped(records).items()]


def grouped(records: Iterable[TrialRecord]) -> dict[CellKey, list[TrialRecord]]:
    """Every cell's records, cells in their order: each suite's and, where there are several suites, all together.

    A record without an agent (its trial ended before one was made) belongs to the run's agent if there is only one.
    """
    records = list(records)
    agents = {record.agent for record in records if record.agent}
    only = next(iter(agents)) if len(agents) == 1 else ""
    several = len({record.suite for record in records}) > 1
    groups: dict[tuple[Any, ...], list[TrialRecord]] = {}  # plain tuples: their hashes are quick
    for record in records:
        models = record.local_model, record.cloud_model, record.agent or only
        for scope in (record.suite, ALL_SUITES) if several else (record.suite,):
            groups.setdefault((scope, *models, record.strategy, record.threshold), []).append(record)
    keyed = {CellKey(*values): group for values, group in groups.items()}
    return dict(sorted(keyed.items(), key=lambda item: item[0].order))


def parts(record: TrialRecord, tier: Tier) -> list[TierTokens]:
    """A trial's tokens of a tier: the agent's and the strategy's own, as far as there are any."""
    return [side[tier] for side in (record.tokens, record.overhead) if tier in side]


def cell(
    key: CellKey, records: Sequence[TrialRecord], cost: Callable[[TrialRecord], float], confidence: float = 0.95
) -> Cell:
    """The cell of these records, which all belong to it."""
    outcomes = [record.outcome for record in records]
    passed, errors = outcomes.count(Outcome.PASSED), outcomes.count(Outcome.ERROR)
    worst = _task_means(records, error_counts=0.0)
    best = _task_means(records, error_counts=1.0)
    rows = [float(outcome is Outcome.PASSED) for outcome in outcomes if outcome is not Outcome.ERROR]
    costs = list(map(cost, records))
    first = _first_try(records, confidence) if any(record.most_tries > 1 for record in records) else (None, None)
    tokens = {tier: [parts(record, tier) for record in records] for tier in Tier}
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
        cloud=_added(tokens[Tier.CLOUD]),
        local=_added(tokens[Tier.LOCAL]),
        overhead_tokens=sum(part.total for record in records for part in record.overhead.values()),
        cloud_interval=None if key.strategy in CONTROLS else _cloud_interval(records, tokens, confidence),
        cost=sum(costs),
        cost_interval=_cost_interval(records, costs, confidence),
        seconds=float(np.mean([record.stages.total for record in records])),
        first_try=first[0],
        first_try_interval=first[1],
    )


def _first_try(records: Sequence[TrialRecord], confidence: float) -> tuple[float, Interval]:
    passed = [float(record.outcome is Outcome.PASSED and record.tries == 1) for record in records]
    # An error at the first try may have been a pass; at a later one the first had failed.
    possible = [
        1.0 if record.outcome is Outcome.ERROR and record.tries == 1 else value
        for record, value in zip(records, passed, strict=True)
    ]
    worst, best = _by_task(records, passed), _by_task(records, possible)
    return float(np.mean(worst)), mean_interval(worst, 0.0, 1.0, confidence, best=best)


def _task_means(records: Sequence[TrialRecord], error_counts: float) -> list[float]:
    values = [error_counts if r.outcome is Outcome.ERROR else float(r.outcome is Outcome.PASSED) for r in records]
    return _by_task(records, values)


def _trials_interval(passed: int, errors: int, trials: int, confidence: float) -> Interval:
    worst = exact_binomial_interval(passed, trials, confidence)
    best = exact_binomial_interval(passed + errors, trials, confidence)
    return Interval(worst.low, best.high, confidence)


_Tokens = Sequence[Sequence[TierTokens]]  # of each record


def _cloud_interval(
    records: Sequence[TrialRecord], tokens: Mapping[Tier, _Tokens], confidence: float
) -> Interval | None:
    cloud, local = (_by_task(records, _totals(tokens[tier])) for tier in (Tier.CLOUD, Tier.LOCAL))
    wholes = [part + other for part, other in zip(cloud, local, strict=True)]
    return ratio_interval(cloud, wholes, 0.0, 1.0, confidence) if any(wholes) else None


def _totals(tokens: _Tokens) -> list[float]:
    return [float(sum(part.total for part in own)) for own in tokens]


def _cost_interval(records: Sequence[TrialRecord], costs: Sequence[float], confidence: float) -> Interval | None:
    means = _by_task(records, costs)
    return cost_interval(means, confidence) if any(means) else None


def _by_task(records: Sequence[TrialRecord], values: Sequence[float]) -> list[float]:
    """The mean value of each task."""
    by_task: dict[str, list[float]] = {}
    for record, value in zip(records, values, strict=True):
        by_task.setdefault(record.task, []).append(value)
    return [fmean(group) for group in by_task.values()]


def _added(tokens: _Tokens) -> TierTokens:
    return TierTokens(*map(sum, zip(*(_COUNTS(part) for own in tokens for part in own), strict=True)))


_COUNTS = attrgetter(*(field.name for field in fields(TierTokens)))
