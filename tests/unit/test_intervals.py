"""Intervals against published figures, closed forms, and the properties that a reader relies on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from pytest_hybrideval.analysis import (
    Interval,
    cost_interval,
    exact_binomial_interval,
    holm,
    mean_interval,
    noninferiority_p,
    paired_interval,
    ratio_interval,
    tail_probability,
)

THIRD = 1 / 3
COSTS = [100, 200, 50, 400, 120, 90, 300, 1000]
CLOUD_COSTS = [100, 0, 50, 400, 0, 90, 300, 500]

relaxed = settings(deadline=None, max_examples=60)
rates = st.lists(st.floats(0, 1), min_size=1, max_size=30)
pass_tables = st.tuples(st.integers(1, 20), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(st.booleans(), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


def limits(interval: Interval) -> tuple[float, float]:
    """Both ends, to compare with a pair."""
    return interval.low, interval.high


def near(*expected: float) -> object:
    """Allow the tolerance of the published figures."""
    return pytest.approx(expected, abs=1e-4)


def partial_fractions(coefficients: list[float]) -> float:
    """P(sum lam_i E_i <= 0) in closed form, for distinct coefficients that are not too close."""
    lam = np.array(coefficients)
    return float(
        1 - sum(np.prod([a / (a - b) for j, b in enumerate(lam) if j != i]) for i, a in enumerate(lam) if a > 0)
    )


@pytest.mark.parametrize(
    ("coefficients", "expected"),
    [([], 1), ([0, 0], 1), ([-1, -2], 1), ([-1, 0], 1), ([3], 0), ([3, 0, 1], 0), ([1, -1], 0.5), ([1, 0, -3], 0.75)],
)
def test_tail_probability_by_hand(coefficients: list[float], expected: float) -> None:
    """Edge cases and P(E1 <= a E2) = a / (1 + a)."""
    assert tail_probability(coefficients) == pytest.approx(expected, abs=1e-12)


@relaxed
@given(st.lists(st.integers(-40, 40).filter(bool), min_size=1, max_size=8, unique=True), st.floats(1e-6, 1e6))
def test_tail_probability_equals_partial_fractions(coefficients: list[int], scale: float) -> None:
    """The integral is exact, whatever the scale."""
    scaled = [scale * c for c in coefficients]
    assert tail_probability(scaled) == pytest.approx(partial_fractions([float(c) for c in coefficients]), abs=1e-7)


@pytest.mark.parametrize("tasks", [20, 199, 200, 799, 800, 3000])
@pytest.mark.parametrize("rate", [0.04, 0.5, 0.96, 1.0])
def test_tail_probability_is_exact_for_many_tasks(tasks: int, rate: float) -> None:
    """Fewer nodes for fewer terms cost no digit: compared with the beta distribution."""
    passes = round(tasks * rate)
    for level in (1e-6, 0.025, 0.5, 0.975):
        u = float(beta.ppf(level, passes, tasks - passes + 1))
        lam = np.repeat([1 - u, -u], [passes, tasks - passes + 1])
        assert tail_probability(lam) == pytest.approx(level, abs=1e-11)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1] * 8, (0.630583, 1)),
        ([1] * 8, (0.025 ** (1 / 8), 1)),
        ([1] * 13, (0.752947, 1)),
        ([1] * 48 + [0] * 2, (0.862862, 0.995119)),
        ([1, 0.5], (0.111803, 0.993710)),
        ([0.5], (0.0125, 0.9875)),
        ([1] * 7 + [2 / 3], (0.59942, 0.99895)),
        ([1] * 7 + [0], (0.47349, 0.99684)),
        ([1] * 5 + [2 / 3] * 3, (0.54164, 0.97159)),
        ([0] * 8, (0, 0.369417)),
    ],
)
def test_pass_rate_figures(values: list[float], expected: tuple[float, float]) -> None:
    """Pass rates measured before this code existed."""
    assert limits(mean_interval(values, 0, 1)) == near(*expected)


def test_missing_trial_is_a_fail_below_and_a_pass_above() -> None:
    """24 trials on 8 tasks, one failed and one missing: the errors widen the interval instead of vanishing."""
    worst, best = [1] * 6 + [2 / 3, 2 / 3], [1] * 6 + [2 / 3, 1]
    assert limits(mean_interval(worst, 0, 1, best=best)) == near(0.56980, 0.99895)
    assert 3 * sum(worst) == pytest.approx(22)


@pytest.mark.parametrize(
    ("tasks", "margin", "expected"), [(8, 0.05, 0.66342), (71, 0.05, 0.02620), (72, 0.05, 0.02489), (36, 0.1, 0.9**36)]
)
def test_noninferiority_of_tied_tasks(tasks: int, margin: float, expected: float) -> None:
    """All tied: (1 - m)^T, so that no number of seeds replaces tasks."""
    p = noninferiority_p([0] * tasks, margin)
    assert p == pytest.approx((1 - margin) ** tasks, abs=1e-12)
    assert p == pytest.approx(expected, abs=1e-4)


def test_tied_difference_is_not_certain() -> None:
    """Eight ties leave more than a third either way."""
    assert limits(paired_interval([0] * 8)) == near(-0.369417, 0.369417)


@pytest.mark.parametrize(
    ("differences", "expected", "p"),
    [
        ([0] * 7 + [-THIRD], (-0.40058, 0.34633), 0.85889),
        ([0] * 94 + [-THIRD] * 4 + [THIRD] * 2, (-0.04623, 0.03293), 0.01684),
    ],
)
def test_difference_figures(differences: list[float], expected: tuple[float, float], p: float) -> None:
    """Paired differences with their p-value at a margin of .05."""
    assert limits(paired_interval(differences)) == near(*expected)
    assert noninferiority_p(differences, 0.05) == pytest.approx(p, abs=1e-4)


def test_superiority_agrees_with_the_lower_limit() -> None:
    """A margin of 0 asks whether the interval lies above 0: one boundary, two ways to it."""
    for wins in range(2, 9):
        differences = [1.0] * wins + [0.0] * (12 - wins)
        assert (noninferiority_p(differences, 0) <= 0.025) == (paired_interval(differences).low > 0)


def test_margin_is_significant_where_the_limit_passes_it() -> None:
    """The p-value at minus the lower limit is the interval's own tail."""
    differences = [0] * 20 + [-THIRD] * 2 + [2 / 3]
    assert noninferiority_p(differences, -paired_interval(differences).low) == pytest.approx(0.025, abs=1e-8)


