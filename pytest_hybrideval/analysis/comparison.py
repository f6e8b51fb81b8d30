"""A strategy beside its baseline on common tasks and seeds: difference, verdict, savings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_hybrideval.analysis.arms import Arm, Paired, pair
from pytest_hybrideval.analysis.cells import CellKey
from pytest_hybrideval.analysis.intervals import Interval, holm, noninferiority_p, paired_interval, ratio_interval
from pytest_hybrideval.analysis.planner import least_tasks, required_tasks
from pytest_hybrideval.analysis.verdict import Verdict, verdict

HEAVY_TASK = 0.4
BY_DESIGN = "by design"


@dataclass(frozen=True)
class Savings:
    """1 - cost ratio over trials whose cost both sides know. No interval where it is a constant by design, or unknown.

    `note` says why a value or an interval is missing, or which task carries much of either side's cost; else empty.
    """

    value: float | None
    interval: Interval | None
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """A candidate beside its baseline over common tasks and seeds.

    `difference` is the mean over tasks of the candidate's pass rate minus the baseline's, a trial that ended in an
    error counted as not passed; `interval`, `p` and the verdict take the worst case of such trials. `p` tests "worse by
    the margin or more", `p_better` "no better"; `p_holm` and `p_better_holm` are adjusted for the family's comparisons.
    `more_tasks` is how many further tasks a non-inferiority verdict would about need, if there were no difference, and
    never fewer than the family needs where all tie; 0 where there is a verdict. `left_out` and `baseline_left_out`
    count the (task, seed) of either side that are not in `pairs`: the other side lacks them, or their task is one of
    `changed_tasks`. Not comparable: more than 5 % of one side's trials ended in errors, of all or of the pairs.
    """

    key: CellKey
    baseline: CellKey
    tasks: int
    pairs: int
    left_out: int
    baseline_left_out: int
    changed_tasks: tuple[str, ...]
    pass_rate: float
    baseline_pass_rate: float
    difference: float
    interval: Interval
    margin: float
    p: float
    p_better: float
    p_holm: float
    p_better_holm: float
    verdict: Verdict
    more_tasks: int
    savings: Savings


def compare(
    sides: Sequence[tuple[Arm, Arm]], margin: float, confidence: float = 0.95, *, free: frozenset[CellKey] = frozenset()
) -> list[Comparison]:
    """Compare each candidate with its baseline; all of them are one family for Holm's adjustment.

    Sides without a common task are left out. `free` are candidates that cost nothing by design. Raises ValueError for a
    margin outside [0, 1).
    """
    paired = [(candidate, baseline, pair(candidate, baseline)) for candidate, baseline in sides]
    kept = [three for three in paired if three[2].tasks]
    alone = [
        _alone(candidate, baseline, both, margin, confidence, candidate.key in free)
        for candidate, baseline, both in kept
    ]
    # An earlier run's line may have the very key of its candidate: each side answers for itself.
    comparable = [all(one.comparable for one in three) for three in kept]
    adjusted = holm([each.p for each in alone])
    better = holm([each.p_better for each in alone])
    alpha = (1.0 - confidence) / 2.0
    still_open = max(1, int(np.count_nonzero(adjusted > alpha)))
    least = least_tasks(margin, alpha / still_open) if alone and margin else 0
    return [
        _judged(each, float(p), float(q), enough, least)
        for each, p, q, enough in zip(alone, adjusted, better, comparable, strict=True)
    ]


def savings(both: Paired, confidence: float = 0.95, *, free: bool = False) -> Savings:
    """What row 0 saves against row 1. `free`: row 0 costs nothing by design, unless local time has a price.

    The cost ratio's interval is `ratio_interval` with the unseen task at 0 or at the largest task's ratio (at least 1).
    """
    priced = both.priced
    if not priced.tasks:
        return Savings(None, None, "no trial's cost is known on both sides")
    own, other = priced.costs
    if not other.sum():
        return Savings(None, None, "the baseline cost nothing")
    value = 1.0 - float(own.sum() / other.sum())
    if free and not own.sum():
        return Savings(value, None, BY_DESIGN)
    if np.any((other == 0.0) & (own > 0.0)):
        return Savings(value, None, "a task cost the baseline nothing: no interval")
    largest = float(np.max(own[other > 0.0] / other[other > 0.0]))
    ratio = ratio_interval(own, other, 0.0, max(1.0, largest), confidence)
    return Savings(value, Interval(1.0 - ratio.high, 1.0 - ratio.low, confidence), _heavy(priced))


def _heavy(priced: Paired) -> str:
    """Name a task that carries so much of one side's cost that it decides the savings."""
    for costs, whose in zip(priced.costs[::-1], ("the baseline's", "its own"), strict=True):
        task = int(np.argmax(costs))
        if costs[task] > HEAVY_TASK * costs.sum():
            return f"{priced.tasks[task]} alone is {100 * costs[task] / costs.sum():.0f} % of {whose}"
    return ""


def _alone(candidate: Arm, baseline: Arm, both: Paired, margin: float, confidence: float, free: bool) -> Comparison:
    """The comparison as if it were the only one of its family."""
    worst, best = both.worst[0] - both.best[1], both.best[0] - both.worst[1]
    p, p_better = noninferiority_p(worst, margin), noninferiority_p(worst, 0.0)
    alpha = (1.0 - confidence) / 2.0
    return Comparison(
        key=candidate.key,
        baseline=baseline.key,
        tasks=len(both.tasks),
        pairs=both.pairs,
        left_out=both.left_out[0],
        baseline_left_out=both.left_out[1],
        changed_tasks=both.changed,
        pass_rate=float(both.worst[0].mean()),
        baseline_pass_rate=float(both.worst[1].mean()),
        difference=float((both.worst[0] - both.worst[1]).mean()),
        interval=paired_interval(worst, confidence, best=best),
        margin=margin,
        p=p,
        p_better=p_better,
        p_holm=p,
        p_better_holm=p_better,
        verdict=Verdict.INCONCLUSIVE,
        more_tasks=max(1, required_tasks(worst, margin, alpha=alpha) - len(both.tasks)) if margin else 0,
        savings=savings(both, confidence, free=free),
    )


def _judged(
    alone: Comparison, p_holm: float, p_better_holm: float, comparable: bool, least_tasks_of_family: int
) -> Comparison:
    word = verdict(alone.interval, p_holm, p_better_holm, alone.margin) if comparable else Verdict.NOT_COMPARABLE
    more = max(alone.more_tasks, least_tasks_of_family - alone.tasks)
    return replace(
        alone,
        p_holm=p_holm,
        p_better_holm=p_better_holm,
        verdict=word,
        more_tasks=more if word is Verdict.INCONCLUSIVE else 0,
    )
