"""What a router's trials look like beside the two controls: which are regretted, what for, and which cannot be told."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import pytest
from builders import make_record

from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL, cells
from pytest_hybrideval.analysis.regret import CellRegrets, Regret, RegretKind, regrets
from pytest_hybrideval.core.domain import ErrorKind, FailureMode, Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR
UNDER, OVER, UNSOLVED, LUCKY = RegretKind
COSTS = {ALWAYS_CLOUD: 0.5, ALWAYS_LOCAL: 0.01}
ROUTER = "heuristic"
NOT_JUDGED = "not judged"


def usd(record: TrialRecord) -> float:
    """always-cloud 0.50, always-local 0.01, every other trial 0.10 for each of its calls to the cloud."""
    return COSTS.get(record.strategy, 0.01 + 0.1 * record.tier_tokens(Tier.CLOUD).calls)


def record(strategy: str, outcome: Outcome, **changes: Any) -> TrialRecord:
    changes.setdefault("threshold", None if strategy in COSTS else 25.0)
    changes.setdefault("failure_mode", FailureMode.TESTS_FAILED if outcome is FAILED else None)
    changes.setdefault("error_kind", ErrorKind.BACKEND if outcome is ERROR else None)
    return make_record(strategy=strategy, outcome=outcome, **changes)


def controls(cloud: Outcome | None, local: Outcome | None, **changes: Any) -> list[TrialRecord]:
    """The controls' trials; none where the outcome is None."""
    return [
        record(name, outcome, **changes)
        for name, outcome in ((ALWAYS_CLOUD, cloud), (ALWAYS_LOCAL, local))
        if outcome is not None
    ]


def router_cell(records: Sequence[TrialRecord]) -> CellRegrets:
    """The only line that is no control's."""
    (cell,) = (cell for cell in regrets(records, usd) if not cell.is_control)
    return cell


def only_regret(records: Sequence[TrialRecord]) -> Regret:
    (regret,) = router_cell(records).regrets
    return regret


def verdict(cell: CellRegrets) -> Any:
    """What came of a cell's one trial: a kind, `NOT_JUDGED`, or None for nothing to regret."""
    assert (cell.trials, cell.errors) == (1, 0)
    assert len(cell.regrets) + cell.not_judged + cell.no_regret == 1
    return NOT_JUDGED if cell.not_judged else cell.regrets[0].kind if cell.regrets else None


@pytest.mark.parametrize("missing", [None, ERROR])
@pytest.mark.parametrize(
    ("outcome", "cloud", "local", "expected"),
    [
        (FAILED, PASSED, PASSED, UNDER),
        (FAILED, PASSED, FAILED, UNDER),
        (FAILED, PASSED, "?", UNDER),
        (FAILED, FAILED, PASSED, OVER),
        (FAILED, FAILED, FAILED, UNSOLVED),
        (FAILED, FAILED, "?", NOT_JUDGED),
        (FAILED, "?", PASSED, NOT_JUDGED),
        (FAILED, "?", FAILED, NOT_JUDGED),
        (FAILED, "?", "?", NOT_JUDGED),
        (PASSED, PASSED, PASSED, OVER),
        (PASSED, FAILED, PASSED, OVER),
        (PASSED, "?", PASSED, OVER),
        (PASSED, PASSED, FAILED, None),
        (PASSED, FAILED, FAILED, LUCKY),
        (PASSED, "?", FAILED, NOT_JUDGED),
        (PASSED, PASSED, "?", NOT_JUDGED),
        (PASSED, FAILED, "?", NOT_JUDGED),
        (PASSED, "?", "?", NOT_JUDGED),
    ],
)
def test_every_way_a_trial_and_its_controls_can_end(
    outcome: Outcome, cloud: Outcome | str, local: Outcome | str, expected: Any, missing: Outcome | None
) -> None:
    ended = [missing if end == "?" else Outcome(end) for end in (cloud, local)]
    assert verdict(router_cell([record(ROUTER, outcome), *controls(*ended)])) == expected


