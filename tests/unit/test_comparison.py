"""What may be said of a strategy beside its baseline, what it saves, and what must never move a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import make_record
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.analysis.arms import Arm, Point, arm
from pytest_hybrideval.analysis.cells import CellKey
from pytest_hybrideval.analysis.comparison import BY_DESIGN, Comparison, Savings, compare
from pytest_hybrideval.analysis.intervals import Interval, ratio_interval
from pytest_hybrideval.analysis.planner import least_tasks
from pytest_hybrideval.analysis.verdict import Verdict, verdict
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

BETTER, NON_INFERIOR, WORSE, INFERIOR, INCONCLUSIVE, NOT_COMPARABLE = Verdict
RANKS = [INFERIOR, WORSE, INCONCLUSIVE, NON_INFERIOR, BETTER]
ENDS = {"P": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERROR}
KEY = CellKey("samples", "ollama/gemma4:31b", "openai/gpt-5.5", "aider", "heuristic", 25.0)
BASELINE = replace(KEY, strategy="always-cloud", threshold=None)

few = settings(deadline=None, max_examples=30)


def side(table: Sequence[str], cost: float = 1.0, key: CellKey = KEY) -> Arm:
    """An arm of letters: tasks by rows, seeds by columns; a dot did not run."""
    points = {
        (f"samples/{row}", seed): Point(
            "0" * 64, float(letter == "P"), float(letter in "PE"), None if letter == "E" else cost
        )
        for row, letters in enumerate(table)
        for seed, letter in enumerate(letters)
        if letter != "."
    }
    return Arm(key, points)


def beside(candidate: Sequence[str], baseline: Sequence[str], margin: float = 0.05, **more: Any) -> Comparison:
    (found,) = compare([(side(candidate), side(baseline, key=BASELINE))], margin, **more)
    return found


def limits(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


ALL, NINE, HALF, NONE = ["P" * 10] * 60, ["P" * 9 + "F"] * 60, ["PF" * 5] * 60, ["F" * 10] * 60


@pytest.mark.parametrize(
    ("candidate", "baseline", "margin", "expected"),
    [
        (["P"] * 60, ["P"] * 40 + ["F"] * 20, 0.05, BETTER),
        (ALL, NINE, 0.05, BETTER),
        (["P"] * 72, ["P"] * 72, 0.05, NON_INFERIOR),
        (["P"] * 71, ["P"] * 71, 0.05, INCONCLUSIVE),
        (["F"] * 72, ["F"] * 72, 0.05, NON_INFERIOR),
        (["P"] * 36, ["P"] * 36, 0.1, NON_INFERIOR),
        (["P"] * 35, ["P"] * 35, 0.1, INCONCLUSIVE),
        (NINE, ALL, 0.2, NON_INFERIOR),  # certainly lower, but by less than was declared not to matter
        (NINE, ALL, 0.05, WORSE),  # certainly lower; whether by more than the margin is open
        (HALF, ALL, 0.05, INFERIOR),
        (NONE, ALL, 0.85, INFERIOR),
        (["P"] * 8, ["P"] * 8, 0.05, INCONCLUSIVE),
        (["P"], ["F"], 0.05, INCONCLUSIVE),
        (["F"], ["P"], 0.05, INCONCLUSIVE),
        (["P" * 100] * 8, ["P" * 100] * 8, 0.05, INCONCLUSIVE),  # more seeds are not more tasks
        (["P" * 9 + "E"] * 72, ["P" * 10] * 72, 0.05, NOT_COMPARABLE),
        (["P" * 10] * 72, ["P" * 9 + "E"] * 72, 0.05, NOT_COMPARABLE),
    ],
)
def test_every_verdict(candidate: list[str], baseline: list[str], margin: float, expected: Verdict) -> None:
    assert beside(candidate, baseline, margin).verdict is expected


def test_certainly_lower_and_non_inferior_shows_an_interval_below_zero() -> None:
    found = beside(NINE, ALL, 0.2)
    assert found.difference == pytest.approx(-0.1)
    assert -0.2 < found.interval.low < found.interval.high < 0


@pytest.mark.parametrize(
    ("low", "high", "p", "p_better", "expected"),
    [
        (0.1, 0.2, 0.001, 0.025, BETTER),
        (0.0, 0.2, 0.001, 0.026, NON_INFERIOR),
        (-0.3, -0.06, 1.0, 1.0, INFERIOR),
        (-0.3, -0.05, 1.0, 1.0, WORSE),
        (-0.04, -0.01, 0.025, 1.0, NON_INFERIOR),
        (-0.04, -0.01, 0.026, 1.0, WORSE),
        (-0.3, 0.0, 1.0, 1.0, INCONCLUSIVE),
    ],
)
def test_the_rule_at_its_limits(low: float, high: float, p: float, p_better: float, expected: Verdict) -> None:
    assert verdict(Interval(low, high, 0.95), p, p_better, 0.05) is expected


def test_the_statistics_pages_eight_tasks_with_one_third_lost() -> None:
    found = beside(["PPP"] * 7 + ["PPF"], ["PPP"] * 8)
    assert limits(found.interval) == pytest.approx((-0.40058, 0.34633), abs=1e-4)
    assert (found.p, found.p_holm) == pytest.approx((0.85889, 0.85889), abs=1e-4)
    assert (found.verdict, found.tasks, found.pairs) == (INCONCLUSIVE, 8, 24)
    assert (found.pass_rate, found.baseline_pass_rate) == pytest.approx((23 / 24, 1))


def test_the_statistics_pages_hundred_tasks_are_enough() -> None:
    candidate = ["PPF"] * 4 + ["PPP"] * 2 + ["PPP"] * 94
    found = beside(candidate, ["PPP"] * 4 + ["PPF"] * 2 + ["PPP"] * 94)
    assert limits(found.interval) == pytest.approx((-0.04623, 0.03293), abs=1e-4)
    assert found.p == pytest.approx(0.01684, abs=1e-4)
    assert (found.verdict, found.more_tasks) == (NON_INFERIOR, 0)


@pytest.mark.parametrize(("margin", "required"), [(0.05, 247), (0.10, 80)])
def test_an_open_question_names_the_tasks_that_would_close_it(margin: float, required: int) -> None:
    assert beside(["P"] * 8, ["P"] * 8, margin).more_tasks == required - 8


def test_less_confidence_takes_fewer_tasks() -> None:
    assert beside(["P"] * 59, ["P"] * 59, confidence=0.9).verdict is NON_INFERIOR
    assert beside(["P"] * 58, ["P"] * 58, confidence=0.9).verdict is INCONCLUSIVE
    loose, strict = (beside(["P"] * 8, ["P"] * 8, confidence=level).more_tasks for level in (0.9, 0.99))
    assert loose + 8 >= least_tasks(0.05, 0.05)
    assert loose < beside(["P"] * 8, ["P"] * 8).more_tasks < strict


def test_nothing_more_is_asked_for_where_there_is_a_verdict() -> None:
    decided = [beside(NINE, ALL), beside(HALF, ALL), beside(ALL, NINE), beside(["PE"] * 9, ["PP"] * 9)]
    assert [each.more_tasks for each in decided] == [0, 0, 0, 0]


def family(*candidates: Sequence[str], baseline: Sequence[str], margin: float = 0.05) -> list[Comparison]:
    keys = [replace(KEY, threshold=float(at)) for at in range(len(candidates))]
    other = side(baseline, key=BASELINE)
    return compare([(side(each, key=key), other) for each, key in zip(candidates, keys, strict=True)], margin)


def test_a_verdict_that_holds_alone_may_not_hold_among_five() -> None:
    tie = ["P"] * 72
    (alone,) = family(tie, baseline=tie)
    among = family(*[tie] * 5, baseline=tie)
    assert alone.verdict is NON_INFERIOR
    assert [each.verdict for each in among] == [INCONCLUSIVE] * 5
    assert [each.p_holm for each in among] == pytest.approx([5 * alone.p] * 5)
    assert [each.p for each in among] == pytest.approx([alone.p] * 5)
    assert [each.more_tasks for each in among] == [104 - 72] * 5
    assert [each.verdict for each in family(*[["P"] * 104] * 5, baseline=["P"] * 104)] == [NON_INFERIOR] * 5
    assert {each.verdict for each in family(*[["P"] * 103] * 5, baseline=["P"] * 103)} == {INCONCLUSIVE}


def test_superiority_is_a_family_of_its_own() -> None:
    good, lost = ["P"] * 100, ["P"] * 100
    lost[:8] = ["F"] * 8
    better, *ties = family(good, lost, lost, baseline=lost)
    assert better.p_better_holm == pytest.approx(3 * better.p_better)
    assert better.verdict is BETTER
    assert [each.p_better_holm for each in ties] == [1, 1]
    assert [each.p_holm for each in ties] == pytest.approx([2 * 0.95**100] * 2)


def test_sides_without_a_task_in_common_are_left_out_and_in_no_family() -> None:
    tie = ["P"] * 72
    other = side(["."] * 72 + ["P"], key=replace(KEY, threshold=1.0))
    found = compare([(other, side(tie, key=BASELINE)), (side(tie), side(tie, key=BASELINE))], 0.05)
    assert [each.key for each in found] == [KEY]
    assert found[0].verdict is NON_INFERIOR
    assert compare([], 0.05) == []


def test_a_verdict_survives_the_worst_case_of_missing_trials() -> None:
    tie = ["P"] * 80
    assert beside(["P"] * 80, tie).verdict is NON_INFERIOR
    lost = beside(["E", *["P"] * 79], tie)
    assert lost.verdict is INCONCLUSIVE
    assert lost.p == beside(["F", *["P"] * 79], tie).p
    assert lost.interval.low == beside(["F", *["P"] * 79], tie).interval.low
    assert lost.interval.high == beside(tie, tie).interval.high
    assert beside(["E", *["P"] * 149], ["P"] * 150).verdict is NON_INFERIOR


def test_an_error_on_both_sides_is_open_both_ways() -> None:
    found = beside(["E", *["P"] * 30], ["E", *["P"] * 30])
    assert found.difference == 0
    assert limits(found.interval) == pytest.approx((-found.interval.high, found.interval.high))
    assert found.interval.low < beside(["F", *["P"] * 30], ["P"] * 31).interval.low + 1e-9


def test_five_in_a_hundred_errors_are_comparable_and_six_are_not() -> None:
    table = [["P" * 20] * 4 + ["P" * (20 - errors) + "E" * errors] for errors in (5, 6)]
    assert [beside(each, ["P" * 20] * 5).verdict for each in table] == [INCONCLUSIVE, NOT_COMPARABLE]
    assert [beside(["P" * 20] * 5, each).verdict for each in table] == [INCONCLUSIVE, NOT_COMPARABLE]


@pytest.mark.parametrize("order", [1, -1])
def test_each_side_answers_for_its_own_errors_though_both_have_one_name(order: int) -> None:
    """As with an earlier run of the same strategy."""
    first, second = (side(table) for table in (["PP"] * 80, ["PE"] * 80)[::order])
    (found,) = compare([(first, second)], 0.05)
    assert found.verdict is NOT_COMPARABLE


def test_errors_elsewhere_do_not_hide_those_of_the_pairs() -> None:
    assert beside(["E", *["P"] * 99], ["P"]).verdict is NOT_COMPARABLE


def test_trials_are_paired_by_task_and_seed() -> None:
    found = beside(["PF.", "P..", "PPP"], [".PP", "..P"])
    assert (found.tasks, found.pairs, found.left_out, found.baseline_left_out) == (1, 1, 5, 2)
    assert (found.pass_rate, found.baseline_pass_rate, found.difference) == (0, 1, -1)


def test_tasks_count_alike_however_many_seeds_they_have() -> None:
    assert beside(["PPPPP", "F"], ["PPPPP", "P"]).difference == -0.5


def record(outcome: str, task: int = 0, cents: int = 100, **changes: Any) -> TrialRecord:
    tokens = {Tier.CLOUD: TierTokens(calls=1, prompt=cents)} if cents else {}
    return make_record(**{"task": f"samples/{task}", "outcome": ENDS[outcome], "tokens": tokens, **changes})


def compared(
    candidate: Sequence[TrialRecord], baseline: Sequence[TrialRecord], free: frozenset[CellKey] = frozenset()
) -> Comparison:
    def usd(record: TrialRecord) -> float:
        return record.tier_tokens(Tier.CLOUD).prompt / 100

    (found,) = compare([(arm(KEY, candidate, usd), arm(BASELINE, baseline, usd))], 0.05, free=free)
    return found


def saved(candidate: Mapping[int, int], baseline: Mapping[int, int], free: frozenset[CellKey] = frozenset()) -> Savings:
    """The savings of tasks at these cents."""
    own, other = ([record("P", task, cents) for task, cents in side.items()] for side in (candidate, baseline))
    return compared(own, other, free).savings


def test_a_changed_task_is_named_and_left_out() -> None:
    changed = [record("F", 0, task_digest="1" * 64), record("P", 1)]
    found = compared(changed, [record("P", 0), record("P", 1), record("P", 2)])
    assert (found.changed_tasks, found.difference, found.tasks) == (("samples/0",), 0, 1)
    assert (found.left_out, found.baseline_left_out) == (1, 2)


def test_trials_that_ran_twice_are_averaged() -> None:
    found = compared([record("P"), record("F", cents=300)], [record("P", cents=400)])
    assert (found.difference, found.pairs, found.savings.value) == (-0.5, 1, 0.5)


def test_savings_are_one_minus_the_ratio_of_costs() -> None:
    own, other = dict(enumerate([10, 30, 0, 60, 50])), dict(enumerate([100, 60, 80, 60, 100]))
    found = saved(own, other)
    ratio = ratio_interval(np.array(list(own.values())), np.array(list(other.values())), 0.0, 1.0)
    assert found.value == pytest.approx(1 - 150 / 400)
    assert found.interval is not None
    assert limits(found.interval) == pytest.approx((1 - ratio.high, 1 - ratio.low))
    assert found.note == ""


def test_a_router_that_costs_more_saves_less_than_nothing() -> None:
    found = saved(dict.fromkeys(range(9), 200), dict.fromkeys(range(9), 100))
    assert found.value == -1
    assert found.interval is not None
    assert -1 - 1e-9 <= found.interval.low <= -1 <= found.interval.high < 0.5


def test_what_costs_nothing_by_design_has_no_interval() -> None:
    assert saved({0: 0, 1: 0}, {0: 100, 1: 50}, frozenset({KEY})) == Savings(1, None, BY_DESIGN)


def test_what_is_free_by_design_is_measured_where_local_time_has_a_price() -> None:
    found = saved(dict.fromkeys(range(9), 25), dict.fromkeys(range(9), 100), frozenset({KEY}))
    assert (found.value, found.note) == (0.75, "")
    assert found.interval is not None


def test_a_router_that_happened_to_stay_local_has_one() -> None:
    found = saved(dict.fromkeys(range(9), 0), dict.fromkeys(range(9), 100))
    assert found.value == 1
    assert found.interval is not None
    assert 0 < found.interval.low < found.interval.high == 1


@pytest.mark.parametrize("own", [0, 100])
def test_nothing_is_saved_of_nothing(own: int) -> None:
    assert saved({0: own}, {0: 0}) == Savings(None, None, "the baseline cost nothing")


def test_a_task_that_cost_the_baseline_nothing_has_no_ratio() -> None:
    found = saved({0: 100, 1: 100}, {0: 0, 1: 400})
    assert found == Savings(0.5, None, "a task cost the baseline nothing: no interval")
    assert saved({0: 0, 1: 100}, {0: 0, 1: 400}).interval is not None


@pytest.mark.parametrize(
    ("own", "other", "note"),
    [
        ({}, {7: 700}, "samples/7 alone is 50 % of the baseline's"),
        ({7: 700}, {}, "samples/7 alone is 50 % of its own"),
        ({7: 700}, {7: 700}, "samples/7 alone is 50 % of the baseline's"),
        ({7: 400}, {7: 400}, ""),
    ],
)
def test_a_task_that_decides_the_savings_is_named(own: dict[int, int], other: dict[int, int], note: str) -> None:
    even = dict.fromkeys(range(8), 100)
    assert saved(even | own, even | other).note == note


def test_costs_of_pairs_that_ended_in_errors_on_either_side_are_left_out() -> None:
    own = [record("E", 0, 900), record("P", 1, 50), record("P", 2, 900), record("P", 3, 50)]
    other = [record("P", 0), record("P", 1), record("E", 2), record("F", 3)]
    assert compared(own, other).savings.value == 0.5


def test_costs_of_trials_that_are_not_in_common_do_not_count() -> None:
    own, other = [record("P", 0, 50), record("P", 1, 900)], [record("P", 0), record("P", 2, 900)]
    assert compared(own, other).savings.value == 0.5


def test_unknown_usage_is_never_a_saving() -> None:
    silent = record("P", 0, tokens={Tier.CLOUD: TierTokens(calls=1, unknown_calls=1)})
    assert compared([silent, record("P", 1, 50)], [record("P", 0), record("P", 1)]).savings.value == 0.5
    for own, other in (([silent], [record("P")]), ([record("P")], [silent])):
        assert compared(own, other).savings == Savings(None, None, "no trial's cost is known on both sides")


@pytest.mark.parametrize("margin", [-0.05, 1.0, 5])
def test_a_margin_out_of_range_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match=r"margin .* is not in \[0, 1\)"):
        beside(["P"], ["P"], margin)


def test_without_a_margin_only_better_counts() -> None:
    assert beside(ALL, NINE, 0.0).verdict is BETTER
    assert (beside(["P"] * 99, ["P"] * 99, 0.0).verdict, beside(["P"], ["P"], 0.0).more_tasks) == (INCONCLUSIVE, 0)


@st.composite
def two_sides(draw: st.DrawFn, letters: str = "PPPPF") -> tuple[list[str], list[str]]:
    tasks, seeds = draw(st.sampled_from([1, 8, 40, 80, 120])), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    shares = draw(st.sampled_from([(0.0, 0.0), (0.02, 0.0), (0.3, 0.02), (0.0, 0.3), (0.6, 0.1), (1.0, 0.0)]))
    tables = [
        ["".join("F" if fail else "P" for fail in random.random(seeds) < share) for _ in range(tasks)]
        for share in shares
    ]
    return tables[0], tables[1]


def spoilt(table: Sequence[str], places: Sequence[int], letter: str) -> list[str]:
    """The table with another letter in places that are counted through."""
    width = len(table[0])
    text = list("".join(table))
    for place in places:
        text[place % len(text)] = letter
    return ["".join(text[at : at + width]) for at in range(0, len(text), width)]


places = st.lists(st.integers(0, 400), min_size=1, max_size=4)


@few
@given(two_sides(), places, st.sampled_from([0.05, 0.1, 0.3]))
def test_flipping_a_pass_to_a_fail_never_improves_anything(
    sides: tuple[list[str], list[str]], flipped: list[int], margin: float
) -> None:
    candidate, baseline = sides
    old = family(candidate, baseline, baseline=baseline, margin=margin)
    new = family(spoilt(candidate, flipped, "F"), baseline, baseline=baseline, margin=margin)
    for before, after in zip(old, new, strict=True):
        assert RANKS.index(after.verdict) <= RANKS.index(before.verdict)
        assert after.interval.low <= before.interval.low + 1e-9
        assert after.interval.high <= before.interval.high + 1e-9
        assert after.p_holm >= before.p_holm - 1e-9


@few
@given(two_sides(), places, places)
def test_swapping_the_sides_mirrors_the_difference(
    sides: tuple[list[str], list[str]], lost: list[int], lost_there: list[int]
) -> None:
    candidate, baseline = spoilt(sides[0], lost, "E"), spoilt(sides[1], lost_there, "E")
    there, back = beside(candidate, baseline), beside(baseline, candidate)
    assert limits(back.interval) == pytest.approx((-there.interval.high, -there.interval.low), abs=1e-9)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.pass_rate, back.baseline_pass_rate) == (there.baseline_pass_rate, there.pass_rate)


@few
@given(two_sides(), places, places, st.sampled_from(["PP", "PF", "FP", "FF"]))
def test_whatever_the_missing_trials_would_have_been_the_verdict_holds(
    sides: tuple[list[str], list[str]], lost: list[int], lost_there: list[int], would: str
) -> None:
    printed = beside(spoilt(sides[0], lost, "E"), spoilt(sides[1], lost_there, "E"))
    truth = beside(spoilt(sides[0], lost, would[0]), spoilt(sides[1], lost_there, would[1]))
    assert printed.interval.low <= truth.interval.low + 1e-9
    assert truth.interval.high <= printed.interval.high + 1e-9
    assert printed.p >= truth.p - 1e-9
    if printed.verdict in (BETTER, NON_INFERIOR):
        assert RANKS.index(truth.verdict) >= RANKS.index(printed.verdict)
    if printed.verdict in (WORSE, INFERIOR):
        assert truth.interval.high < 0


@few
@given(two_sides(), two_sides(), st.sampled_from([0.05, 0.2]))
def test_no_verdict_says_more_than_its_interval(
    one: tuple[list[str], list[str]], two: tuple[list[str], list[str]], margin: float
) -> None:
    tables = [table for table in (*one, *two) if len(table) == len(one[0])]
    straight = family(*tables, baseline=one[1], margin=margin)
    for each in straight:
        bounds = {BETTER: 0.0, NON_INFERIOR: -margin, WORSE: -1.0, INFERIOR: -1.0, INCONCLUSIVE: -1.0}
        assert each.interval.low >= bounds[each.verdict] - 1e-9
        assert (each.interval.high < 0) or each.verdict not in (WORSE, INFERIOR)
        assert each.p_holm >= each.p
        assert each.interval.low - 1e-9 <= each.difference <= each.interval.high + 1e-9
    other = side(one[1], key=BASELINE)
    sides = [(side(table, key=each.key), other) for table, each in zip(tables, straight, strict=True)]
    assert compare(sides[::-1], margin)[::-1] == straight
