"""The frontier: what is proven, what is not, and that equal or no costs are no accident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.analysis import FrontierPoint, FrontierStatus, frontier, ratio_interval

DOMINATED, ON_FRONTIER, UNDETERMINED = FrontierStatus.DOMINATED, FrontierStatus.ON_FRONTIER, FrontierStatus.UNDETERMINED

few = settings(deadline=None, max_examples=30)


def rows(tasks: int, *values: float) -> list[list[float]]:
    """Strategies that do the same on every task."""
    return [[value] * tasks for value in values]


def places(points: tuple[FrontierPoint, ...]) -> list[tuple[FrontierStatus, int | None]]:
    """What is proven, without the shares."""
    return [(point.status, point.dominated_by) for point in points]


def test_a_router_as_good_as_the_cloud_for_less() -> None:
    """The picture that a router is built for: cloud, router, local."""
    points = frontier(rows(300, 1, 1, 0.5), rows(300, 10, 5, 0), 0.05)
    assert places(points) == [(DOMINATED, 1), (ON_FRONTIER, None), (ON_FRONTIER, None)]


def test_eight_tasks_prove_nothing_but_the_cheapest() -> None:
    """Who costs least by design is on the frontier; the others need evidence."""
    points = frontier([[1] * 8, [1] * 7 + [2 / 3], [1] * 7 + [0]], rows(8, 10, 5, 0), 0.05)
    assert places(points) == [(UNDETERMINED, None), (UNDETERMINED, None), (ON_FRONTIER, None)]


def test_cheapest_by_chance_is_undetermined() -> None:
    """A lower mean cost is not a proven one."""
    points = frontier(rows(8, 0.5, 1), [[0, 2] * 4, [1.01] * 8], 0.05)
    assert places(points) == [(UNDETERMINED, None)] * 2


def test_better_than_all_needs_no_proof_of_costs() -> None:
    """Whoever is proven better than each that might be cheaper is on the frontier."""
    points = frontier(rows(100, 1, 0.2), [[0, 2] * 50, [1.01] * 100], 0.05)
    assert places(points) == [(ON_FRONTIER, None), (UNDETERMINED, None)]


def test_one_strategy_is_its_own_frontier() -> None:
    """Nothing dominates it."""
    assert frontier([[0, 1]], [[0, 0]], 0.05) == (FrontierPoint(1.0, ON_FRONTIER),)


def test_two_free_strategies_that_tie() -> None:
    """No cost, no ratio, no verdict; the unseen task decides a quarter of the draws against each."""
    points = frontier(rows(8, 0.5, 0.5), rows(8, 0, 0), 0.05)
    assert places(points) == [(UNDETERMINED, None)] * 2
    assert [point.share for point in points] == pytest.approx([0.75, 0.75], abs=0.01)


def test_at_the_same_cost_the_better_one_dominates() -> None:
    """Two free strategies, one of them proven better."""
    points = frontier(rows(100, 0.2, 0.9), rows(100, 0, 0), 0.05)
    assert places(points) == [(DOMINATED, 1), (ON_FRONTIER, None)]


def test_better_by_less_than_the_margin_is_dominated_by_the_cheaper() -> None:
    """The margin says which difference does not matter."""
    assert places(frontier(rows(300, 1, 0.9), rows(300, 2, 1), 0.3))[0] == (DOMINATED, 1)
    assert places(frontier(rows(300, 1, 0.9), rows(300, 2, 1), 0.05))[0] == (ON_FRONTIER, None)


def test_more_strategies_need_more_evidence() -> None:
    """Holm: 72 ties are enough for one pair and too few for three."""
    assert places(frontier(rows(71, 1, 1), rows(71, 2, 1), 0.05))[0] == (UNDETERMINED, None)
    assert places(frontier(rows(72, 1, 1), rows(72, 2, 1), 0.05))[0] == (DOMINATED, 1)
    points = frontier(rows(72, 1, 1, 1), rows(72, 3, 2, 1), 0.05)
    assert places(points) == [(UNDETERMINED, None), (UNDETERMINED, None), (ON_FRONTIER, None)]
    assert places(frontier(rows(94, 1, 1, 1), rows(94, 3, 2, 1), 0.05)) == [
        (DOMINATED, 2),  # both others dominate it as clearly: the cheaper one is named
        (DOMINATED, 2),
        (ON_FRONTIER, None),
    ]


def test_missing_trials_take_the_worst_case() -> None:
    """Neither a domination nor a superiority rests on trials that were lost."""
    passes, costs = rows(300, 1, 1, 0.5), rows(300, 10, 5, 0)
    lost_cloud = [[0] * 60 + [1] * 240, passes[1], passes[2]]
    assert places(frontier(lost_cloud, costs, 0.05, best=passes))[0] == (DOMINATED, 1)
    lost_router = [passes[0], [0] * 60 + [1] * 240, passes[2]]
    assert places(frontier(lost_router, costs, 0.05, best=passes))[0] == (UNDETERMINED, None)
    lost_local = [passes[0], passes[1], [0.5] * 300]
    assert places(frontier(lost_local, costs, 0.05, best=rows(300, 1, 1, 1)))[1] == (UNDETERMINED, None)


@pytest.mark.parametrize("seed", range(12))
def test_cheaper_is_what_the_cost_ratio_says(seed: int) -> None:
    """With 100 ties the interval of the cost ratio decides alone, at the same confidence."""
    random = np.random.default_rng(seed)
    costs = random.gamma(1, 1, (2, 100)) * [[0.75], [1]]
    low, high = (ratio_interval(a, b, 0, max(1, (a / b).max())).high < 1 for a, b in (costs, costs[::-1]))
    assert places(frontier(rows(100, 1, 1), costs, 0.05)) == [
        (DOMINATED, 1) if high else (ON_FRONTIER if low else UNDETERMINED, None),
        (DOMINATED, 0) if low else (ON_FRONTIER if high else UNDETERMINED, None),
    ]


def test_tasks_that_cost_only_one_of_two_routers() -> None:
    """A router that kept a task local has no ratio there: the other may still be proven cheaper, or not."""
    cheap, dear = [0.1] * 99 + [1], [2] * 99 + [0]
    assert places(frontier(rows(100, 1, 1), [cheap, dear], 0.05)) == [(ON_FRONTIER, None), (DOMINATED, 0)]
    assert places(frontier(rows(100, 1, 1), [[0.1] * 99 + [150], dear], 0.05)) == [(UNDETERMINED, None)] * 2


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_order_of_strategies_does_not_matter(order: list[int]) -> None:
    """Names move, facts stay; shares differ by the draws' noise alone."""
    passes, costs = np.array(rows(300, 1, 1, 0.5)), np.array(rows(300, 10, 5, 0))
    straight = frontier(passes, costs, 0.05)
    for point, index in zip(frontier(passes[order], costs[order], 0.05), order, strict=True):
        assert point.status is straight[index].status
        assert point.share == pytest.approx(straight[index].share, abs=0.02)
        assert point.dominated_by is None or order[point.dominated_by] == straight[index].dominated_by


