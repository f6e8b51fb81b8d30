"""How many tasks a verdict needs, before they are run: a formula, the least number of all, and power by simulation.

More seeds of the same tasks hardly help: an interval is about tasks like these, and its one unseen task weighs 1 in
T + 1 whatever the seeds.

Sources: the normal approximation of the sample size of a paired comparison; N0 is where (1 - margin)^T, the p-value of
T ties (see `noninferiority_p`), reaches alpha. The rates of tasks are Beta distributed, so that seeds of one task are
correlated (the beta-binomial model, Skellam 1948).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from pytest_hybrideval.analysis.arrays import Floats, in_range
from pytest_hybrideval.analysis.intervals import noninferiority_p

_NODES = 20_000  # quantiles of difficulty that stand for all tasks
_EDGE = 1e-6  # rates and correlations closer to 0 or 1 are 0 or 1: that many nodes do not show the difference


@dataclass(frozen=True)
class Power:
    """The chance of a verdict, in [0, 1], as counted in `draws` simulated experiments.

    `standard_error` is the standard deviation of the chance given that count, all chances being equally likely before
    (a Beta distribution): it is never 0, also where every experiment agrees.
    """

    value: float
    standard_error: float
    draws: int


def required_tasks(
    differences: ArrayLike, margin: float, assumed_difference: float = 0.0, *, alpha: float = 0.025, power: float = 0.8
) -> int:
    """Return the number N of tasks, those of the pilot included, for a non-inferior verdict with the given `power`.

    N = ceil(((z_{1 - alpha} + z_power) s / (m + D))^2) + N0(m + D), with s^2 = (sum (d - mean)^2 + 1/2) / (T + 1) from
    the pilot's `differences` A - B, task means in [-1, 1], shape (T,), and D the `assumed_difference` of the rates.
    The 1/2 is an unseen task on which each of both passes or fails with probability 1/2. Raises ValueError on input out
    of range and where margin + assumed_difference is not in (0, 1): no number of tasks shows what is not so.
    """
    pilot = in_range("required_tasks", differences, -1.0, 1.0)
    if not 0.5 <= power < 1.0:
        raise ValueError(f"required_tasks: power {power} is not in [0.5, 1); 0.8 means a verdict in four of five runs")
    distance = margin + assumed_difference
    if distance <= 0.0:
        raise ValueError(
            f"required_tasks: margin {margin:g} plus assumed difference {assumed_difference:g} is not positive; "
            "no number of tasks shows non-inferiority of what is inferior"
        )
    least = least_tasks(distance, alpha)
    spread = math.sqrt((float(np.sum((pilot - pilot.mean()) ** 2)) + 0.5) / (pilot.size + 1))
    normal = NormalDist()
    quantiles = normal.inv_cdf(1.0 - alpha) + normal.inv_cdf(power)
    return math.ceil((quantiles * spread / distance) ** 2) + least


def least_tasks(margin: float, alpha: float = 0.025) -> int:
    """Return N0 = ceil(ln alpha / ln(1 - margin)): with fewer tasks, all of them tied, nothing is non-inferior.

    Raises ValueError where `margin` or `alpha` is not in (0, 1).
    """
    if not 0.0 < margin < 1.0:
        raise ValueError(f"least_tasks: margin {margin:g} is not between 0 and 1; 0.05 means five percentage points")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"least_tasks: alpha {alpha:g} is not between 0 and 1; 0.025 goes with 95 % intervals")
    return math.ceil(math.log(alpha) / math.log1p(-margin))


def simulated_power(
    tasks: int,
    seeds: int,
    margin: float,
    *,
    candidate: float,
    baseline: float,
    spread: float,
    agreement: float,
    alpha: float = 0.025,
    draws: int = 4000,
    seed: int = 42,
) -> Power:
    """Return the chance that `noninferiority_p` calls a candidate non-inferior after `tasks` x `seeds` trials.

    The assumptions are those of `difference_distribution`. For one of k strategies under Holm, alpha / k gives the
    chance that it has at least. The same `seed` gives the same answer. Raises ValueError on input out of range.
    """
    values, probabilities = difference_distribution(
        candidate=candidate, baseline=baseline, spread=spread, agreement=agreement, seeds=seeds
    )
    return _power(values, probabilities, tasks, margin, alpha, draws, seed)


def pilot_power(
    differences: ArrayLike, tasks: int, margin: float, *, alpha: float = 0.025, draws: int = 4000, seed: int = 42
) -> Power:
    """Return the chance of a non-inferior verdict for `tasks` tasks drawn from those of a pilot and one unseen task.

    `differences` A - B as in `required_tasks`; the new tasks run with the pilot's number of seeds. On the unseen task,
    drawn as often as each of the pilot, both strategies pass with probability 1/2: a pilot without a difference
    promises nothing certain. Raises ValueError on input out of range.
    """
    pilot = in_range("pilot_power", differences, -1.0, 1.0)
    values, places = np.unique(np.append(pilot, [-1.0, 0.0, 1.0]), return_inverse=True)
    shares = np.append(np.ones(pilot.size), [0.25, 0.5, 0.25]) / (pilot.size + 1)
    probabilities = np.asarray(np.bincount(places, shares), dtype=np.float64)
    return _power(values, probabilities, tasks, margin, alpha, draws, seed)


def difference_distribution(
    *, candidate: float, baseline: float, spread: float, agreement: float, seeds: int
) -> tuple[Floats, Floats]:
    """Return the possible differences candidate - baseline of one task's means over seeds, and their probabilities.

    Both have the shape (2 seeds + 1,). `candidate` and `baseline` are pass rates over all tasks. `spread` is how much
    tasks differ, as the correlation of two seeds of one task: at 0 all tasks are equally hard, at 1 each passes always
    or never. `agreement` is the share of tasks that are equally hard for both strategies (the same quantile of
    difficulty); for the others the two are independent. All four lie in [0, 1]; else ValueError.
    """
    given = {"candidate": candidate, "baseline": baseline, "spread": spread, "agreement": agreement}
    for name, value in given.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"difference_distribution: {name} {value} is not in [0, 1]")
    if seeds < 1:
        raise ValueError(f"difference_distribution: {seeds} seeds; at least 1 is needed")
    ours, theirs = (_pass_counts(rate, spread, seeds) for rate in (candidate, baseline))
    joint = agreement * ours @ theirs.T / _NODES
    joint += (1.0 - agreement) * np.outer(ours.mean(axis=1), theirs.mean(axis=1))
    steps = range(-seeds, seeds + 1)
    probabilities = np.array([np.trace(joint, offset=-step) for step in steps])
    return np.array(steps, dtype=np.float64) / seeds, probabilities / probabilities.sum()


def _pass_counts(rate: float, spread: float, seeds: int) -> Floats:
    """Probabilities of 0 to `seeds` passes, shape (seeds + 1, nodes), for tasks from the hardest to the easiest."""
    from scipy.special import betaincinv

    ranks = (np.arange(_NODES) + 0.5) / _NODES
    if spread < _EDGE or not _EDGE <= rate <= 1.0 - _EDGE:
        rates = np.full(_NODES, rate)
    elif spread > 1.0 - _EDGE:
        rates = (ranks > 1.0 - rate).astype(np.float64)
    else:
        size = 1.0 / spread - 1.0
        rates = betaincinv(rate * size, (1.0 - rate) * size, ranks)
    counts = np.arange(seeds + 1)[:, np.newaxis]
    ways = np.array([[math.comb(seeds, passes)] for passes in range(seeds + 1)], dtype=np.float64)
    probabilities: Floats = ways * rates**counts * (1.0 - rates) ** (seeds - counts)
    return probabilities


def _power(
    values: Floats, probabilities: Floats, tasks: int, margin: float, alpha: float, draws: int, seed: int
) -> Power:
    """Count non-inferior verdicts. Experiments with the same differences in another order are decided once."""
    if tasks < 1 or draws < 1:
        raise ValueError(f"{tasks} tasks and {draws} draws: at least 1 of each is needed")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha {alpha:g} is not between 0 and 1; 0.025 goes with 95 % intervals")
    experiments = np.random.default_rng(seed).multinomial(tasks, probabilities, size=draws)
    distinct, times = np.unique(experiments, axis=0, return_counts=True)
    wins = sum(
        int(often)
        for counts, often in zip(distinct, times, strict=True)
        if noninferiority_p(np.repeat(values, counts), margin) <= alpha
    )
    expected = (wins + 1) / (draws + 2)
    return Power(wins / draws, math.sqrt(expected * (1.0 - expected) / (draws + 3)), draws)