@pytest.mark.parametrize("cloud", [PASSED, FAILED, None])
def test_a_trial_that_passed_for_no_more_than_always_local_is_not_regretted(cloud: Outcome | None) -> None:
    tokens = {Tier.LOCAL: TierTokens(calls=3)}
    assert verdict(router_cell([record(ROUTER, PASSED, tokens=tokens), *controls(cloud, PASSED)])) is None


@pytest.mark.parametrize(
    ("outcome", "cloud", "local", "stake"),
    [
        (PASSED, PASSED, PASSED, 0.10),  # what it cost beyond always-local
        (FAILED, FAILED, PASSED, 0.11),
        (FAILED, PASSED, FAILED, 0.11),
        (FAILED, FAILED, FAILED, 0.11),
        (PASSED, FAILED, FAILED, 0.11),
    ],
)
def test_what_is_at_stake(outcome: Outcome, cloud: Outcome, local: Outcome, stake: float) -> None:
    assert only_regret([record(ROUTER, outcome), *controls(cloud, local)]).usd == pytest.approx(stake)


def test_a_regret_tells_the_trial_its_cause_and_what_the_controls_did() -> None:
    trial = record(ROUTER, FAILED, trial="samples/slug[x]", seed=7, detail="1 of 3 tests did not pass")
    regret = only_regret([trial, *controls(PASSED, FAILED, seed=7)])
    assert (regret.trial, regret.task, regret.seed) == ("samples/slug[x]", "samples/slug", 7)
    assert (regret.strategy, regret.threshold) == (ROUTER, 25.0)
    assert (regret.outcome, regret.failure_mode) == (FAILED, FailureMode.TESTS_FAILED)
    assert regret.detail == "1 of 3 tests did not pass"
    assert (regret.cloud_calls, regret.local_calls) == (1, 2)
    assert (regret.cloud.outcome, regret.cloud.cost) == (PASSED, 0.5)
    assert (regret.local.outcome, regret.local.cost) == (FAILED, 0.01)


def test_calls_are_the_agents_own() -> None:
    trial = record(ROUTER, FAILED, tokens={}, overhead={Tier.LOCAL: TierTokens(calls=4)})
    regret = only_regret([trial, *controls(PASSED, FAILED)])
    assert (regret.cloud_calls, regret.local_calls) == (0, 0)


@pytest.mark.parametrize(
    ("field", "other"),
    [("seed", 7), ("task", "samples/other"), ("agent", "aider 0.86.2 whole")],
)
def test_no_other_seed_task_or_agent_stands_in_for_a_control(field: str, other: Any) -> None:
    cell = router_cell([record(ROUTER, FAILED), *controls(PASSED, PASSED, **{field: other})])
    assert verdict(cell) == NOT_JUDGED
    assert cell.not_run == {ALWAYS_CLOUD: 1, ALWAYS_LOCAL: 1}


@pytest.mark.parametrize(("cloud_model", "missing"), [("openai/gpt-5.5", 0), ("openai/other", 1)])
def test_always_cloud_must_have_asked_the_same_cloud_model_whatever_its_local_one(
    cloud_model: str, missing: int
) -> None:
    control = record(ALWAYS_CLOUD, PASSED, cloud_model=cloud_model, local_model="ollama/never-asked")
    cell = router_cell([record(ROUTER, FAILED), control])
    assert cell.not_run.get(ALWAYS_CLOUD, 0) == missing


@pytest.mark.parametrize(("local_model", "missing"), [("ollama/gemma4:31b", 0), ("ollama/other", 1)])
def test_always_local_must_have_asked_the_same_local_model_whatever_its_cloud_one(
    local_model: str, missing: int
) -> None:
    control = record(ALWAYS_LOCAL, PASSED, local_model=local_model, cloud_model="openai/never-asked")
    cell = router_cell([record(ROUTER, FAILED), control])
    assert cell.not_run.get(ALWAYS_LOCAL, 0) == missing


def test_each_pair_of_models_has_its_own_controls() -> None:
    models = ("ollama/good", "ollama/bad")
    locals_ = [record(ALWAYS_LOCAL, PASSED if name == models[0] else FAILED, local_model=name) for name in models]
    routers = [record(ROUTER, FAILED, local_model=name) for name in models]
    found = regrets([*routers, *locals_, record(ALWAYS_CLOUD, FAILED, local_model=models[0])], usd)
    kinds = {cell.key.local_model: cell.regrets[0].kind for cell in found if not cell.is_control}
    assert kinds == {"ollama/good": OVER, "ollama/bad": UNSOLVED}


