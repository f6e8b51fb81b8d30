"""Which records make a line of the matrix, and what the line says of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from builders import make_record

from pytest_hybrideval.analysis.cells import ALL_SUITES, Cell, cells
from pytest_hybrideval.core.domain import ErrorKind, Outcome, Tier
from pytest_hybrideval.core.records import Stages, TierTokens, TrialRecord

PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR


def free(record: TrialRecord) -> float:
    return 0.0


def pooled(records: Sequence[TrialRecord]) -> Cell:
    """The only cell that these records make."""
    (cell,) = cells(records, free)
    return cell


def trials(outcomes: Sequence[Sequence[Outcome]]) -> list[TrialRecord]:
    """A record per outcome: tasks by rows, seeds by columns."""
    return [
        make_record(task=f"samples/task-{row}", seed=seed, outcome=outcome)
        for row, seeds in enumerate(outcomes)
        for seed, outcome in enumerate(seeds)
    ]


def test_errors_are_missing_and_count_against_both_limits() -> None:
    table = [[PASSED] * 3] * 6 + [[PASSED, PASSED, FAILED], [PASSED, PASSED, ERROR]]
    cell = pooled(trials(table))
    assert (cell.tasks, cell.trials, cell.passed, cell.failed, cell.errors) == (8, 24, 22, 1, 1)
    assert cell.pass_rate == pytest.approx(22 / 24)
    assert (cell.interval.low, cell.interval.high) == pytest.approx((0.56980, 0.99895), abs=1e-4)


def test_eight_tasks_that_all_pass_leave_room_for_a_ninth_that_does_not() -> None:
    cell = pooled(trials([[PASSED] * 3] * 8))
    assert (cell.interval.low, cell.interval.high) == pytest.approx((0.630583, 1.0), abs=1e-4)
    assert cell.row_bootstrap is not None
    assert (cell.row_bootstrap.low, cell.row_bootstrap.high) == (1.0, 1.0)


def test_more_seeds_of_the_same_tasks_do_not_narrow_the_interval_for_new_tasks() -> None:
    few, many = pooled(trials([[PASSED]] * 8)), pooled(trials([[PASSED] * 10] * 8))
    assert few.interval == many.interval
    assert many.trials_interval.low > few.trials_interval.low


def test_the_line_for_these_tasks_takes_missing_trials_either_way() -> None:
    with_error = pooled(trials([[PASSED, PASSED, FAILED, ERROR]]))
    as_fail, as_pass = (pooled(trials([[PASSED, PASSED, FAILED, outcome]])) for outcome in (FAILED, PASSED))
    assert with_error.trials_interval.low == as_fail.trials_interval.low
    assert with_error.trials_interval.high == as_pass.trials_interval.high


def test_tasks_count_alike_however_many_seeds_they_have() -> None:
    cell = pooled(trials([[PASSED], [FAILED, FAILED, FAILED]]))
    assert cell.pass_rate == 0.5


def test_a_cell_of_nothing_but_errors_knows_nothing() -> None:
    cell = pooled(trials([[ERROR]] * 4))
    assert (cell.pass_rate, cell.row_bootstrap) == (0.0, None)
    assert (cell.interval.low, cell.interval.high) == pytest.approx((0.0, 1.0), abs=1e-9)
    assert not cell.comparable


@pytest.mark.parametrize(("errors", "comparable"), [(0, True), (1, True), (2, False)])
def test_more_than_one_error_in_twenty_trials_makes_a_cell_not_comparable(errors: int, comparable: bool) -> None:
    outcomes = [[ERROR]] * errors + [[PASSED]] * (20 - errors)
    assert pooled(trials(outcomes)).comparable is comparable


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("strategy", ["cascade", "heuristic"]),
        ("threshold", [None, 5.0, 15.0]),
        ("local_model", ["ollama/gemma4:31b", "ollama/qwen3-coder:30b"]),
        ("cloud_model", ["openai/gpt-5.5", "openrouter/gpt-5.5"]),
        ("agent", ["aider 0.86.2 architect", "aider 0.86.2 whole"]),
    ],
)
def test_what_differs_is_never_pooled(field: str, values: list[str | float | None]) -> None:
    records = [make_record(**{field: value}, task=f"samples/{task}") for value in values for task in "ab"]
    found = cells(records, free)
    assert [getattr(cell.key, field) for cell in found] == values
    assert all((cell.tasks, cell.trials) == (2, 2) for cell in found)


def test_seeds_and_tasks_are_pooled() -> None:
    cell = pooled([make_record(task=f"samples/{task}", seed=seed) for task in "abc" for seed in (1, 2)])
    assert (cell.tasks, cell.trials) == (3, 6)


def test_one_suite_makes_no_line_for_all_suites() -> None:
    assert pooled(trials([[PASSED]])).key.scope == "samples"


def test_several_suites_stand_alone_and_together() -> None:
    found = cells([make_record(task=task) for task in ("real_dev/a", "exercism/a", "exercism/b")], free)
    assert [(cell.key.scope, cell.trials) for cell in found] == [("exercism", 2), ("real_dev", 1), (ALL_SUITES, 3)]


def test_tasks_of_one_name_in_two_suites_are_two_tasks() -> None:
    found = cells([make_record(task="real_dev/a"), make_record(task="exercism/a")], free)
    assert found[-1].tasks == 2


def test_a_suite_whose_folder_is_called_all_is_still_one_suite() -> None:
    found = cells([make_record(task="all/a"), make_record(task="other/a")], free)
    assert sorted(cell.trials for cell in found) == [1, 1, 2]


def test_thresholds_stand_in_order_of_size_and_the_default_first() -> None:
    found = cells([make_record(threshold=value) for value in (15.0, 5.0, None, -1.0, 100.0)], free)
    assert [cell.key.threshold for cell in found] == [None, -1.0, 5.0, 15.0, 100.0]


def test_the_order_of_the_records_does_not_matter() -> None:
    records = [*trials([[PASSED, FAILED], [FAILED, ERROR], [PASSED, PASSED]]), make_record(strategy="cascade")]
    assert cells(records, free) == cells(records[::-1], free)


def test_a_trial_that_ended_before_its_agent_was_made_belongs_to_the_only_agent() -> None:
    lost = make_record(agent="", outcome=ERROR, error_kind=ErrorKind.WORKER_LOST)
    cell = pooled([make_record(), lost])
    assert (cell.key.agent, cell.trials, cell.errors) == ("aider 0.86.2 architect", 2, 1)


def test_with_several_agents_such_a_trial_stands_alone() -> None:
    records = [make_record(agent=agent) for agent in ("one", "two", "")]
    assert [cell.key.agent for cell in cells(records, free)] == ["", "one", "two"]


def test_no_records_make_no_cells() -> None:
    assert cells([], free) == []


def test_tokens_cost_and_time_are_added_up() -> None:
    records = [
        make_record(
            seed=seed,
            tokens={Tier.CLOUD: TierTokens(1, 100, 20), Tier.LOCAL: TierTokens(2, 200, 40)},
            overhead={Tier.LOCAL: TierTokens(1, 35, 5)},
            stages=Stages(total=10.0 * (seed + 1)),
        )
        for seed in range(2)
    ]
    (cell,) = cells(records, lambda record: 0.25)
    assert (cell.cloud, cell.local) == (TierTokens(2, 200, 40), TierTokens(6, 470, 90))
    assert cell.overhead_tokens == 80
    assert cell.cost == 0.5
    assert cell.seconds == 15.0
    assert cell.cloud_fraction == pytest.approx(240 / (240 + 560))


def test_without_tokens_there_is_no_cloud_fraction() -> None:
    assert pooled([make_record(tokens={})]).cloud_fraction is None


@pytest.mark.parametrize(("tier", "fraction"), [(Tier.CLOUD, 1.0), (Tier.LOCAL, 0.0)])
def test_one_tier_alone_is_all_or_nothing(tier: Tier, fraction: float) -> None:
    assert pooled([make_record(tokens={tier: TierTokens(1, 10, 1)})]).cloud_fraction == fraction


def test_one_simulated_trial_makes_the_cell_simulated() -> None:
    assert not pooled([make_record()]).simulated
    assert pooled([make_record(), make_record(seed=7, simulated=True)]).simulated


def test_the_confidence_that_is_asked_for_is_the_one_of_every_interval() -> None:
    (wide,), (narrow,) = (cells(trials([[PASSED, FAILED]] * 4), free, confidence) for confidence in (0.99, 0.8))
    for name in ("interval", "trials_interval", "row_bootstrap"):
        outer, inner = getattr(wide, name), getattr(narrow, name)
        assert (outer.confidence, inner.confidence) == (0.99, 0.8)
        assert outer.low <= inner.low <= inner.high <= outer.high
