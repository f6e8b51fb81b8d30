"""Intervals and p-values for few, clustered, extreme results: random weights over tasks with one unseen task.

The T tasks get Dirichlet(1, ..., 1) weights (the Bayesian bootstrap) together with one unseen task, which takes the
worst possible value for the lower limit and the best possible one for the upper limit. The quantiles of the weighted
mean are the limits. With 0/1 data they are Clopper and Pearson's; they never have zero width and need no tuning.

Sources: Gaffke 2005, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
variable" (the bound); Learned-Miller & Thomas 2019, arXiv 1905.06208; Phan, Thomas & Learned-Miller 2021, arXiv
2106.03163; Imhof 1961 (the integral); Holm 1979; Clopper & Pearson 1934. That the bound covers for every bounded
distribution is a conjecture. Ratio and cost intervals rest on simulation alone: say so wherever they are shown.

One value per task everywhere: average a task's seeds first, because trials of one task are not independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytest_hybrideval.analysis.arrays import ROUNDING, Floats, check_bounds, finite, in_range, one_side

_STEP = 0.015
_NODES = np.exp(np.linspace(-45.0, 45.0, 6001))
_COARSE = 25  # nodes between two looks for the end of the integrand
_NEGLIGIBLE = 38.0  # exp(-38) is below the rounding error of a probability
_TAIL = 1e-11  # a probability nearer to 0 or 1 than this is rounding


@dataclass(frozen=True)
class Interval:
    """A two-sided interval `low` to `high`, in the unit of its values, at `confidence` (0.95: 2.5 % on each side)."""

    low: float
    high: float
    confidence: float


def tail_probability(coefficients: ArrayLike) -> float:
    """Return P(sum lam_i E_i <= 0) for independent E_i ~ Exp(1), by Imhof's integral (1961).

    Exact to 1e-11 up to 3000 coefficients, to 1e-5 up to 20,000 (the grid is fixed).
    `coefficients` are the lam_i, shape (n,), of any scale. Zeros are dropped; if none is left or all are negative
    the answer is 1, if all are positive it is 0. Raises ValueError where a coefficient is not finite.
    """
    distinct, counts = np.unique(finite("tail_probability", coefficients, empty=True), return_counts=True)
    return _tail(distinct, counts.astype(np.float64))


def mean_interval(
    values: ArrayLike, low: float, high: float, confidence: float = 0.95, *, best: ArrayLike | None = None
) -> Interval:
    """Return the interval of the mean over tasks like these, for values in [low, high], shape (T,).

    Where trials are missing, `values` count each as the worst result and serve the lower limit; `best`, of the same
    shape, counts it as the best result and serves the upper limit. Without `best` the values serve both.
    Raises ValueError on no values, values that are not finite or out of range, and `best` below `values`.
    """
    tail = one_side(confidence)
    worst = in_range("mean_interval", values, low, high)
    top = worst if best is None else in_range("mean_interval (best)", best, low, high)
    if top.shape != worst.shape:
        raise ValueError(f"mean_interval: {worst.size} values but {top.size} best values; give one of each per task")
    if np.any(top < worst - ROUNDING * (high - low)):
        task = int(np.argmax(worst - top))
        raise ValueError(f"mean_interval: task {task} has a best value {top[task]} below its value {worst[task]}")
    return Interval(_lower_mean(worst, low, high, tail), -_lower_mean(-top, -high, -low, tail), confidence)


def cost_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the interval of a mean cost, token count or time, shape (T,): the unseen task has 0 or twice the maximum.

    No bound is known for a cost, so this interval rests on simulation alone. Raises ValueError on no values, negative
    or not finite ones, and where all are zero: a constant by design has no interval.
    """
    costs = finite("cost_interval", values)
    if not np.any(costs):
        raise ValueError("cost_interval: every value is 0; print a constant as 'by design', it has no interval")
    return mean_interval(costs, 0.0, 2.0 * float(np.max(np.abs(costs))), confidence)


def paired_interval(differences: ArrayLike, confidence: float = 0.95, *, best: ArrayLike | None = None) -> Interval:
    """Return the interval of the mean difference A - B of two pass rates over their common tasks, shape (T,).

    A task's difference is its mean over seeds under A minus that under B, in [-1, 1]. With missing trials
    `differences` count them as A fails, B passes, and `best` as A passes, B fails. Raises as `mean_interval` does.
    """
    return mean_interval(differences, -1.0, 1.0, confidence, best=best)


def noninferiority_p(differences: ArrayLike, margin: float) -> float:
    """Return the one-sided p-value against "the mean difference A - B is -margin or worse"; small means non-inferior.

    `differences` as in `paired_interval` (the worst case of missing trials); `margin` in [0, 1), where 0 tests
    superiority. Equals (1 - margin)^T when T tasks all tie. Raises ValueError on input out of range.
    """
    if not 0.0 <= margin < 1.0:
        raise ValueError(f"noninferiority_p: margin {margin} is not in [0, 1); 0.05 means five percentage points")
    shifted = in_range("noninferiority_p", differences, -1.0, 1.0) + margin
    return tail_probability(np.append(shifted, margin - 1.0))


