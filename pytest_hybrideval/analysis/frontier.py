"""Which strategies are worth their cost: proven on the frontier, proven dominated, or not yet known.

Overlapping intervals decide nothing here: a strategy is called dominated or on the frontier only by tests of paired
differences over the same tasks. The share of random draws in which it lies on the frontier describes, and proves
nothing.

Sources: tests, cost ratios and weights are those of `intervals`; Holm 1979 for many pairs; Dirichlet weights as in the
Bayesian bootstrap (Rubin 1981).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_hybrideval.analysis.arrays import Floats, in_range
from pytest_hybrideval.analysis.intervals import holm, noninferiority_p, tail_probability
from pytest_hybrideval.analysis.lift import tail_bounds, weight_blocks

Flags = NDArray[np.bool_]

_TIE = 1e-9  # means of floats closer than this are equal
# A sum of weighted exponentials, of whatever signs, has a log-concave density: it lies on either side of its mean with
# at least this probability.
_EITHER_SIDE = np.exp(-1.0)


class FrontierStatus(str, Enum):
    """What is proven of a strategy's place."""

    DOMINATED = "dominated"
    ON_FRONTIER = "on the frontier"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class FrontierPoint:
    """One strategy's place.

    `share` is the part of the random draws, in [0, 1], in which no other strategy passes as many and costs as little,
    with one of the two strictly better: it describes and proves nothing. `dominated_by` is the index of the strategy
    that most clearly dominates this one, None unless it is dominated.
    """

    share: float
    status: FrontierStatus
    dominated_by: int | None = None


def frontier(
    passes: ArrayLike,
    costs: ArrayLike,
    margin: float,
    *,
    best: ArrayLike | None = None,
    alpha: float = 0.025,
    draws: int = 40_000,
    seed: int = 42,
) -> tuple[FrontierPoint, ...]:
    """Return the place of each of S strategies, in their order, from task means over T common tasks, shape (S, T).

    `passes` lie in [0, 1] and count missing trials as fails, `best` as passes (without it none is missing): every test
    takes the worst case. `costs` are USD per task. `margin` in [0, 1) is the difference of pass rates that does not
    matter.

    Dominated: another strategy is cheaper (the cost ratio's interval at confidence 1 - 2 alpha lies below 1) and
    non-inferior at `margin`; or it costs the same on every task and is better. On the frontier: better than each of
    the others, but for those that it is cheaper than. So the cheapest of all is on the frontier once its costs are
    proven below all others', and undetermined before. Whoever is proven both (better than all cheaper ones, but by less
    than the margin) counts as dominated. Undetermined: neither is proven.

    p-values are Holm-adjusted in two families of ordered pairs, which the costs alone choose: non-inferiority of each
    cheaper strategy to each dearer one, and superiority of each strategy to each that is not proven dearer.
    Raises ValueError on empty, unequal, not finite or out of range input.
    """
    worst, top, spend = _tables(passes, best, costs)
    if not 0.0 <= margin < 1.0:
        raise ValueError(f"frontier: margin {margin} is not in [0, 1); 0.05 means five percentage points")
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"frontier: alpha {alpha} is not between 0 and 0.5; 0.025 goes with 95 % intervals")
    if draws < 1:
        raise ValueError(f"frontier: {draws} draws; at least 1 is needed, thousands for a steady share")
    cheaper = np.array([_is_cheaper(ours, spend, alpha) for ours in spend])
    same = np.array([[np.array_equal(ours, theirs) for theirs in spend] for ours in spend])
    others = ~np.eye(len(spend), dtype=np.bool_)
    enough = _adjusted(cheaper, worst, top, margin, alpha)
    better = _adjusted(others & ~cheaper, worst, top, 0.0, alpha)
    dominates = np.where(cheaper, enough, np.where(same, better, 1.0))
    ahead = (cheaper | (better <= alpha) | ~others).all(axis=1)
    shares = _membership(worst, spend, draws, seed)
    return tuple(
        _point(float(share), dominates[:, index], spend.sum(axis=1), bool(ahead[index]), alpha)
        for index, share in enumerate(shares)
    )


def _point(share: float, p_values: Floats, costs: Floats, ahead: bool, alpha: float) -> FrontierPoint:
    """Decide one strategy's status from the p-values, shape (S,), of its being dominated by each."""
    rival = int(np.lexsort((costs, p_values))[0])
    if p_values[rival] <= alpha:
        return FrontierPoint(share, FrontierStatus.DOMINATED, rival)
    return FrontierPoint(share, FrontierStatus.ON_FRONTIER if ahead else FrontierStatus.UNDETERMINED)


