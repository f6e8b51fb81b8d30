"""A run beside an earlier one: what is whose like, and what is left out and said so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from builders import make_record

from pytest_hybrideval.analysis.against import Against, against
from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL, CONTROLS
from pytest_hybrideval.analysis.comparison import Comparison
from pytest_hybrideval.analysis.verdict import Verdict
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

ENDS = {"P": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERROR}
A, B, C = "ollama/gemma4:31b", "ollama/qwen3-coder:30b", "ollama/other"
ROUTER = "heuristic"


def usd(record: TrialRecord) -> float:
    return record.tier_tokens(Tier.CLOUD).prompt / 100


def line(*table: str, strategy: str = ROUTER, suite: str = "samples", cents: int = 50, **changes: Any) -> Any:
    """A strategy's trials: a letter each, tasks by rows, seeds by columns; a dot did not run."""
    changes.setdefault("threshold", None if strategy in CONTROLS else 25.0)
    changes.setdefault("tokens", {Tier.CLOUD: TierTokens(calls=1, prompt=cents)} if cents else {})
    return [
        make_record(task=f"{suite}/{row}", strategy=strategy, **{"seed": seed, "outcome": ENDS[letter], **changes})
        for row, letters in enumerate(table)
        for seed, letter in enumerate(letters)
        if letter != "."
    ]


def beside(new: Iterable[TrialRecord], old: Iterable[TrialRecord], margin: float = 0.05) -> Against:
    return against(list(new), list(old), usd, margin)


def only(new: Iterable[TrialRecord], old: Iterable[TrialRecord]) -> Comparison:
    found = beside(new, old)
    (each,) = found.comparisons
    assert found.unmatched == ()
    return each


def thresholds(found: Against) -> dict[float | None, float | None]:
    return {each.key.threshold: each.baseline.threshold for each in found.comparisons}


def test_a_run_is_no_worse_than_itself() -> None:
    records = [*line("PF", "PP"), *line("PP", "PP", strategy=ALWAYS_CLOUD, cents=100)]
    found = beside(records, records)
    assert [(each.difference, each.pairs, each.left_out, each.changed_tasks) for each in found.comparisons] == [
        (0, 4, 0, ())
    ] * 2
    assert [each.savings.value for each in found.comparisons] == [0, 0]
    assert found.unmatched == ()
    assert list(found.by_line.values()) == list(found.comparisons)


def test_what_has_become_of_a_strategy() -> None:
    each = only(line(*["F"] * 40, *["P"] * 40, cents=20), line(*["P"] * 80, cents=80))
    assert (each.verdict, each.difference, each.savings.value) == (Verdict.INFERIOR, -0.5, 0.75)
    assert only(line(*["P"] * 80), line(*["P"] * 80)).verdict is Verdict.NON_INFERIOR
    assert only(line(*["P"] * 80), line(*["F"] * 40, *["P"] * 40)).verdict is Verdict.BETTER


def test_errors_of_either_run_make_it_not_comparable() -> None:
    good, lost = line(*["PP"] * 80), line(*["PE"] * 80)
    assert only(good, lost).verdict is only(lost, good).verdict is Verdict.NOT_COMPARABLE


def test_only_common_tasks_and_seeds_count_and_the_rest_is_counted() -> None:
    each = only(line("PPP", "PPP", "FFF"), line(".FF", "PP."))
    assert (each.tasks, each.pairs, each.left_out, each.baseline_left_out) == (2, 4, 5, 0)
    assert each.difference == 0.5


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"strategy": "cascade"}, "another strategy"),
        ({"seed": 99}, "another seed"),
        ({"suite": "exercism"}, "another suite"),
        ({"task_digest": "1" * 64}, "the same tasks, all of them changed"),
    ],
)
def test_what_has_no_like_is_named(other: dict[str, Any], why: str) -> None:
    new = line("P", "P")
    found = beside(new, line("P", "P", **other))
    assert (found.comparisons, [key.strategy for key in found.unmatched]) == ((), [ROUTER]), why


def test_a_run_beside_nothing_at_all() -> None:
    found = beside(line("P", "P"), [])
    assert (found.comparisons, len(found.unmatched)) == ((), 1)
    assert beside([], line("P", "P")) == Against((), ())


def test_a_task_that_changed_since_is_named_and_left_out() -> None:
    old = [*line("P", "P", "P")[:2], *line(".", ".", "P", task_digest="1" * 64)]
    each = only(line("F", "P", "F"), old)
    assert (each.changed_tasks, each.tasks, each.difference) == (("samples/2",), 2, -0.5)
    assert (each.left_out, each.baseline_left_out) == (1, 1)


def test_another_default_threshold_is_the_same_strategy() -> None:
    each = only(line("P", threshold=30.0), line("P", threshold=25.0))
    assert (each.key.threshold, each.baseline.threshold) == (30, 25)
    each = only(line("P", threshold=30.0), line("P", threshold=None))
    assert (each.key.threshold, each.baseline.threshold) == (30, None)


def test_a_sweep_is_compared_threshold_by_threshold() -> None:
    def sweep(*values: float) -> list[TrialRecord]:
        return [record for value in values for record in line("P", threshold=value)]

    assert thresholds(beside(sweep(5, 15, 25), sweep(5, 15, 25))) == {5: 5, 15: 15, 25: 25}
    found = beside(sweep(5, 15), sweep(5, 25))
    assert (thresholds(found), [key.threshold for key in found.unmatched]) == ({5: 5}, [15])
    assert beside(sweep(10), sweep(5, 25)).comparisons == ()


