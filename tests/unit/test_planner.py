"""The planner: published sizes, exact chances of small experiments, and the formula against the simulation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from pytest_hybrideval.analysis import least_tasks, noninferiority_p, pilot_power, required_tasks, simulated_power
from pytest_hybrideval.analysis.planner import difference_distribution

few = settings(deadline=None, max_examples=40)
shares = st.floats(0, 1)


@pytest.mark.parametrize(("margin", "expected"), [(0.05, 247), (0.1, 80)])
def test_published_number_of_tasks(margin: float, expected: int) -> None:
    """Eight tied tasks."""
    assert required_tasks([0] * 8, margin) == expected


@pytest.mark.parametrize(("margin", "expected"), [(0.05, 72), (0.1, 36)])
def test_published_least_number_of_tasks(margin: float, expected: int) -> None:
    """The first number of ties that is non-inferior."""
    assert least_tasks(margin) == expected
    assert noninferiority_p([0] * expected, margin) <= 0.025 < noninferiority_p([0] * (expected - 1), margin)


def test_assumed_difference_moves_the_margin() -> None:
    """A candidate that is better needs fewer tasks, a worse one more."""
    pilot = [0] * 7 + [-1 / 3]
    assert required_tasks(pilot, 0.05, 0.05) == required_tasks(pilot, 0.1)
    assert required_tasks(pilot, 0.1, -0.05) == required_tasks(pilot, 0.05)
    assert required_tasks(pilot, 0.0, 0.05) == required_tasks(pilot, 0.05)


@few
@given(st.lists(st.sampled_from([-1, -0.5, 0, 0.5, 1]), min_size=1, max_size=30), st.floats(0.01, 0.9))
def test_more_is_asked_of_less(differences: list[float], margin: float) -> None:
    """A smaller margin, more power and a smaller alpha each need no fewer tasks, and N0 is always among them."""
    tasks = required_tasks(differences, margin)
    assert tasks > least_tasks(margin)
    assert required_tasks(differences, margin * 0.9) >= tasks
    assert required_tasks(differences, margin, power=0.9) >= tasks
    assert required_tasks(differences, margin, alpha=0.01) >= tasks


@pytest.mark.parametrize(("margin", "tasks"), [(0.05, 247), (0.1, 80)])
def test_the_formula_keeps_its_promise(margin: float, tasks: int) -> None:
    """Four of five simulated experiments of the size that it asks for end in a verdict."""
    power = pilot_power([0] * 8, tasks, margin)
    assert power.value - 0.8 > -4 * power.standard_error
    assert power.value < 0.88


@pytest.mark.parametrize(("tasks", "expected"), [(71, 0), (72, 1)])
def test_certain_ties_turn_at_the_least_number(tasks: int, expected: float) -> None:
    """Two strategies that always pass: the verdict depends on the number of tasks alone."""
    power = simulated_power(tasks, 3, 0.05, candidate=1, baseline=1, spread=0.5, agreement=0.5, draws=50)
    assert power.value == expected
    assert 0 < power.standard_error < 0.03


def test_agrees_with_all_outcomes_of_a_small_experiment() -> None:
    """Three tasks, one seed: 27 outcomes, of which the verdicts are counted exactly."""
    model: dict[str, Any] = {"candidate": 0.9, "baseline": 0.6, "spread": 0.4, "agreement": 0.7}
    values, probabilities = difference_distribution(**model, seeds=1)
    exact = sum(
        np.prod(probabilities[list(picks)])
        for picks in product(range(3), repeat=3)
        if noninferiority_p(values[list(picks)], 0.5) <= 0.1
    )
    power = simulated_power(3, 1, 0.5, **model, alpha=0.1)
    assert 0.05 < exact < 0.95
    assert power.value == pytest.approx(exact, abs=4 * power.standard_error)


def test_standard_error_shrinks_with_draws() -> None:
    """As a count's does."""
    small, large = (pilot_power([0] * 8, 247, 0.05, draws=draws) for draws in (250, 4000))
    assert small.standard_error == pytest.approx(4 * large.standard_error, rel=0.1)
    assert (small.draws, large.draws) == (250, 4000)


