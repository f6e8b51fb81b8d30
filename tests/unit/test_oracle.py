"""The bound for routers that choose one model per trial."""

from __future__ import annotations

from typing import Any

import pytest
from builders import make_record

from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL
from pytest_hybrideval.analysis.oracle import ORACLE, Oracle, Standing, oracles
from pytest_hybrideval.core.domain import Outcome
from pytest_hybrideval.core.records import TrialRecord

PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR
COSTS = {ALWAYS_CLOUD: 0.5, ALWAYS_LOCAL: 0.01}


def usd(record: TrialRecord) -> float:
    return COSTS.get(record.strategy, 0.2)


def trial(task: str, strategy: str, outcome: Outcome, seed: int = 42, **changes: Any) -> TrialRecord:
    task = task if "/" in task else f"samples/{task}"
    threshold = None if strategy in COSTS else 25.0
    return make_record(task=task, strategy=strategy, threshold=threshold, outcome=outcome, seed=seed, **changes)


def both(task: str, cloud: Outcome, local: Outcome, seed: int = 42, **changes: Any) -> list[TrialRecord]:
    return [trial(task, ALWAYS_CLOUD, cloud, seed, **changes), trial(task, ALWAYS_LOCAL, local, seed, **changes)]


def only(records: list[TrialRecord]) -> Oracle:
    (oracle,) = oracles(records, usd)
    return oracle


@pytest.mark.parametrize(
    ("cloud", "local", "rate", "cost"),
    [(PASSED, PASSED, 1.0, 0.01), (PASSED, FAILED, 1.0, 0.5), (FAILED, PASSED, 1.0, 0.01), (FAILED, FAILED, 0.0, 0.01)],
)
def test_the_choice_passes_if_one_does_and_costs_least(
    cloud: Outcome, local: Outcome, rate: float, cost: float
) -> None:
    assert only(both("a", cloud, local)).standing == Standing(trials=1, tasks=1, pass_rate=rate, cost=cost)


def test_the_cloud_is_chosen_where_it_is_the_cheaper_one() -> None:
    (oracle,) = oracles(both("a", PASSED, PASSED), lambda record: 0.1 if record.strategy == ALWAYS_CLOUD else 0.3)
    assert oracle.standing.cost == 0.1


def test_tasks_count_alike_however_many_seeds_they_have() -> None:
    records = [*both("a", PASSED, FAILED), *(entry for seed in (1, 2, 3) for entry in both("b", FAILED, FAILED, seed))]
    standing = only(records).standing
    assert (standing.trials, standing.tasks, standing.pass_rate) == (4, 2, 0.5)
    assert standing.cost == pytest.approx(0.5 + 3 * 0.01)


def test_strategies_are_held_against_it_on_its_own_tasks_and_seeds_alone() -> None:
    records = [
        *both("a", PASSED, FAILED),
        *both("b", PASSED, ERROR),  # always-local has no verdict: nothing is compared here
        trial("c", ALWAYS_CLOUD, PASSED),
        trial("a", "heuristic", PASSED),
        trial("a", "heuristic", PASSED, seed=7),
        trial("b", "heuristic", FAILED),
        trial("c", "heuristic", FAILED),
    ]
    oracle = only(records)
    assert oracle.standing == Standing(1, 1, 1.0, 0.5)
    assert {key.strategy: standing for key, standing in oracle.others} == {
        ALWAYS_CLOUD: Standing(1, 1, 1.0, 0.5),
        ALWAYS_LOCAL: Standing(1, 1, 0.0, 0.01),
        "heuristic": Standing(1, 1, 1.0, 0.2),
    }


def test_a_strategys_error_counts_as_not_passed() -> None:
    oracle = only([*both("a", PASSED, PASSED), trial("a", "heuristic", ERROR)])
    assert oracle.others[-1][1].pass_rate == 0.0


def test_a_router_that_mixes_models_within_a_trial_can_beat_it() -> None:
    oracle = only([*both("a", FAILED, FAILED), trial("a", "heuristic", PASSED)])
    assert oracle.others[-1][1].pass_rate > oracle.standing.pass_rate


@pytest.mark.parametrize("names", [(), (ALWAYS_CLOUD,), (ALWAYS_LOCAL,)])
def test_without_both_controls_there_is_none(names: tuple[str, ...]) -> None:
    assert oracles([trial("a", "heuristic", PASSED), *(trial("a", name, PASSED) for name in names)], usd) == []


def test_another_seed_or_agent_makes_no_pair() -> None:
    assert oracles([trial("a", ALWAYS_CLOUD, PASSED, 1), trial("a", ALWAYS_LOCAL, PASSED, 2)], usd) == []
    agents = [
        trial("a", ALWAYS_CLOUD, PASSED, agent="aider 0.86.2 whole"),
        trial("a", ALWAYS_LOCAL, PASSED, agent="aider 0.86.2 diff"),
    ]
    assert oracles(agents, usd) == []


def test_each_suite_has_its_own_and_all_together_another() -> None:
    found = oracles([*both("exercism/a", PASSED, FAILED), *both("real_dev/a", PASSED, PASSED)], usd)
    costs = {oracle.key.scope: oracle.standing.cost for oracle in found}
    assert costs == {"exercism": 0.5, "real_dev": 0.01, ALL_SUITES: 0.51}
    assert {oracle.key.strategy for oracle in found} == {ORACLE}


def test_each_pair_of_models_has_its_own_with_the_controls_that_belong_to_it() -> None:
    good, bad = "ollama/good", "ollama/bad"
    records = [
        trial("a", ALWAYS_CLOUD, FAILED, local_model=good),  # the local model of always-cloud is only a name
        trial("a", ALWAYS_LOCAL, PASSED, local_model=good),
        trial("a", ALWAYS_LOCAL, FAILED, local_model=bad),
        trial("a", "heuristic", FAILED, local_model=good),
        trial("a", "heuristic", PASSED, local_model=bad),
    ]
    found = oracles(records, usd)
    assert {oracle.key.local_model: oracle.standing.pass_rate for oracle in found} == {good: 1.0, bad: 0.0}
    assert {
        oracle.key.local_model: [(key.strategy, standing.pass_rate) for key, standing in oracle.others]
        for oracle in found
    } == {
        good: [(ALWAYS_CLOUD, 0.0), (ALWAYS_LOCAL, 1.0), ("heuristic", 0.0)],
        bad: [(ALWAYS_CLOUD, 0.0), (ALWAYS_LOCAL, 0.0), ("heuristic", 1.0)],
    }
