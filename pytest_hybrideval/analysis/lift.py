"""Is a router better than a coin? Its lift over random mixing, and the share of the performance gap it recovers.

Who tosses a coin per task, with probability x for the cloud and 1 - x for local, buys any pass rate on the line between
always-local and always-cloud. A router earns its name only above that line. One value per task everywhere (the mean
over its seeds), the same tasks in the same order for all three strategies.

Sources: the line of random mixing is the zero router of RouterBench (Hu et al. 2024, arXiv 2403.12031); performance gap
recovered is RouteLLM's (Ong et al. 2024, arXiv 2406.18665); the set of ratios is Fieller's (1954). The weights with one
unseen task are those of `intervals`. The lift's interval rests on simulation alone: say so wherever it is shown. Costs
have no unseen task, so that it covers less than it says where one task carries much of all cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from pytest_hybrideval.analysis.arrays import Floats, finite, in_range, one_side
from pytest_hybrideval.analysis.intervals import Interval, noninferiority_p, tail_probability

_BLOCK = 2**20  # random numbers drawn at a time
_KEPT = 2**22  # so many draws (32 MB) are kept for the next strategy over the same tasks
_TIE = 1e-9  # means of floats closer than this are equal
_ANGLES = 64  # where the set of ratios is looked for beyond its estimate
_SLOPES = 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99  # where a bound is looked for


@dataclass(frozen=True)
class Lift:
    """How much more a router passes than random mixing of the same cost.

    `value` and `interval` are differences of pass rates, in [-1, 1], None where undefined. `spent` is the fraction x of
    the way from always-local's cost to always-cloud's, below 0 and above 1 where the router costs less or more than
    both; None where there is no way. `note` is a sentence where the comparison is not with the line, else empty.
    """

    value: float | None
    interval: Interval | None
    spent: float | None
    note: str = ""


@dataclass(frozen=True)
class GapRecovered:
    """The share (p_R - p_L) / (p_C - p_L) of the gap between local and cloud that a router recovers.

    `value` is the share in the means, None where always-cloud does not pass more. Only where `established`, because the
    interval of the gap itself lies above 0, do the numbers mean anything: otherwise print "n/a: gap not established".
    `interval` is None exactly then.
    """

    value: float | None
    interval: Interval | None
    established: bool


def mixing_lift(
    router: ArrayLike,
    local: ArrayLike,
    cloud: ArrayLike,
    router_costs: ArrayLike,
    local_costs: ArrayLike,
    cloud_costs: ArrayLike,
    confidence: float = 0.95,
    *,
    router_best: ArrayLike | None = None,
    local_best: ArrayLike | None = None,
    cloud_best: ArrayLike | None = None,
    draws: int = 40_000,
    seed: int = 42,
) -> Lift:
    """Return p_R - [p_L + (p_C - p_L) x] with x = (c_R - c_L) / (c_C - c_L), and its interval.

    `router`, `local`, `cloud` are task means of passes in [0, 1], the costs USD per task, all of shape (T,). x > 1
    compares with p_C, x < 0 with p_L; where p_C < p_L the better of p_L and the line is p_L itself. Without a positive
    cost gap c_C - c_L the lift is undefined: no value, no interval, and a note.

    The interval: `draws` times the same random weights for all strategies, with one unseen task that the router fails
    and both controls pass (lower limit) or the reverse (upper limit); costs are weighted over the seen tasks. A draw
    without a positive cost gap compares with the better control below and with always-local above. Where trials are
    missing, the passes count them as fails and `*_best`, of the same shape, as passes: the lower limit takes the
    router's worst and the controls' best, the upper the reverse, the value what `router`, `local`, `cloud` say.
    Raises ValueError on empty, unequal, not finite or out of range input and on fewer than 1 draw.
    """
    tail = one_side(confidence)
    worst, best = _pass_tables("mixing_lift", (router, local, cloud), (router_best, local_best, cloud_best))
    spend = _cost_table("mixing_lift", (router_costs, local_costs, cloud_costs), worst.shape[1])
    if draws < 1:
        raise ValueError(f"mixing_lift: {draws} draws; at least 1 is needed, thousands for a steady interval")
    extra, gap = spend[0] - spend[1], spend[2] - spend[1]
    if not gap.sum() > 0.0:
        return Lift(None, None, None, "undefined: always-cloud does not cost more than always-local on these tasks")
    spent = float(extra.sum() / gap.sum())
    means = worst.mean(axis=1)
    value = float(means[0] - _mixed(means[1], means[2], min(max(spent, 0.0), 1.0)))
    lows, highs = [], []
    columns = np.vstack([gap, extra, np.ones_like(gap), worst, best]).T
    for weights, unseen in weight_blocks(worst.shape[1], draws, seed):
        way, paid, seen, *passed = (weights @ columns).T.copy()  # one product is faster than nine
        total, fails, passes = seen + unseen, passed[:3], [row + unseen for row in passed[3:]]
        share = np.divide(paid, way, out=np.zeros_like(way), where=way > 0.0).clip(0.0, 1.0)
        lows.append((fails[0] - _mixed(passes[1], passes[2], np.where(way > 0.0, share, 1.0))) / total)
        highs.append((passes[0] - _mixed(fails[1], fails[2], share)) / total)
    low = max(-1.0, float(np.quantile(np.concatenate(lows), tail)))
    high = min(1.0, float(np.quantile(np.concatenate(highs), 1.0 - tail)))
    return Lift(value, Interval(low, high, confidence), spent, _note(means[1], means[2], spent))


def performance_gap_recovered(
    router: ArrayLike,
    local: ArrayLike,
    cloud: ArrayLike,
    confidence: float = 0.95,
    *,
    router_best: ArrayLike | None = None,
    local_best: ArrayLike | None = None,
    cloud_best: ArrayLike | None = None,
) -> GapRecovered:
    """Return RouteLLM's PGR with Fieller's set: the ratios g for which y_R - y_L - g (y_C - y_L) may have the mean 0.

    Passes are task means in [0, 1], shape (T,); `*_best` as in `mixing_lift`. A ratio belongs to the set where the
    interval of that mean, whose values lie within +-max(1, |g|, |1 - g|), contains 0, missing trials at their worst for
    either limit. The set is bounded once the gap is established, also at the missing trials' worst; otherwise it may
    be all numbers or two rays, and no interval is given. It could have holes: the interval given reaches from its
    smallest to its largest element (as found on a grid of directions), which can only widen it.
    Raises ValueError on empty, unequal, not finite or out of range input.
    """
    tail = one_side(confidence)
    worst, best = _pass_tables(
        "performance_gap_recovered", (router, local, cloud), (router_best, local_best, cloud_best)
    )
    over_local = (worst - worst[1]).mean(axis=1)
    value = float(over_local[0] / over_local[2]) if over_local[2] > _TIE else None
    if value is None or not noninferiority_p(worst[2] - best[1], 0.0) < tail:
        return GapRecovered(value, None, False)

    # The ratio g is the direction (1, g), an angle of which both infinities are ordinary ends.
    def lower(angles: Floats) -> Floats:
        least, _, bounds = _combinations(angles, worst, best)
        return np.column_stack([least, -bounds])

    def upper(angles: Floats) -> Floats:
        _, most, bounds = _combinations(angles, worst, best)
        return np.column_stack([-most, -bounds])

    middle, end = float(np.arctan(value)), np.pi / 2.0
    low, high = np.tan(_outermost(lower, tail, -end, middle)), np.tan(_outermost(upper, tail, end, middle))
    return GapRecovered(value, Interval(float(low), float(high), confidence), True)


def weight_blocks(tasks: int, draws: int, seed: int) -> Iterable[tuple[Floats, Floats]]:
    """Give E_t ~ Exp(1), shape (n, tasks), and A ~ Exp(1) for the unseen task, shape (n,), in blocks of n draws.

    Divided by their sum they are Dirichlet(1, ..., 1) weights. The same `seed` gives the same `draws` draws.
    """
    return _kept_blocks(tasks, draws, seed) if (tasks + 1) * draws <= _KEPT else _drawn_blocks(tasks, draws, seed)


@lru_cache(maxsize=1)
def _kept_blocks(tasks: int, draws: int, seed: int) -> tuple[tuple[Floats, Floats], ...]:
    """The draws of all strategies of one table: each asks for the same."""
    return tuple(_drawn_blocks(tasks, draws, seed))


def _drawn_blocks(tasks: int, draws: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    generator = np.random.default_rng(seed)
    size = max(1, _BLOCK // (tasks + 1))
    for start in range(0, draws, size):
        block = generator.standard_exponential((min(size, draws - start), tasks + 1))
        block.flags.writeable = False
        yield block[:, :-1], block[:, -1]


def tail_bounds(coefficients: Floats) -> Floats:
    """Return upper bounds of `tail_probability` for each row, shape (R, n) to (R,), without an integral.

    With b = -lam_0 > 0 for the least coefficient and S the sum of the others, P(S <= b E_0) = E min(1, exp(-S / b)),
    which is at most E exp(-a S / b) = prod 1 / (1 + a lam_i / b) for any a in [0, 1): the least of some is given.
    Without a negative coefficient the bound is 1.
    """
    rows = np.arange(len(coefficients))
    least = coefficients.argmin(axis=1)
    size = -coefficients[rows, least]
    others = coefficients.copy()
    others[rows, least] = 0.0
    scaled = others / np.where(size > 0.0, size, np.inf)[:, np.newaxis]
    logs = [np.log1p(slope * scaled).sum(axis=1) for slope in _SLOPES]
    bounds: Floats = np.exp(-np.max(logs, axis=0))
    return bounds


def _mixed(local: Floats, cloud: Floats, share: Floats | float) -> Floats:
    """Passes of random mixing with this share of cloud in [0, 1], or of always-local where the cloud passes fewer."""
    mixed: Floats = local + np.maximum(cloud - local, 0.0) * share
    return mixed


def _note(local: float, cloud: float, spent: float) -> str:
    if cloud < local - _TIE:
        return "always-local passes more than always-cloud: compared with always-local"
    if spent > 1.0 + _TIE:
        return "the router costs more than always-cloud: compared with always-cloud"
    if spent < -_TIE:
        return "the router costs less than always-local: compared with always-local"
    return ""


def _combinations(angles: Floats, worst: Floats, best: Floats) -> tuple[Floats, Floats, Floats]:
    """Least and most of cos (y_R - y_L) - sin (y_C - y_L) per angle and task, shape (A, T), and bounds of its size."""
    cosines, sines = np.cos(angles), np.sin(angles)
    factors = np.column_stack([cosines, sines - cosines, -sines])
    ups, downs = np.maximum(factors, 0.0), np.minimum(factors, 0.0)
    return ups @ worst + downs @ best, ups @ best + downs @ worst, np.abs(factors).max(axis=1)


def _outermost(weights: Callable[[Floats], Floats], tail: float, outer: float, inner: float) -> float:
    """Find the first angle, from `outer` to `inner`, whose weights' tail probability is not below `tail`."""
    from scipy.optimize import brentq

    def excess(angle: float) -> float:
        return tail_probability(weights(np.array([angle]))[0]) - tail

    angles = np.linspace(outer, inner, _ANGLES)
    possible = tail_bounds(weights(angles)) >= tail  # the probabilities of the others are below
    for at in range(1, _ANGLES):
        if possible[at] and excess(angles[at]) >= 0.0:
            return float(brentq(excess, angles[at - 1], angles[at], xtol=1e-12))
    return inner


