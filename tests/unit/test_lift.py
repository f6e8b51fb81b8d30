"""Lift over random mixing and the recovered gap: published figures, edge cases, and what must never happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.analysis import mixing_lift, paired_interval, performance_gap_recovered, tail_probability

# The published table over 8 tasks: always-cloud 1.00, always-local .88, heuristic .96 at 79 % of the cost.
CLOUD, LOCAL, ROUTER = [1] * 8, [1] * 7 + [0], [1] * 7 + [2 / 3]
FREE, FULL, SPENT = [0] * 8, [1] * 8, [1, 1, 1, 0.66, 0.66, 0.66, 0.67, 0.67]

few = settings(deadline=None, max_examples=30)
thirds = st.sampled_from([0, 1 / 3, 2 / 3, 1])


@st.composite
def three_strategies(draw: st.DrawFn) -> list[list[float]]:
    """Passes of router, local, cloud and costs of the three, one value per task."""
    tasks = draw(st.integers(1, 12))
    passes = [draw(st.lists(thirds, min_size=tasks, max_size=tasks)) for _ in range(3)]
    costs = [draw(st.lists(st.floats(0, 10), min_size=tasks, max_size=tasks)) for _ in range(2)]
    return [*passes, *costs, [11.0] * tasks]


def test_published_headline_is_below_the_coin() -> None:
    """79 % of the money recovers 67 % of the gap."""
    lift = mixing_lift(ROUTER, LOCAL, CLOUD, SPENT, FREE, FULL)
    assert lift.value == pytest.approx(-0.015417, abs=1e-4)
    assert lift.spent == pytest.approx(0.79)
    assert lift.interval is not None
    assert (lift.interval.low, lift.interval.high) == pytest.approx((-0.379, 0.363), abs=0.01)
    assert lift.note == ""


def test_published_gap_is_not_established_by_eight_tasks() -> None:
    """One dead task under local proves no gap: the ratio is a number without a meaning."""
    gap = performance_gap_recovered(ROUTER, LOCAL, CLOUD)
    assert gap.value == pytest.approx(0.6667, abs=1e-4)
    assert not gap.established
    assert gap.interval is None


def test_lift_is_gap_recovered_beyond_its_price() -> None:
    """Lift = (PGR - x)(p_C - p_L)."""
    lift, gap = mixing_lift(ROUTER, LOCAL, CLOUD, SPENT, FREE, FULL), performance_gap_recovered(ROUTER, LOCAL, CLOUD)
    assert gap.value is not None
    assert lift.value == pytest.approx((gap.value - 0.79) * (1 - 7 / 8))


@pytest.mark.parametrize(
    ("passes", "costs", "spent", "value", "note"),
    [
        ((0.8, 0.5, 0.9), (2, 1, 3), 0.5, 0.8 - 0.7, ""),
        ((0.8, 0.5, 0.9), (5, 1, 3), 2, 0.8 - 0.9, "more than always-cloud: compared with always-cloud"),
        ((0.8, 0.5, 0.9), (0, 1, 3), -0.5, 0.8 - 0.5, "less than always-local: compared with always-local"),
        ((0.8, 0.9, 0.5), (2, 1, 3), 0.5, 0.8 - 0.9, "passes more than always-cloud: compared with always-local"),
        ((0.8, 0.9, 0.5), (9, 1, 3), 4, 0.8 - 0.9, "passes more than always-cloud: compared with always-local"),
        ((0.8, 0.9, 0.5), (0, 1, 3), -0.5, 0.8 - 0.9, "passes more than always-cloud: compared with always-local"),
    ],
)
def test_what_the_router_is_compared_with(
    passes: tuple[float, ...], costs: tuple[float, ...], spent: float, value: float, note: str
) -> None:
    """On the line, beyond either end of it, and where local is better."""
    lift = mixing_lift(*([p] * 4 for p in passes), *([c] * 4 for c in costs), draws=100)
    assert (lift.spent, lift.value) == pytest.approx((spent, value))
    assert note in lift.note
    assert bool(note) == bool(lift.note)


@pytest.mark.parametrize("cloud_costs", [[1, 1], [0, 1], [0.5, 1.5]])
def test_undefined_without_a_cost_gap(cloud_costs: list[float]) -> None:
    """No money between the two: no coin to compare with."""
    lift = mixing_lift([1, 1], [1, 0], [1, 1], [1, 1], [1, 1], cloud_costs)
    assert (lift.value, lift.interval, lift.spent) == (None, None, None)
    assert "does not cost more" in lift.note


def test_draws_without_a_cost_gap_count_as_the_worst() -> None:
    """Where local is sometimes dearer, some draws have no line: they compare with the better control below."""
    lift = mixing_lift([1] * 8, [0] * 8, [1] * 8, [0] * 8, [0, 9] * 4, [10, 0] * 4)
    assert lift.interval is not None
    assert lift.value == 1
    assert lift.interval.low < 0
    assert lift.interval.high == 1


def test_lower_limit_of_a_free_router_against_nothing_is_exact() -> None:
    """With local at 0 and x = 0 the lift is the router's pass rate minus that of the unseen task of the control."""
    lift = mixing_lift([1] * 10, [0] * 10, [1] * 10, [0] * 10, [0] * 10, [1] * 10)
    assert lift.interval is not None
    assert lift.interval.low == pytest.approx(paired_interval([1] * 10).low, abs=0.01)