def ratio_interval(
    numerators: ArrayLike, denominators: ArrayLike, low_bound: float, high_bound: float, confidence: float = 0.95
) -> Interval:
    """Return the interval of sum(numerators) / sum(denominators), one pair per task, both of shape (T,).

    The unseen task has a denominator of typical size (root mean square) and the ratio `low_bound` or `high_bound`:
    0 and 1 for the cloud fraction; local over cloud cost and max(1, largest task's ratio) for the cost ratio. Rests on
    simulation alone. Raises ValueError on empty, unequal, not finite or negative input, no positive denominator, and
    where a task's ratio lies outside the bounds.
    """
    tail = one_side(confidence)
    check_bounds("ratio_interval", low_bound, high_bound)
    parts, wholes = finite("ratio_interval", numerators), finite("ratio_interval (denominators)", denominators)
    if parts.shape != wholes.shape:
        raise ValueError(f"ratio_interval: {parts.size} numerators but {wholes.size} denominators; give one per task")
    if np.any(wholes < 0.0) or not np.any(wholes):
        raise ValueError("ratio_interval: denominators must be 0 or more and one of them positive")
    largest = wholes.max()
    typical = largest * np.sqrt(np.mean((wholes / largest) ** 2))
    parts, wholes = parts / typical, wholes / typical
    least, most = low_bound * wholes, high_bound * wholes
    slack = ROUNDING * (high_bound - low_bound)
    if np.any(outside := (parts < least - slack) | (parts > most + slack)):
        task = int(np.argmax(outside))
        share = f"{parts[task] * typical:g} of {wholes[task] * typical:g}"
        raise ValueError(f"ratio_interval: task {task} has {share}, a ratio outside [{low_bound:g}, {high_bound:g}]")
    parts = np.clip(parts, least, most)
    lower = _lower_ratio(parts, wholes, low_bound, high_bound, tail)
    return Interval(lower, -_lower_ratio(-parts, wholes, -high_bound, -low_bound, tail), confidence)


def exact_binomial_interval(passes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return Clopper and Pearson's interval of a pass rate over trials of these tasks only: seed noise, no new tasks.

    Raises ValueError unless 0 <= passes <= trials and trials >= 1.
    """
    from scipy.special import betaincinv

    tail = one_side(confidence)
    if trials < 1 or not 0 <= passes <= trials:
        raise ValueError(f"exact_binomial_interval: {passes} passes of {trials} trials is not a count; check both")
    fails = trials - passes
    low = float(betaincinv(passes, fails + 1, tail)) if passes else 0.0
    high = float(betaincinv(passes + 1, fails, 1.0 - tail)) if fails else 1.0
    return Interval(low, high, confidence)


def holm(p_values: ArrayLike) -> Floats:
    """Return Holm's adjusted p-values of one family of tests, in the order given, shape (k,); an empty family is empty.

    Raises ValueError where a value is not a probability.
    """
    p = finite("holm", p_values, empty=True)
    if np.any((p < 0.0) | (p > 1.0)):
        raise ValueError("holm: p-values must lie in [0, 1]")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return np.minimum(stepped, 1.0)[np.argsort(order)]


def _tail(coefficients: Floats, counts: Floats) -> float:
    """Integrate Imhof's formula for distinct coefficients, each occurring `counts` times."""
    kept = coefficients != 0.0
    lam, counts = coefficients[kept], counts[kept]
    if not lam.size or lam.max() < 0.0:
        return 1.0
    if lam.min() > 0.0:
        return 0.0
    lam = lam / np.abs(lam).max()
    terms = float(counts.sum())
    # The trapezoid errs by about exp(-2 pi^2 / (step^2 terms)), at most 1e-11 here: few terms need fewer nodes.
    stride = 4 if terms <= 200.0 else 2 if terms <= 800.0 else 1
    nodes = _NODES[::stride]
    # Below `start` the integrand is linear in the node, above `stop` it has died out: neither needs a column.
    start = int(np.searchsorted(nodes, 1e-6 / terms))
    depth = _damping(np.outer(lam, nodes[::_COARSE]), counts)
    stop = int(np.searchsorted(depth, _NEGLIGIBLE)) * _COARSE + 1
    product = np.outer(lam, nodes[start:stop])
    waves = np.sin(counts @ np.arctan(product)) * np.exp(-_damping(product, counts))
    total = float(waves.sum()) + float(counts @ lam) * float(nodes[:start].sum())
    return min(1.0, max(0.0, 0.5 - total * _STEP * stride / np.pi))


def _damping(product: Floats, counts: Floats) -> Floats:
    """Return sum_i counts_i log(1 + product_ij^2) / 2 per column j, with one logarithm per column and count."""
    total = np.zeros(product.shape[1])
    with np.errstate(over="ignore"):  # far out the product may be infinite: the integrand is 0 there
        for count in np.unique(counts):
            total += 0.5 * count * np.log(np.multiply.reduce(1.0 + product[counts == count] ** 2, axis=0))
    return total


def _lower_mean(values: Floats, low: float, high: float, tail: float) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    points, weights = np.append(distinct, low), np.append(counts, 1.0)
    return _root(lambda u: _tail(points - u, weights), low, high, tail)


def _lower_ratio(parts: Floats, wholes: Floats, low: float, high: float, tail: float) -> float:
    pairs, counts = np.unique(np.column_stack([parts, wholes]), axis=0, return_counts=True)
    tops, bottoms, weights = np.append(pairs[:, 0], low), np.append(pairs[:, 1], 1.0), np.append(counts, 1.0)
    return _root(lambda u: _tail(tops - u * bottoms, weights), low, high, tail)


def _root(probability: Callable[[float], float], low: float, high: float, target: float) -> float:
    """Find where a probability that rises from `low` to 1 at `high` crosses `target`, to 1e-10 of the range.

    It is looked for on the normal scale, on which the probability is nearly a straight line.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    if probability(low) >= target:  # every task already sits at the worst value
        return float(low)

    def distance(u: float) -> float:
        return float(ndtri(min(max(probability(u), _TAIL), 1.0 - _TAIL)) - ndtri(target))

    return float(brentq(distance, low, high, xtol=1e-10 * (high - low)))