def _pass_tables(
    where: str, passes: tuple[ArrayLike, ...], best: tuple[ArrayLike | None, ...]
) -> tuple[Floats, Floats]:
    """Check passes and best passes of router, local and cloud; both tables have the shape (3, T)."""
    names = ("router", "local", "cloud")
    worst = [in_range(f"{where} ({name})", row, 0.0, 1.0) for name, row in zip(names, passes, strict=True)]
    tops = [
        low if row is None else in_range(f"{where} ({name}_best)", row, 0.0, 1.0)
        for name, row, low in zip(names, best, worst, strict=True)
    ]
    if len({row.size for row in worst + tops}) != 1:
        raise ValueError(f"{where}: router, local and cloud differ in tasks; give one value per common task to each")
    for name, low, top in zip(names, worst, tops, strict=True):
        if np.any(top < low - _TIE):
            raise ValueError(f"{where}: {name}_best lies below {name}; it counts missing trials as passed")
    return np.array(worst), np.array(tops)


def _cost_table(where: str, costs: tuple[ArrayLike, ...], tasks: int) -> Floats:
    rows = [finite(f"{where} (costs)", row) for row in costs]
    if any(row.size != tasks for row in rows):
        raise ValueError(f"{where}: costs of {[row.size for row in rows]} tasks, but passes of {tasks}")
    if any(np.any(row < 0.0) for row in rows):
        raise ValueError(f"{where}: a cost is negative; give USD per task, 0 or more")
    return np.array(rows)