def test_same_seed_same_interval() -> None:
    """A report can be printed twice."""
    arguments = ROUTER, LOCAL, CLOUD, SPENT, FREE, FULL
    assert mixing_lift(*arguments, seed=7) == mixing_lift(*arguments, seed=7)
    assert mixing_lift(*arguments, seed=7) != mixing_lift(*arguments, seed=8)


def test_draws_come_in_blocks_that_do_not_show() -> None:
    """More tasks than fit one block give what the one engine gives."""
    tasks = 400
    router = np.repeat([1.0, 0.0], [300, 100])
    lift = mixing_lift(router, [0] * tasks, [1] * tasks, [0] * tasks, [0] * tasks, [1] * tasks, draws=10_000)
    assert lift.interval is not None
    assert (lift.interval.low, lift.interval.high) == pytest.approx(
        (paired_interval(router).low, paired_interval(router).high), abs=0.01
    )


@few
@given(three_strategies(), st.data())
def test_flipping_a_pass_to_a_fail_never_raises_a_limit_of_the_lift(
    table: list[list[float]], data: st.DataObject
) -> None:
    """A router that fails more, or controls that pass more, never look like a better router."""
    task = data.draw(st.integers(0, len(table[0]) - 1))
    worse = [list(row) for row in table]
    worse[0][task] = max(0, worse[0][task] - 1 / 3)
    better_control = data.draw(st.sampled_from([1, 2]))
    worse[better_control][task] = min(1, worse[better_control][task] + 1 / 3)
    old, new = (mixing_lift(*rows, draws=500).interval for rows in (table, worse))
    assert old is not None
    assert new is not None
    assert new.low <= old.low + 1e-9
    assert new.high <= old.high + 1e-9


@few
@given(three_strategies())
def test_lift_has_width_and_stays_in_range(table: list[list[float]]) -> None:
    """No data are certain."""
    lift = mixing_lift(*table, draws=500)
    assert lift.interval is not None
    assert lift.value is not None
    assert -1 <= lift.value <= 1
    assert -1 <= lift.interval.low < lift.interval.high <= 1
    assert lift.interval.high - lift.interval.low > 1e-3


@few
@given(three_strategies(), st.data())
def test_missing_trials_widen_the_lift_to_both_of_their_outcomes(table: list[list[float]], data: st.DataObject) -> None:
    """Whatever the lost trials would have been, their interval lies inside the printed one."""
    task = data.draw(st.integers(0, len(table[0]) - 1))
    best = [[min(1, p + (t == task) / 3) for t, p in enumerate(row)] for row in table[:3]]
    printed = mixing_lift(*table, router_best=best[0], local_best=best[1], cloud_best=best[2], draws=500)
    assert printed.interval is not None
    assert printed.value == mixing_lift(*table, draws=1).value
    for possible in (table[:3], best, [table[0], best[1], best[2]], [best[0], table[1], table[2]]):
        interval = mixing_lift(*possible, *table[3:], draws=500).interval
        assert interval is not None
        assert printed.interval.low <= interval.low + 1e-9
        assert interval.high <= printed.interval.high + 1e-9