def test_a_line_that_has_its_like_is_no_likeness_of_others() -> None:
    """The threshold that ran before is compared with itself; four new ones are no further tests of it."""
    new = [record for value in (5.0, 10.0, 15.0, 20.0, 25.0) for record in line(*["P"] * 72, threshold=value)]
    found = beside(new, line(*["P"] * 72, threshold=15.0))
    assert thresholds(found) == {15: 15}
    assert found.comparisons[0].verdict is Verdict.NON_INFERIOR
    assert [key.threshold for key in found.unmatched] == [5, 10, 20, 25]


@pytest.mark.parametrize(
    ("field", "value"),
    [("local_model", B), ("cloud_model", "openrouter/gpt-5.5"), ("agent", "aider 0.87.0 architect")],
)
def test_other_models_and_agents_are_compared_where_there_is_no_doubt_which(field: str, value: str) -> None:
    def run(**changes: Any) -> list[TrialRecord]:
        lines = (line("P", "P", threshold=at, **changes) for at in (5.0, 15.0))
        return [*line("P", "P", strategy=ALWAYS_CLOUD, **changes), *(record for each in lines for record in each)]

    found = beside(run(**{field: value}), run())
    assert thresholds(found) == {None: None, 5: 5, 15: 15}
    assert {getattr(each.key, field) for each in found.comparisons} == {value}
    assert value not in {getattr(each.baseline, field) for each in found.comparisons if each.key.threshold}


def test_which_of_two_models_is_meant_is_not_guessed() -> None:
    old = [*line("P", local_model=A), *line("P", local_model=B)]
    found = beside([*line("P", local_model=B), *line("P", local_model=C)], old)
    assert [(each.key.local_model, each.baseline.local_model) for each in found.comparisons] == [(B, B)]
    assert [key.local_model for key in found.unmatched] == [C]


@pytest.mark.parametrize(
    ("strategy", "field"), [(ALWAYS_CLOUD, "local_model"), (ALWAYS_LOCAL, "cloud_model")], ids=CONTROLS
)
def test_the_model_that_a_control_never_asks_does_not_matter(strategy: str, field: str) -> None:
    def run(*models: str) -> list[TrialRecord]:
        return [record for model in models for record in line("P", "P", strategy=strategy, **{field: model})]

    assert len(beside(run(A, B), run(A)).comparisons) == 2
    assert len(beside(run(C), run(A, B)).comparisons) == 1
    early = line("P", strategy=strategy, **{field: A})
    each = only(run(C), [*early, *run(B)])
    assert (each.tasks, getattr(each.baseline, field)) == (2, B)


def test_local_trials_are_free_in_both_runs() -> None:
    local = line("P", "P", strategy=ALWAYS_LOCAL, cents=0)
    assert only(local, local).savings.note == "the baseline cost nothing"


def test_an_agent_that_never_started_does_not_part_the_runs() -> None:
    old = [*line("PP", "PP"), *line("..E", "..E", agent="")]
    assert only(line("PPP", "PPP"), old).pairs == 6


def run(**suites: Sequence[str]) -> list[TrialRecord]:
    return [record for suite, table in suites.items() for record in line(*table, suite=suite)]


def test_several_suites_are_compared_apart_and_together() -> None:
    found = beside(run(exercism=["P"], real_dev=["F"]), run(exercism=["P"], real_dev=["P"]))
    assert [(each.key.scope, each.baseline.scope, each.difference) for each in found.comparisons] == [
        ("exercism", "exercism", 0),
        ("real_dev", "real_dev", -1),
        (ALL_SUITES, ALL_SUITES, -0.5),
    ]


def test_one_suite_beside_several_is_that_suite() -> None:
    each = only(run(real_dev=["F"]), run(exercism=["P"], real_dev=["P"]))
    assert (each.key.scope, each.baseline.scope, each.difference) == ("real_dev", "real_dev", -1)
    assert (each.left_out, each.baseline_left_out) == (0, 0)


def test_several_suites_beside_one_are_compared_on_that_one() -> None:
    found = beside(run(exercism=["P"], real_dev=["F"]), run(real_dev=["P"]))
    assert [(each.key.scope, each.baseline.scope, each.left_out) for each in found.comparisons] == [
        ("real_dev", "real_dev", 0),
        (ALL_SUITES, "real_dev", 1),
    ]
    assert [key.scope for key in found.unmatched] == ["exercism"]


def test_suites_that_overlap_in_part() -> None:
    found = beside(run(a=["P"], b=["F"]), run(b=["P"], c=["P"]))
    scopes = {each.key.scope: (each.difference, each.left_out, each.baseline_left_out) for each in found.comparisons}
    assert scopes == {"b": (-1, 0, 0), ALL_SUITES: (-1, 1, 1)}
    assert [key.scope for key in found.unmatched] == ["a"]


def test_each_scope_is_a_family() -> None:
    tie = ["P"] * 72
    records = [*run(a=tie, b=tie), *line(*tie, suite="a", strategy="cascade")]
    verdicts = {(each.key.scope, each.key.strategy): each.verdict for each in beside(records, records).comparisons}
    assert verdicts == {
        ("a", "cascade"): Verdict.INCONCLUSIVE,
        ("a", ROUTER): Verdict.INCONCLUSIVE,
        ("b", ROUTER): Verdict.NON_INFERIOR,
        (ALL_SUITES, "cascade"): Verdict.NON_INFERIOR,
        (ALL_SUITES, ROUTER): Verdict.NON_INFERIOR,
    }


def test_both_runs_are_priced_alike() -> None:
    asked: list[str] = []

    def cost(record: TrialRecord) -> float:
        asked.append(record.detail)
        return 1.0

    (each,) = against(line("P", detail="new"), line("P", detail="old"), cost, 0.05).comparisons
    assert (each.savings.value, sorted(asked)) == (0, ["new", "old"])