def test_cost_figures() -> None:
    """Costs of eight tasks, one of which carries almost half of the total."""
    assert limits(cost_interval(COSTS)) == pytest.approx((118.852, 937.155), abs=1e-3)


def test_cloud_fraction_figures() -> None:
    """The share of the same costs that went to the cloud."""
    assert sum(CLOUD_COSTS) / sum(COSTS) == pytest.approx(0.637168, abs=1e-6)
    assert limits(ratio_interval(CLOUD_COSTS, COSTS, 0, 1)) == near(0.278375, 0.916230)


def test_ratio_of_equal_denominators_is_a_mean() -> None:
    """With equal denominators the two engines are one."""
    values = [0.2, 0.9, 0.4, 1, 1]
    expected = pytest.approx(limits(mean_interval(values, 0, 1)), abs=1e-9)
    assert limits(ratio_interval(np.multiply(values, 70), [70] * 5, 0, 1)) == expected


def test_ratio_ignores_units_and_tasks_without_cost() -> None:
    """Cents or dollars, and tasks that cost nothing, tell nothing about a ratio but the typical size."""
    cents = ratio_interval(np.array(CLOUD_COSTS) / 1e6, np.array(COSTS) / 1e6, 0, 1)
    assert limits(cents) == pytest.approx(limits(ratio_interval(CLOUD_COSTS, COSTS, 0, 1)), abs=1e-9)
    assert limits(ratio_interval([0, 0, 0], [5, 0, 9], 0, 1))[0] == 0


def test_holm_figures() -> None:
    """Adjusted in the order given, never decreasing along the sorted values, never above 1."""
    assert holm([0.004, 0.011, 0.02, 0.03]) == pytest.approx([0.016, 0.033, 0.04, 0.04])
    assert holm([0.03, 0.004, 0.02, 0.011]) == pytest.approx([0.04, 0.016, 0.04, 0.033])
    assert holm([0.7, 0.6]) == pytest.approx([1, 1])
    assert holm([]).size == 0


@pytest.mark.parametrize(("passes", "trials"), [(0, 1), (1, 1), (0, 24), (23, 24), (24, 24), (220, 450)])
def test_exact_binomial_is_clopper_pearson(passes: int, trials: int) -> None:
    """Compared with the beta quantiles."""
    interval = exact_binomial_interval(passes, trials, 0.9)
    low = beta.ppf(0.05, passes, trials - passes + 1) if passes else 0
    high = beta.ppf(0.95, passes + 1, trials - passes) if passes < trials else 1
    assert limits(interval) == pytest.approx((low, high), abs=1e-10)
    assert interval.confidence == 0.9


@relaxed
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_equals_clopper_pearson_on_passes_and_fails(passes: list[bool], confidence: float) -> None:
    """One seed per task makes it the textbook interval."""
    exact = exact_binomial_interval(sum(passes), len(passes), confidence)
    assert limits(mean_interval(passes, 0, 1, confidence)) == pytest.approx(limits(exact), abs=1e-6)