def _is_cheaper(ours: Floats, spend: Floats, alpha: float) -> Flags:
    """Whether the interval of sum(ours) / sum(theirs) lies below 1, at confidence 1 - 2 alpha, for each row of `spend`.

    This is `ratio_interval` with bounds 0 and max(1, largest ratio of a task), whose upper limit lies below 1 exactly
    where the probability at 1 exceeds 1 - alpha. Tasks that cost `theirs` nothing have no ratio: there the cost of the
    unseen task is bounded by ours. With equal or no costs nothing is cheaper.
    """
    cheaper: Flags = ours.sum() < spend.sum(axis=1)
    theirs = spend[cheaper]
    typical = np.sqrt(np.mean(theirs**2, axis=1))[:, np.newaxis]
    ratios = np.divide(ours, theirs, out=ours / typical, where=theirs > 0.0)
    unseen = typical[:, 0] * (ratios.max(axis=1, initial=1.0) - 1.0)
    weights = np.column_stack([ours - theirs, unseen])
    proven = tail_bounds(-weights) < alpha
    open_ = ~proven & ((weights.sum(axis=1) < 0.0) | (alpha >= _EITHER_SIDE))
    proven[open_] = [tail_probability(row) > 1.0 - alpha for row in weights[open_]]
    cheaper[cheaper] = proven
    return cheaper


def _adjusted(family: Flags, worst: Floats, top: Floats, margin: float, alpha: float) -> Floats:
    """Holm-adjusted p-values, shape (S, S), that the row's strategy is worse than the column's by `margin` or more.

    Pairs that are not in the `family` have 1: nothing is claimed of them. So have those whose own p-value is seen to be
    above `alpha` without an integral, which changes none that matter.
    """
    p_values = np.ones(family.shape)
    for ours, row, pairs in zip(worst, p_values, family, strict=True):
        tested = np.flatnonzero(pairs)
        differences = ours - top[tested]
        open_ = _may_be_shown(differences, margin, alpha)
        row[tested[open_]] = [noninferiority_p(each, margin) for each in differences[open_]]
    p_values[family] = holm(p_values[family])
    return p_values


def _may_be_shown(differences: Floats, margin: float, alpha: float) -> Flags:
    """False where `noninferiority_p` of a row, shape (R, T), surely exceeds `alpha`.

    Surely where its weights, the unseen task included, have no positive mean; and where it does without the tasks that
    speak against it: what is left is prod 1 / (1 + lam_i / lam_unseen), and without them it is smaller.
    """
    weights, unseen = differences + margin, 1.0 - margin
    hopeless = (weights.sum(axis=1) <= unseen) & (alpha < _EITHER_SIDE)
    few = np.log1p(np.maximum(weights, 0.0) / unseen).sum(axis=1) < -np.log(alpha)
    shown: Flags = ~hopeless & ~few
    return shown


def _membership(passes: Floats, costs: Floats, draws: int, seed: int) -> Floats:
    """Part of the draws in which each strategy is dominated by no other, shape (S,).

    The same weights for all strategies; the unseen task passes with probability 1/2 under each and costs nothing.
    """
    coins = np.random.default_rng([seed, 1])
    members = np.zeros(len(passes))
    for weights, unseen in weight_blocks(passes.shape[1], draws, seed):
        passed = _totals(weights, passes) + unseen[:, np.newaxis] * coins.integers(0, 2, (len(unseen), len(passes)))
        members += _undominated(passed, _totals(weights, costs))
    return members / draws


def _undominated(passed: Floats, spent: Floats) -> Floats:
    """In how many draws, shape (n, S), each strategy is dominated by no other, shape (S,).

    In order of costs, of equal costs the best first, a strategy is dominated by the best before it, or by none.
    """
    order = np.lexsort((-passed, spent))
    passed, spent = (np.take_along_axis(table, order, axis=1).T.copy() for table in (passed, spent))
    most, at = np.full_like(passed[0], -np.inf), np.zeros_like(spent[0])
    free = np.empty(passed.shape, dtype=np.bool_)
    for place, (p, c) in enumerate(zip(passed, spent, strict=True)):
        free[place] = (p > most) | ((p == most) & (c == at))
        at = np.where(p > most, c, at)
        most = np.maximum(p, most)
    counted: Floats = np.bincount(order.T[free], minlength=len(passed)).astype(np.float64)
    return counted


def _totals(weights: Floats, table: Floats) -> Floats:
    """Weighted totals, shape (n, S), the very same float for strategies with the same values."""
    distinct, which = np.unique(table, axis=0, return_inverse=True)
    totals: Floats = (weights @ distinct.T)[:, which.reshape(-1)]
    return totals


def _tables(passes: ArrayLike, best: ArrayLike | None, costs: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Check the three tables, each of shape (S, T)."""
    given = {"passes": passes, "best": passes if best is None else best, "costs": costs}
    tables = {name: np.asarray(table, dtype=np.float64) for name, table in given.items()}
    for name, table in tables.items():
        if table.ndim != 2 or not table.size:
            raise ValueError(
                f"frontier: {name} must be strategies by tasks, shape (S, T), but have shape {table.shape}"
            )
        if table.shape != tables["passes"].shape:
            raise ValueError(f"frontier: {name} have shape {table.shape}, but passes {tables['passes'].shape}")
    for name in ("passes", "best"):
        tables[name] = np.array([in_range(f"frontier ({name})", row, 0.0, 1.0) for row in tables[name]])
    if not np.all(np.isfinite(tables["costs"]) & (tables["costs"] >= 0.0)):
        raise ValueError("frontier: a cost is negative or not finite; give USD per task, 0 or more")
    if np.any(tables["best"] < tables["passes"] - _TIE):
        raise ValueError("frontier: best lies below passes; it counts missing trials as passed")
    return tables["passes"], tables["best"], tables["costs"]