def test_gap_is_established_where_its_own_interval_lies_above_zero() -> None:
    """A gap of all tasks is, one of a few tasks is not, and the missing trials decide at their worst."""
    tasks = 12
    for wins in range(tasks + 1):
        local = [0] * wins + [1] * (tasks - wins)
        gap = performance_gap_recovered([1] * tasks, local, [1] * tasks)
        assert gap.established == (paired_interval(np.subtract(1, local)).low > 0)
        assert (gap.interval is not None) == gap.established
        assert gap.value == (1 if wins else None)
    assert performance_gap_recovered([1] * tasks, [0] * tasks, [1] * tasks).established
    unsure = performance_gap_recovered([1] * tasks, [0] * tasks, [1] * tasks, local_best=[1] * 9 + [0] * 3)
    assert not unsure.established


def test_no_share_of_a_gap_that_is_none_or_negative() -> None:
    """A ratio to nothing has no value."""
    for cloud in ([1, 1 / 3, 2 / 3], [0, 1 / 3, 2 / 3]):
        gap = performance_gap_recovered([1, 1, 1], [2 / 3, 1 / 3, 1], cloud)
        assert (gap.value, gap.interval, gap.established) == (None, None, False)


@pytest.mark.parametrize("seed", range(6))
def test_interval_of_the_gap_holds_fiellers_set(seed: int) -> None:
    """A ratio is inside exactly where the paired interval of the combination, at its bounds, contains 0."""
    random = np.random.default_rng(seed)
    local = random.integers(0, 2, 30) / 3
    cloud = np.minimum(1, local + random.integers(0, 4, 30) / 3)
    router = np.where(random.random(30) < 0.5, local, cloud)
    gap = performance_gap_recovered(router, local, cloud, 0.9)
    assert gap.interval is not None
    assert gap.interval.low < np.mean(router - local) / np.mean(cloud - local) < gap.interval.high
    for ratio in np.linspace(gap.interval.low - 2, gap.interval.high + 2, 81):
        values, bound = router - local - ratio * (cloud - local), max(1, abs(ratio), abs(1 - ratio))
        inside = all(tail_probability(np.append(sign * values, -bound)) >= 0.05 for sign in (1, -1))
        assert inside == (gap.interval.low <= ratio <= gap.interval.high)


def test_missing_trials_widen_the_gaps_interval() -> None:
    """Each strategy's missing trials do, for either limit."""
    local, router, cloud = [0.0] * 30, [0.0] * 15 + [1.0] * 15, [1.0] * 29 + [0.0]
    plain = performance_gap_recovered(router, local, cloud).interval
    assert plain is not None
    for name, best in (
        ("router_best", [1.0, *router[1:]]),
        ("local_best", [1.0, *local[1:]]),
        ("cloud_best", [*cloud[:-1], 1.0]),
    ):
        wider = performance_gap_recovered(router, local, cloud, **{name: best}).interval
        assert wider is not None
        assert wider.low <= plain.low + 1e-9
        assert wider.high >= plain.high - 1e-9
        assert wider.high - wider.low > plain.high - plain.low + 1e-6


def lift_of(**changes: Any) -> object:
    """The lift of two tasks with something wrong about them."""
    good: dict[str, Any] = {name: [1, 0] for name in ("router", "local", "cloud")}
    good |= {"router_costs": [1, 1], "local_costs": [0, 0], "cloud_costs": [2, 2], "draws": 10}
    return mixing_lift(**good | changes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lift_of(router=[1, 2]), r"mixing_lift \(router\): the value of task 1 is 2"),
        (lambda: lift_of(cloud=[1, 0, 1]), "differ in tasks"),
        (lambda: lift_of(local=[]), "no values"),
        (lambda: lift_of(local_best=[1, float("nan")]), r"\(local_best\): the value of task 1 is nan"),
        (lambda: lift_of(cloud_best=[0, 0]), "cloud_best lies below cloud"),
        (lambda: lift_of(router_costs=[1]), r"costs of \[1, 2, 2\] tasks, but passes of 2"),
        (lambda: lift_of(local_costs=[-1, 0]), "a cost is negative"),
        (lambda: lift_of(confidence=95), "confidence 95 is not between"),
        (lambda: lift_of(draws=0), "0 draws"),
        (lambda: performance_gap_recovered([1], [0], [1, 1]), "differ in tasks"),
        (lambda: performance_gap_recovered([1], [0], [1], 1), "confidence 1 is not between"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(call: Callable[[], object], message: str) -> None:
    """What, where and how to mend it."""
    with pytest.raises(ValueError, match=message):
        call()