def test_trials_without_a_control_are_counted_with_the_reason() -> None:
    trials = [record(ROUTER, FAILED, seed=seed) for seed in range(5)]
    cell = router_cell(
        [
            *trials,
            record(ROUTER, ERROR, seed=5),
            *controls(FAILED, FAILED, seed=0),
            *controls(FAILED, ERROR, seed=1),
            *controls(FAILED, None, seed=2),
            *controls(ERROR, None, seed=3),
            *controls(PASSED, None, seed=4),
        ]
    )
    assert cell.not_run == {ALWAYS_LOCAL: 3}
    assert cell.in_error == {ALWAYS_LOCAL: 1, ALWAYS_CLOUD: 1}
    assert (cell.trials, cell.errors, cell.not_judged, cell.no_regret) == (6, 1, 3, 0)
    assert [regret.kind for regret in cell.regrets] == [UNDER, UNSOLVED]


def test_a_trial_that_ended_in_an_error_is_counted_and_not_judged() -> None:
    cell = router_cell([record(ROUTER, ERROR), *controls(PASSED, PASSED)])
    assert (cell.errors, cell.not_judged, cell.no_regret, cell.regrets) == (1, 0, 0, ())


def test_controls_are_not_judged_by_each_other() -> None:
    found = regrets([*controls(PASSED, FAILED), *controls(FAILED, PASSED, seed=7)], usd)
    assert [cell.key.strategy for cell in found] == [ALWAYS_CLOUD, ALWAYS_LOCAL]
    assert all(cell.is_control and not cell.regrets and not cell.not_judged and not cell.no_regret for cell in found)


def test_the_most_costly_stand_first_and_failures_before_the_rest_of_their_price() -> None:
    def trial(name: str, outcome: Outcome, calls: int, cloud: Outcome, local: Outcome) -> list[TrialRecord]:
        tokens = {Tier.CLOUD: TierTokens(calls=calls)}
        task = f"samples/{name}"
        return [record(ROUTER, outcome, trial=task, task=task, tokens=tokens), *controls(cloud, local, task=task)]

    cell = router_cell(
        [
            *trial("lucky", PASSED, 1, FAILED, FAILED),
            *trial("unsolved", FAILED, 1, FAILED, FAILED),
            *trial("under-b", FAILED, 1, PASSED, FAILED),
            *trial("under-a", FAILED, 1, PASSED, FAILED),
            *trial("dear", PASSED, 3, PASSED, PASSED),
        ]
    )
    names = [regret.task.partition("/")[2] for regret in cell.regrets]
    assert names == ["dear", "under-a", "under-b", "unsolved", "lucky"]
    assert [regret.task for regret in cell.of_kind(UNDER)] == ["samples/under-a", "samples/under-b"]


@pytest.mark.parametrize("where", ["tokens", "overhead"])
def test_tokens_that_the_cloud_did_not_tell_make_the_stake_the_least_it_can_be(where: str) -> None:
    tokens = {"tokens": {}, "overhead": {}, where: {Tier.CLOUD: TierTokens(calls=1, unknown_calls=1)}}
    regret = only_regret([record(ROUTER, FAILED, **tokens), *controls(PASSED, FAILED)])
    assert regret.unknown_usage


def test_a_cloud_call_of_unknown_size_still_cost_more_than_the_local_model() -> None:
    tokens = {Tier.CLOUD: TierTokens(calls=1, unknown_calls=1)}
    records = [record(ROUTER, PASSED, tokens=tokens), *controls(PASSED, PASSED)]
    (cell,) = (cell for cell in regrets(records, lambda record: 0.0) if not cell.is_control)
    assert [(regret.kind, regret.usd) for regret in cell.regrets] == [(OVER, 0.0)]


def test_unknown_local_tokens_cost_nothing() -> None:
    tokens = {Tier.LOCAL: TierTokens(calls=1, unknown_calls=1)}
    assert verdict(router_cell([record(ROUTER, PASSED, tokens=tokens), *controls(PASSED, PASSED)])) is None