@relaxed
@given(pass_tables, st.data())
def test_flipping_a_pass_to_a_fail_never_raises_a_limit(table: list[list[bool]], data: st.DataObject) -> None:
    """More failures never look better."""
    before = np.array(table, dtype=float)
    assume(before.any())
    task, seed = data.draw(st.sampled_from(np.argwhere(before).tolist()))
    after = before.copy()
    after[task, seed] = 0
    old, new = (mean_interval(t.mean(axis=1), 0, 1) for t in (before, after))
    assert new.low <= old.low + 1e-9
    assert new.high <= old.high + 1e-9


@relaxed
@given(st.lists(st.sampled_from([-1, -THIRD, 0, THIRD, 1]), min_size=1, max_size=30), st.data())
def test_a_candidate_that_fails_more_never_gains(differences: list[float], data: st.DataObject) -> None:
    """A difference that falls raises neither limit, and its p-values do not fall."""
    worse = list(differences)
    task = data.draw(st.integers(0, len(worse) - 1))
    worse[task] = max(-1, worse[task] - THIRD)
    old, new = paired_interval(differences), paired_interval(worse)
    assert new.low <= old.low + 1e-9
    assert new.high <= old.high + 1e-9
    for margin in (0, 0.05, 0.4):
        assert noninferiority_p(worse, margin) >= noninferiority_p(differences, margin) - 1e-9


@relaxed
@given(rates, st.sampled_from([0.8, 0.95, 0.99]))
def test_contains_the_mean_and_has_width(values: list[float], confidence: float) -> None:
    """No data are certain: the interval holds its own mean and is never a point."""
    interval = mean_interval(values, 0, 1, confidence)
    assert -1e-12 <= interval.low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= interval.high <= 1 + 1e-12
    assert interval.high - interval.low > 1e-3


@relaxed
@given(rates, st.randoms())
def test_order_of_tasks_does_not_matter(values: list[float], random: object) -> None:
    """The very same floats, so that two reports never differ by the order of workers."""
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert mean_interval(shuffled, 0, 1) == mean_interval(values, 0, 1)


@relaxed
@given(pass_tables, st.data())
def test_missing_trial_covers_both_of_its_outcomes(table: list[list[bool]], data: st.DataObject) -> None:
    """Whatever a lost trial would have been, its interval lies inside the printed one."""
    trials = np.array(table, dtype=float)
    task, seed = (data.draw(st.integers(0, size - 1)) for size in trials.shape)
    as_fail, as_pass = trials.copy(), trials.copy()
    as_fail[task, seed], as_pass[task, seed] = 0, 1
    printed = mean_interval(as_fail.mean(axis=1), 0, 1, best=as_pass.mean(axis=1))
    for possible in (as_fail, as_pass):
        interval = mean_interval(possible.mean(axis=1), 0, 1)
        assert printed.low <= interval.low + 1e-9
        assert interval.high <= printed.high + 1e-9


@relaxed
@given(rates)
def test_mirrored_values_mirror_the_interval(values: list[float]) -> None:
    """Fail rates are told as honestly as pass rates."""
    straight, mirrored = mean_interval(values, 0, 1), mean_interval([1 - v for v in values], 0, 1)
    assert limits(mirrored) == pytest.approx((1 - straight.high, 1 - straight.low), abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([], 0, 1), "no values"),
        (lambda: mean_interval([1, float("nan")], 0, 1), "task 1 is nan"),
        (lambda: mean_interval([1, 0, 1.2], 0, 1), r"task 2 is 1.2, outside \[0, 1\]"),
        (lambda: mean_interval([[1, 0]], 0, 1), "one value per task"),
        (lambda: mean_interval([1], 1, 1), "lower one smaller"),
        (lambda: mean_interval([1], 0, 1, 95), "confidence 95 is not between"),
        (lambda: mean_interval([1, 1], 0, 1, best=[1]), "2 values but 1 best"),
        (lambda: mean_interval([1, 1], 0, 1, best=[1, 0.5]), "task 1 has a best value 0.5 below"),
        (lambda: paired_interval([-1.5]), r"outside \[-1, 1\]"),
        (lambda: noninferiority_p([0], 5), r"margin 5 is not in \[0, 1\)"),
        (lambda: cost_interval([0, 0]), "by design"),
        (lambda: cost_interval([-1, 3]), "outside"),
        (lambda: ratio_interval([1], [1, 2], 0, 1), "1 numerators but 2 denominators"),
        (lambda: ratio_interval([0], [0], 0, 1), "one of them positive"),
        (lambda: ratio_interval([1, 3], [1, 2], 0, 1), r"task 1 has 3 of 2, a ratio outside \[0, 1\]"),
        (lambda: exact_binomial_interval(25, 24), "25 passes of 24"),
        (lambda: holm([0.1, 1.2]), r"in \[0, 1\]"),
        (lambda: tail_probability([1, float("inf")]), "task 1 is inf"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(call: Callable[[], object], message: str) -> None:
    """What, where and how to mend it."""
    with pytest.raises(ValueError, match=message):
        call()