def test_same_seed_same_shares() -> None:
    """A report can be printed twice."""
    passes, costs = [[1, 0, 1], [1, 1, 0]], [[1, 2, 3], [3, 2, 0]]
    assert frontier(passes, costs, 0.05, seed=3) == frontier(passes, costs, 0.05, seed=3)
    assert frontier(passes, costs, 0.05, seed=3) != frontier(passes, costs, 0.05, seed=4)


@few
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 30), st.floats(0, 0.5))
def test_of_all_strategies_one_is_left(seed: int, strategies: int, tasks: int, margin: float) -> None:
    """Shares are shares, in every draw somebody is on the frontier, and not all are dominated."""
    random = np.random.default_rng(seed)
    passes, costs = random.integers(0, 4, (strategies, tasks)) / 3, random.integers(0, 4, (strategies, tasks))
    points = frontier(passes, costs, margin, draws=200)
    assert all(0 <= point.share <= 1 for point in points)
    assert sum(point.share for point in points) >= 1
    assert any(point.status is not DOMINATED for point in points)
    assert all((point.dominated_by is None) == (point.status is not DOMINATED) for point in points)


@few
@given(st.integers(0, 2**32), st.integers(50, 200), st.floats(0, 0.3))
def test_flipping_a_pass_to_a_fail_never_lifts_a_strategy(seed: int, tasks: int, margin: float) -> None:
    """More failures never look better."""
    random = np.random.default_rng(seed)
    passes = (random.random((2, tasks)) < [[0.9], [0.8]]).astype(float)
    worse = passes.copy()
    worse[0, random.random(tasks) < 0.1] = 0
    ranks = [DOMINATED, UNDETERMINED, ON_FRONTIER]
    for costs in (rows(tasks, 2, 1), rows(tasks, 1, 2), rows(tasks, 1, 1)):
        old, new = (frontier(table, costs, margin, draws=10) for table in (passes, worse))
        assert ranks.index(new[0].status) <= ranks.index(old[0].status)
        assert ranks.index(new[1].status) >= ranks.index(old[1].status)


def frontier_of(**changes: Any) -> object:
    """Two strategies with something wrong about them."""
    good: dict[str, Any] = {"passes": [[1, 0], [1, 1]], "costs": [[1, 2], [3, 4]], "margin": 0.05, "draws": 10}
    return frontier(**good | changes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: frontier_of(passes=[1, 0]), r"passes must be strategies by tasks, shape \(S, T\)"),
        (lambda: frontier_of(passes=[[]], costs=[[]]), "strategies by tasks"),
        (lambda: frontier_of(costs=[[1, 2]]), r"costs have shape \(1, 2\), but passes \(2, 2\)"),
        (lambda: frontier_of(passes=[[1, 0], [1, 3]]), "the value of task 1 is 3, outside"),
        (lambda: frontier_of(best=[[1, 0], [0, 1]]), "best lies below passes"),
        (lambda: frontier_of(costs=[[1, -2], [3, 4]]), "a cost is negative"),
        (lambda: frontier_of(costs=[[1, float("nan")], [3, 4]]), "not finite"),
        (lambda: frontier_of(margin=5), "margin 5 is not in"),
        (lambda: frontier_of(alpha=0.95), "alpha 0.95 is not between"),
        (lambda: frontier_of(draws=0), "0 draws"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(call: Callable[[], object], message: str) -> None:
    """What, where and how to mend it."""
    with pytest.raises(ValueError, match=message):
        call()