def test_causes_count_failures_and_errors_of_every_line() -> None:
    found = regrets(
        [
            record(ROUTER, PASSED),
            *(record(ROUTER, FAILED, failure_mode=FailureMode.NO_EDIT, seed=seed) for seed in (1, 2)),
            record(ROUTER, FAILED, failure_mode=None, seed=3),
            record(ROUTER, ERROR, error_kind=ErrorKind.SANDBOX, seed=4),
            record(ALWAYS_LOCAL, FAILED, failure_mode=FailureMode.MALFORMED_EDIT),
        ],
        usd,
    )
    causes = {cell.key.strategy: dict(cell.causes) for cell in found}
    assert causes == {
        ROUTER: {FailureMode.NO_EDIT: 2, ErrorKind.SANDBOX: 1, None: 1},
        ALWAYS_LOCAL: {FailureMode.MALFORMED_EDIT: 1},
    }


def test_the_lines_are_those_of_the_matrix() -> None:
    records = [
        record(name, PASSED, task=f"{suite}/a", threshold=threshold, seed=seed, agent=agent)
        for name, threshold in ((ROUTER, 15.0), (ROUTER, 5.0), (ROUTER, None), ("cascade", 5.0), (ALWAYS_CLOUD, None))
        for suite in ("real_dev", "exercism")
        for seed, agent in ((1, "aider 0.86.2 architect"), (2, ""))
    ]
    found, matrix = regrets(records, usd), cells(records, usd)
    assert [(cell.key, cell.trials) for cell in found] == [(cell.key, cell.trials) for cell in matrix]
    assert found[-1].key.scope == ALL_SUITES


def test_all_suites_together_have_the_regrets_of_each() -> None:
    records = [
        entry
        for task in ("exercism/a", "real_dev/a")
        for entry in (record(ROUTER, FAILED, trial=f"{task}[x]", task=task), *controls(PASSED, FAILED, task=task))
    ]
    trials = {
        cell.key.scope: [regret.trial for regret in cell.regrets]
        for cell in regrets(records, usd)
        if not cell.is_control
    }
    assert trials == {
        "exercism": ["exercism/a[x]"],
        "real_dev": ["real_dev/a[x]"],
        ALL_SUITES: ["exercism/a[x]", "real_dev/a[x]"],
    }


def test_one_simulated_record_makes_its_line_simulated() -> None:
    found = regrets(
        [record(ROUTER, PASSED), record(ROUTER, PASSED, simulated=True, seed=7), *controls(None, PASSED)], usd
    )
    assert {cell.key.strategy: cell.simulated for cell in found} == {ROUTER: True, ALWAYS_LOCAL: False}


def benchmark(tasks: int, seeds: int) -> list[TrialRecord]:
    chance = random.Random(1)
    return [
        record(
            name,
            chance.choice((PASSED, FAILED, ERROR)),
            task=f"samples/{task}",
            trial=f"{task}-{name}-{seed}",
            seed=seed,
        )
        for task in range(tasks)
        for seed in range(seeds)
        for name in (ALWAYS_CLOUD, ALWAYS_LOCAL, ROUTER, "cascade")
    ]


def test_the_order_of_the_records_does_not_matter() -> None:
    records = benchmark(10, 5)
    assert regrets(records, usd) == regrets(records[::-1], usd)


def test_every_trial_is_accounted_for_and_priced_once() -> None:
    records, priced = benchmark(10, 5), []

    def cost(record: TrialRecord) -> float:
        priced.append(record.trial)
        return usd(record)

    for cell in regrets(records, cost):
        judged = 0 if cell.is_control else cell.errors + cell.not_judged + cell.no_regret + len(cell.regrets)
        assert (cell.trials, judged) == (50, 0 if cell.is_control else 50)
    assert sorted(priced) == sorted(record.trial for record in records)


def test_many_records_take_time_in_proportion() -> None:
    records = benchmark(100, 50)
    began = time.perf_counter()
    regrets(records, lambda record: 0.0)
    assert time.perf_counter() - began < 5, "20,000 records; looking for each control anew would take minutes"
