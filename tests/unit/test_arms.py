"""Which trials stand side by side, what is left out, and what a trial without a verdict or a price counts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from builders import make_record
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.analysis.arms import Arm, Paired, arm, in_common, pair
from pytest_hybrideval.analysis.cells import CellKey
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

ENDS = {"P": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERROR}
KEY = CellKey("samples", "ollama/gemma4:31b", "openai/gpt-5.5", "aider", "heuristic", 25.0)
UNKNOWN = {Tier.CLOUD: TierTokens(calls=1, unknown_calls=1)}


def usd(record: TrialRecord) -> float:
    return record.tier_tokens(Tier.CLOUD).prompt / 1000


def trials(*table: str, **changes: Any) -> list[TrialRecord]:
    """A record per letter, tasks by rows, seeds by columns; a dot did not run."""
    return [
        make_record(**{"task": f"samples/{row}", "seed": seed, "outcome": ENDS[letter], **changes})
        for row, letters in enumerate(table)
        for seed, letter in enumerate(letters)
        if letter != "."
    ]


def side(*records: Sequence[TrialRecord]) -> Arm:
    return arm(KEY, [record for group in records for record in group], usd)


def costing(thousands: int, *table: str, **changes: Any) -> list[TrialRecord]:
    return trials(*table, tokens={Tier.CLOUD: TierTokens(calls=1, prompt=1000 * thousands)}, **changes)


def rates(paired: Paired) -> list[list[float]]:
    return [[round(float(rate), 9) for rate in row] for row in paired.worst]


def test_seeds_are_pooled_and_an_error_counts_as_either() -> None:
    both = pair(side(trials("PPF", "PEE")), side(trials("PPP", "FFE")))
    assert both.tasks == ("samples/0", "samples/1")
    assert both.worst == pytest.approx(np.array([[2 / 3, 1 / 3], [1, 0]]))
    assert both.best == pytest.approx(np.array([[2 / 3, 1], [1, 1 / 3]]))
    assert (both.pairs, both.missing, both.left_out, both.changed) == (6, (2, 1), (0, 0), ())


def test_a_pair_has_task_and_seed_in_common() -> None:
    both = pair(side(trials("PF.", "F..")), side(trials(".PP", ".P.")))
    assert (both.tasks, both.pairs) == (("samples/0",), 1)
    assert rates(both) == [[0], [1]]
    assert both.left_out == (2, 2)


def test_what_is_left_out_is_counted_on_each_side() -> None:
    assert pair(side(trials("PPP", "PPP", "PPP")), side(trials("PP", "P"))).left_out == (6, 0)
    assert pair(side(trials("P")), side(trials("PP", "P")), side(trials("PP"))).left_out == (0, 2, 1)


def test_nothing_in_common_is_an_empty_table() -> None:
    both = pair(side(trials("P.")), side(trials(".P")))
    assert (both.tasks, both.pairs, both.left_out) == ((), 0, (1, 1))
    assert both.worst.shape == both.best.shape == both.costs.shape == (2, 0)
    assert both.priced.tasks == ()


def test_a_task_that_is_not_the_same_is_named_and_left_out_with_all_its_seeds() -> None:
    new = side(trials("PP", "PP", task_digest="a" * 64))
    old = side(trials("PP", task_digest="a" * 64), trials("....", "P.PP", task_digest="b" * 64))
    both = pair(new, old)
    assert (both.tasks, both.changed, both.pairs) == (("samples/0",), ("samples/1",), 2)
    assert both.left_out == (2, 3)


def test_a_task_that_changed_for_one_seed_alone_is_not_the_same() -> None:
    new = side(trials("PPP", "P"))
    old = side(trials("PP.", "P"), trials("..P", task_digest="b" * 64))
    assert (pair(new, old).changed, pair(new, old).tasks) == (("samples/0",), ("samples/1",))


@pytest.mark.parametrize("order", [1, -1])
def test_records_of_two_versions_of_a_task_are_neither_of_them(order: int) -> None:
    versions = [trials("P", task_digest="a" * 64), trials("F", task_digest="b" * 64)][::order]
    assert pair(side(*versions), side(trials("P", task_digest="a" * 64))).changed == ("samples/0",)
    assert pair(side(*versions), side(*versions[::-1])).changed == ()


def test_a_change_where_nothing_is_in_common_is_no_change() -> None:
    assert pair(side(trials("P.", "P")), side(trials(".P", task_digest="b" * 64), trials("", "P"))).changed == ()


def test_trials_of_one_task_and_seed_are_averaged() -> None:
    both = pair(side(trials("PP"), trials("F."), trials("P.")), side(trials("PE"), trials("E.")))
    assert rates(both) == [[pytest.approx((2 / 3 + 1) / 2)], [0.25]]
    assert both.best[1] == pytest.approx([1.0])
    assert (both.pairs, both.missing) == (2, (0, pytest.approx(1.5)))


def test_duplicates_weigh_no_more_than_one_trial() -> None:
    many = [record for _ in range(9) for record in trials("F.")]
    assert rates(pair(side(trials(".P"), many), side(trials("PP")))) == [[0.5], [1]]


def test_costs_are_per_trial_and_of_pairs_that_both_sides_know() -> None:
    dear, cheap = side(costing(4, "PPF")), side(costing(1, "PF."), costing(9, "..E"))
    assert pair(dear, cheap).costs == pytest.approx(np.array([[4], [1]]))
    averaged = side(costing(2, "P"), costing(4, "P"))
    assert pair(averaged, side(costing(1, "P"))).costs == pytest.approx(np.array([[3], [1]]))


@pytest.mark.parametrize("where", ["tokens", "overhead"])
def test_a_trial_that_did_not_say_its_tokens_has_no_known_cost(where: str) -> None:
    silent = trials("P", **{"tokens": {}, "overhead": {}, where: UNKNOWN})
    assert silent[0].tier_tokens(Tier.CLOUD).unknown_calls
    both = pair(side(silent, costing(2, ".P")), side(costing(4, "P"), costing(5, ".P")))
    assert both.costs == pytest.approx(np.array([[2], [5]]))
    assert rates(both) == [[1], [1]]


def test_local_tokens_that_nobody_counted_are_free() -> None:
    silent = trials("P", tokens={Tier.LOCAL: TierTokens(calls=1, unknown_calls=1)})
    assert pair(side(silent), side(costing(1, "P"))).costs == pytest.approx(np.array([[0], [1]]))


def test_a_cost_is_unknown_where_one_of_the_records_is() -> None:
    both = pair(side(costing(1, "P"), costing(1, "E")), side(costing(1, "P")))
    assert np.isnan(both.costs).all()


def test_a_task_without_a_known_cost_is_in_the_rates_and_not_among_the_priced() -> None:
    both = pair(side(costing(1, "E", "PP", "F")), side(costing(2, "P", "PE", "P")))
    assert np.isnan(both.costs[:, 0]).all()
    assert both.tasks == ("samples/0", "samples/1", "samples/2")
    assert both.priced.tasks == ("samples/1", "samples/2")
    assert rates(both.priced) == [[1, 0], [0.5, 1]]
    assert both.priced.costs == pytest.approx(np.array([[1, 1], [2, 2]]))


@pytest.mark.parametrize(
    ("table", "comparable"),
    [
        (["P" * 20], True),
        (["P" * 19 + "E"], True),
        (["P" * 18 + "E"], False),
        (["P" * 10, "P" * 5 + "EE" + "P" * 3], False),
        (["E"], False),
    ],
)
def test_more_than_one_error_in_twenty_trials_makes_a_side_not_comparable(table: list[str], comparable: bool) -> None:
    assert side(trials(*table)).comparable is comparable
    assert pair(side(trials(*table)), side(trials(*table))).comparable is comparable


def test_thirds_of_errors_add_up_to_what_they_are() -> None:
    table = "P" * 17 + "EEE", "P" * 140
    assert side(trials(table[0]), trials("P" * 20), trials("P" * 20)).comparable
    assert side(*(trials("", table[1]) for _ in range(2)), trials("", "E" * 21 + "P" * 119)).comparable


def test_errors_among_the_pairs_count_apart_from_those_of_all_trials() -> None:
    many, few = side(trials("E" + "P" * 99)), side(trials("P"))
    assert many.comparable
    assert few.comparable
    assert not pair(many, few).comparable
    assert not pair(few, many).comparable


def test_a_single_arm_is_paired_with_itself() -> None:
    alone = pair(side(costing(3, "PF", "E")))
    assert rates(alone) == [[0.5, 0]]
    assert alone.left_out == (0,)


letters = st.text(alphabet="PFE.", max_size=4)
tables = st.lists(st.lists(letters, min_size=1, max_size=5), min_size=2, max_size=4)


@settings(deadline=None, max_examples=60)
@given(tables, st.randoms(use_true_random=False))
def test_every_trial_is_in_a_pair_or_left_out_whatever_the_order(sides: list[list[str]], chance: random.Random) -> None:
    records = [costing(1 + at, *table) for at, table in enumerate(sides)]
    straight = pair(*map(side, records))
    mixed = pair(*(side(chance.sample(group, len(group))) for group in records))
    for group, left_out in zip(records, straight.left_out, strict=True):
        assert straight.pairs + left_out == len(group)
    assert in_common(*map(side, records)) == straight.pairs
    assert (mixed.tasks, mixed.pairs, mixed.left_out) == (straight.tasks, straight.pairs, straight.left_out)
    for name in ("worst", "best", "costs"):
        np.testing.assert_allclose(getattr(mixed, name), getattr(straight, name))
    assert np.all(straight.worst <= straight.best)


@settings(deadline=None, max_examples=60)
@given(tables)
def test_the_tables_are_what_counting_by_hand_gives(sides: list[list[str]]) -> None:
    paired = pair(*(side(costing(1 + at, *table)) for at, table in enumerate(sides)))
    for column, task in enumerate(paired.tasks):
        row = int(task.partition("/")[2])
        seeds = [s for s in range(4) if all(row < len(t) and s < len(t[row]) and t[row][s] != "." for t in sides)]
        known = [s for s in seeds if all(table[row][s] != "E" for table in sides)]
        for at, table in enumerate(sides):
            assert paired.worst[at, column] == pytest.approx(np.mean([table[row][s] == "P" for s in seeds]))
            assert paired.best[at, column] == pytest.approx(np.mean([table[row][s] in "PE" for s in seeds]))
            assert paired.costs[at, column] == pytest.approx(1 + at if known else np.nan, nan_ok=True)
