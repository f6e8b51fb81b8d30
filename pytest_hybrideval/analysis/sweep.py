"""A sweep of thresholds: does the pass rate change along it, and how good is its whole curve of cost and quality.

Sources: ordinary least squares within each task, then the interval of `intervals` over tasks; average performance gap
recovered (APGR) is RouteLLM's (Ong et al. 2024, arXiv 2406.18665).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytest_hybrideval.analysis.arrays import Floats, finite, in_range
from pytest_hybrideval.analysis.intervals import Interval, mean_interval, tail_probability

_TIE = 1e-9  # means of floats closer than this are equal


@dataclass(frozen=True)
class Trend:
    """Change of the pass rate from the smallest to the largest threshold along each task's straight line of best fit.

    `change` is its mean over tasks and `interval` that of tasks like these; both may reach beyond +-1 a little, as a
    fitted line does. `p_value` is two-sided, against no change: at most 1 - confidence where the interval does not
    contain 0. It is not adjusted for other sweeps.
    """

    change: float
    interval: Interval
    p_value: float


def threshold_trend(
    passes: ArrayLike, thresholds: ArrayLike, confidence: float = 0.95, *, best: ArrayLike | None = None
) -> Trend:
    """Return the trend of task means `passes` in [0, 1], shape (T, K), over `thresholds`, shape (K,), in any order.

    A task's change is sum_k w_k y_k with w_k = range (x_k - mean) / sum (x - mean)^2, so that it lies within
    +-sum |w_k| / 2: these are the bounds of the unseen task. Where trials are missing, `passes` count them as fails and
    `best`, of the same shape, as passes; the change takes `passes`, each limit and the p-value the worst case.
    Raises ValueError on empty, unequal, not finite or out of range input, and unless thresholds are 2 or more and
    distinct.
    """
    worst = _table("passes", passes)
    top = worst if best is None else _table("best", best)
    x = finite("threshold_trend (thresholds)", thresholds)
    if np.unique(x).size < max(2, x.size):
        raise ValueError(f"threshold_trend: thresholds {x.tolist()} must be two or more, each once")
    if worst.shape[1] != x.size or top.shape != worst.shape:
        raise ValueError(
            f"threshold_trend: {x.size} thresholds, passes of shape {worst.shape} and best of shape {top.shape}; "
            "passes and best need a column per threshold"
        )
    if np.any(top < worst - _TIE):
        raise ValueError("threshold_trend: best lies below passes; it counts missing trials as passed")
    slopes = (x - x.mean()) / (x.max() - x.min())
    slopes = slopes / np.sum(slopes**2)
    bound = float(np.abs(slopes).sum() / 2.0)
    ups, downs = np.maximum(slopes, 0.0), np.minimum(slopes, 0.0)
    least, most = (np.clip(change, -bound, bound) for change in (worst @ ups + top @ downs, top @ ups + worst @ downs))
    sides = tail_probability(np.append(least, -bound)), tail_probability(np.append(-most, -bound))
    return Trend(
        change=float(np.mean(worst @ slopes)),
        interval=mean_interval(least, -bound, bound, confidence, best=most),
        p_value=min(1.0, 2.0 * min(sides)),
    )


def average_gap_recovered(spent: ArrayLike, recovered: ArrayLike) -> float | None:
    """Return RouteLLM's APGR: the area under the gap recovered over the fraction spent in [0, 1]. A coin has 1/2.

    `spent` holds x and `recovered` the PGR of one strategy at its thresholds, both of shape (K,), in any order (see
    `Lift.spent`, `GapRecovered.value`). The curve joins the points by straight lines, from always-local (0, 0) to
    always-cloud (1, 1). RouteLLM takes the share of strong calls for x; here it is the share of the cost, which also
    counts long calls as dear. Points outside [0, 1] cost less or more than both controls and are left out, PGR below 0
    or above 1 counts as it is, and points of the same x, the two ends among them, count as their mean. None where no
    point lies in [0, 1]. Raises ValueError on unequal or not finite input.
    """
    x = finite("average_gap_recovered (spent)", spent, empty=True)
    y = finite("average_gap_recovered (recovered)", recovered, empty=True)
    if x.size != y.size:
        raise ValueError(f"average_gap_recovered: {x.size} spent fractions but {y.size} recovered gaps; give pairs")
    inside = (x >= 0.0) & (x <= 1.0)
    if not np.any(inside):
        return None
    x, y = np.append(x[inside], [0.0, 1.0]), np.append(y[inside], [0.0, 1.0])
    places, which, counts = np.unique(x, return_inverse=True, return_counts=True)
    heights = np.bincount(which, y) / counts
    return float(np.sum(np.diff(places) * (heights[1:] + heights[:-1]) / 2.0))


def _table(name: str, table: ArrayLike) -> Floats:
    array = np.asarray(table, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"threshold_trend: {name} must be tasks by thresholds, shape (T, K), but have {array.shape}")
    return np.array([in_range(f"threshold_trend ({name})", row, 0.0, 1.0) for row in array])