def test_tasks_buy_more_than_seeds() -> None:
    """Half as many tasks again help more than half as many seeds again."""
    model: dict[str, Any] = {"candidate": 0.95, "baseline": 0.95, "spread": 0.6, "agreement": 0.5, "draws": 1000}
    base, seeds, tasks = (simulated_power(*size, 0.05, **model).value for size in ((120, 2), (120, 3), (180, 2)))
    assert base < seeds < tasks


def test_same_seed_same_power() -> None:
    """A plan can be printed twice."""
    assert pilot_power([0] * 8, 100, 0.05, seed=1) == pilot_power([0] * 8, 100, 0.05, seed=1)
    assert pilot_power([0] * 8, 100, 0.05, seed=1) != pilot_power([0] * 8, 100, 0.05, seed=2)


def test_pilot_without_a_difference_promises_nothing_certain() -> None:
    """Its unseen task may go either way; a larger pilot says more."""
    small, large = (pilot_power([0] * tasks, 80, 0.05, draws=1000).value for tasks in (8, 300))
    assert small < 0.5 < large < 1


@few
@given(shares, shares, shares, shares, st.integers(1, 6))
def test_distribution_has_the_assumed_rates(
    candidate: float, baseline: float, spread: float, agreement: float, seeds: int
) -> None:
    """Probabilities of differences in [-1, 1] whose mean is the difference of the rates."""
    values, probabilities = difference_distribution(
        candidate=candidate, baseline=baseline, spread=spread, agreement=agreement, seeds=seeds
    )
    assert values.shape == probabilities.shape == (2 * seeds + 1,)
    assert (values[0], values[-1]) == (-1, 1)
    assert probabilities.min() >= -1e-12
    assert probabilities.sum() == pytest.approx(1)
    assert values @ probabilities == pytest.approx(candidate - baseline, abs=2e-4)


@pytest.mark.parametrize("spread", [0.1, 0.6, 0.9])
def test_seeds_of_a_task_are_beta_binomial(spread: float) -> None:
    """Against a baseline that always passes, the candidate's failures show alone."""
    values, probabilities = difference_distribution(candidate=0.9, baseline=1, spread=spread, agreement=0.3, seeds=3)
    size = 1 / spread - 1
    assert values[:4] == pytest.approx([-1, -2 / 3, -1 / 3, 0])
    assert probabilities[:4] == pytest.approx(betabinom.pmf(np.arange(4), 3, 0.9 * size, 0.1 * size), abs=2e-4)


def test_agreement_ties_tasks_and_spread_parts_them() -> None:
    """Equal rates: equally hard tasks that pass always or never tie, independent ones do as their rates say."""
    model: dict[str, Any] = {"candidate": 0.8, "baseline": 0.8, "spread": 1, "seeds": 3}
    assert difference_distribution(**model, agreement=1)[1][3] == pytest.approx(1)
    assert difference_distribution(**model, agreement=0)[1][3] == pytest.approx(0.8**2 + 0.2**2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: required_tasks([0], 0.05, -0.05), "is not positive; no number of tasks"),
        (lambda: required_tasks([0], 0.05, -0.2), "is not positive; no number of tasks"),
        (lambda: required_tasks([0], 0.5, 0.5), "margin 1 is not between 0 and 1"),
        (lambda: required_tasks([], 0.05), "no values"),
        (lambda: required_tasks([2], 0.05), r"outside \[-1, 1\]"),
        (lambda: required_tasks([0], 0.05, power=80), "power 80 is not in"),
        (lambda: least_tasks(0), "margin 0 is not between"),
        (lambda: least_tasks(0.05, 2.5), "alpha 2.5 is not between"),
        (lambda: pilot_power([0], 0, 0.05), "0 tasks and 4000 draws"),
        (lambda: pilot_power([0], 8, 0.05, alpha=1), "alpha 1 is not between"),
        (lambda: pilot_power([0], 8, 5), "margin 5 is not in"),
        (lambda: difference_distribution(candidate=1.1, baseline=1, spread=0, agreement=0, seeds=1), "candidate 1.1"),
        (lambda: difference_distribution(candidate=1, baseline=1, spread=0, agreement=0, seeds=0), "0 seeds"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(call: Callable[[], object], message: str) -> None:
    """What, where and how to mend it."""
    with pytest.raises(ValueError, match=message):
        call()
