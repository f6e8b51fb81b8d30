"""The trend over thresholds and the area under a sweep's curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.analysis import (
    Interval,
    average_gap_recovered,
    noninferiority_p,
    paired_interval,
    threshold_trend,
)

few = settings(deadline=None, max_examples=40)


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[list[list[float]], list[int]]:
    """Task means at distinct thresholds."""
    thresholds = draw(st.lists(st.integers(-50, 50), min_size=2, max_size=6, unique=True))
    row = st.lists(st.sampled_from([0, 1 / 3, 2 / 3, 1]), min_size=len(thresholds), max_size=len(thresholds))
    return draw(st.lists(row, min_size=1, max_size=20)), thresholds


def limits(interval: Interval) -> tuple[float, float]:
    """Both ends, to compare with a pair."""
    return interval.low, interval.high


def test_two_thresholds_are_a_paired_difference() -> None:
    """One engine: the change is the difference, its interval and p-value are the paired ones."""
    low, high = np.array([1, 1, 0, 1 / 3, 1, 1]), np.array([1, 0, 0, 0, 2 / 3, 1 / 3])
    trend = threshold_trend(np.column_stack([low, high]), [5, 25])
    assert trend.change == pytest.approx(np.mean(high - low))
    assert limits(trend.interval) == pytest.approx(limits(paired_interval(high - low)), abs=1e-9)
    assert trend.p_value == pytest.approx(2 * noninferiority_p(low - high, 0), abs=1e-9)


def test_change_is_that_of_the_fitted_line() -> None:
    """Compared with a polynomial fit of each task."""
    random = np.random.default_rng(5)
    passes, thresholds = random.integers(0, 4, (12, 5)) / 3, np.array([5, 10, 15, 20, 40])
    slopes = np.polyfit(thresholds, passes.T, 1)[0]
    assert threshold_trend(passes, thresholds).change == pytest.approx(slopes.mean() * 35)


def test_bounds_are_those_of_the_slope() -> None:
    """A step at the middle of five thresholds fits a change of 1.2; with all tasks there the limit is its bound."""
    trend = threshold_trend([[0, 0, 1, 1, 1]] * 10, [1, 2, 3, 4, 5])
    assert trend.change == pytest.approx(1.2)
    assert limits(trend.interval) == pytest.approx((1.2 * (2 * 0.025**0.1 - 1), 1.2), abs=1e-6)


def test_no_change_is_not_certain() -> None:
    """Eight flat tasks leave as much open as eight ties, and their p-value is 1."""
    trend = threshold_trend([[1, 1, 1]] * 8, [1, 2, 3])
    assert trend.change == pytest.approx(0)
    assert limits(trend.interval) == pytest.approx((-0.369417, 0.369417), abs=1e-4)
    assert trend.p_value == 1


@few
@given(sweeps(), st.randoms(), st.floats(0.01, 100), st.floats(-10, 10))
def test_order_and_unit_of_thresholds_do_not_matter(
    sweep: tuple[list[list[float]], list[int]], random: object, scale: float, shift: float
) -> None:
    """Columns may come in any order, thresholds in any unit."""
    passes, thresholds = np.array(sweep[0]), np.array(sweep[1])
    order = list(range(thresholds.size))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = threshold_trend(passes, thresholds)
    other = threshold_trend(passes[:, order], scale * thresholds[order] + shift)
    assert other.change == pytest.approx(straight.change, abs=1e-9)
    assert limits(other.interval) == pytest.approx(limits(straight.interval), abs=1e-6)
    assert other.p_value == pytest.approx(straight.p_value, abs=1e-6)


@few
@given(sweeps(), st.sampled_from([0.8, 0.95]))
def test_interval_has_width_holds_its_change_and_agrees_with_the_p_value(
    sweep: tuple[list[list[float]], list[int]], confidence: float
) -> None:
    """One boundary, two ways to it."""
    trend = threshold_trend(*sweep, confidence)
    low, high = limits(trend.interval)
    assert low - 1e-9 <= trend.change <= high + 1e-9
    assert high - low > 1e-3
    if min(abs(low), abs(high)) > 1e-6:
        assert (trend.p_value < 1 - confidence) == (low > 0 or high < 0)


@few
@given(sweeps(), st.data())
def test_missing_trial_covers_both_of_its_outcomes(
    sweep: tuple[list[list[float]], list[int]], data: st.DataObject
) -> None:
    """Whatever a lost trial would have been, its interval lies inside and its p-value is no larger."""
    passes, thresholds = np.array(sweep[0]), sweep[1]
    task, column = (data.draw(st.integers(0, size - 1)) for size in passes.shape)
    best = passes.copy()
    best[task, column] = min(1, best[task, column] + 1 / 3)
    printed = threshold_trend(passes, thresholds, best=best)
    assert printed.change == threshold_trend(passes, thresholds).change
    for possible in (passes, best):
        trend = threshold_trend(possible, thresholds)
        assert printed.interval.low <= trend.interval.low + 1e-9
        assert trend.interval.high <= printed.interval.high + 1e-9
        assert printed.p_value >= trend.p_value - 1e-9


@few
@given(sweeps(), st.data())
def test_flipping_a_pass_at_the_largest_threshold_never_raises_a_limit(
    sweep: tuple[list[list[float]], list[int]], data: st.DataObject
) -> None:
    """More failures at the end never look like a rise."""
    passes, thresholds = np.array(sweep[0]), sweep[1]
    worse = passes.copy()
    worse[data.draw(st.integers(0, len(passes) - 1)), int(np.argmax(thresholds))] = 0
    old, new = (threshold_trend(table, thresholds).interval for table in (passes, worse))
    assert new.low <= old.low + 1e-9
    assert new.high <= old.high + 1e-9


@pytest.mark.parametrize(
    ("spent", "recovered", "expected"),
    [
        ([0.2, 0.5, 0.9], [0.2, 0.5, 0.9], 0.5),  # a coin
        ([0.5], [0.5], 0.5),
        ([0.5], [1], 0.75),  # all of the gap for half of the money
        ([0.8, 0.2], [0.9, 0.6], 0.06 + 0.45 + 0.19),
        ([0.5, 0.5], [0.5, 1], 0.625),  # the same cost twice: their mean
        ([0, 0.5], [0.5, 0.5], 0.5 * 0.375 + 0.5 * 0.75),  # at an end: the mean with the control
        ([0.5, 1.3, -0.2], [1, 9, -9], 0.75),  # beyond the controls: left out
        ([0.5], [1.2], 0.85),  # better than always-cloud
        ([0.5], [-0.2], 0.15),
    ],
)
def test_area_by_hand(spent: list[float], recovered: list[float], expected: float) -> None:
    """Trapezoids from always-local to always-cloud."""
    assert average_gap_recovered(spent, recovered) == pytest.approx(expected)


@pytest.mark.parametrize(("spent", "recovered"), [([], []), ([1.2, -0.1], [1, 0])])
def test_no_area_without_a_point(spent: list[float], recovered: list[float]) -> None:
    """The two controls alone say nothing of a router."""
    assert average_gap_recovered(spent, recovered) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: threshold_trend([1, 0], [1, 2]), r"tasks by thresholds, shape \(T, K\)"),
        (lambda: threshold_trend([[]], []), "tasks by thresholds"),
        (lambda: threshold_trend([[1]], [1]), "must be two or more, each once"),
        (lambda: threshold_trend([[1, 0]], [2, 2]), "must be two or more, each once"),
        (lambda: threshold_trend([[1, 0]], [1, float("inf")]), "task 1 is inf"),
        (lambda: threshold_trend([[1, 0, 1]], [1, 2]), "a column per threshold"),
        (lambda: threshold_trend([[1, 0]], [1, 2], best=[[1, 0], [1, 1]]), "a column per threshold"),
        (lambda: threshold_trend([[1, 0]], [1, 2], best=[[0, 0]]), "best lies below passes"),
        (lambda: threshold_trend([[1, 2]], [1, 2]), r"outside \[0, 1\]"),
        (lambda: threshold_trend([[1, 0]], [1, 2], 95), "confidence 95 is not between"),
        (lambda: average_gap_recovered([0.5], [0.5, 1]), "1 spent fractions but 2 recovered"),
        (lambda: average_gap_recovered([0.5], [float("nan")]), "task 0 is nan"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(call: Callable[[], object], message: str) -> None:
    """What, where and how to mend it."""
    with pytest.raises(ValueError, match=message):
        call()
