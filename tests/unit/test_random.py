"""One coin per trial: fair, the same for all its requests and whenever the trial is run again."""

from __future__ import annotations

import asyncio

import pytest
from builders import edit_request, plan_request

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.strategies.random import Random
from pytest_hybrideval.testing import make_context

TASKS = [plan_request(f"Task {number}.") for number in range(1000)]


def decide(probability: float, *requests: ChatRequest, seed: int = 42) -> list[Decision]:
    """What one trial's coin says to its requests."""
    strategy = Random(probability)
    return [asyncio.run(strategy.decide(request, make_context(seed=seed))) for request in requests]


def clouds(probability: float, seed: int = 42) -> list[bool]:
    """Which of a thousand trials go to the cloud."""
    return [decide(probability, request, seed=seed)[0].tier is Tier.CLOUD for request in TASKS]


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.8])
def test_the_share_of_the_cloud_is_the_probability(probability: float) -> None:
    assert sum(clouds(probability)) / len(TASKS) == pytest.approx(probability, abs=0.05)


def test_nothing_and_everything() -> None:
    assert not any(clouds(0.0))
    assert all(clouds(1.0))


def test_a_trial_goes_one_way_as_a_whole() -> None:
    for request in TASKS[:50]:
        decisions = decide(0.5, request, edit_request("Change it."), plan_request("Another."), request)
        assert len(set(decisions)) == 1


def test_the_same_trial_falls_the_same_way_again() -> None:
    assert clouds(0.5) == clouds(0.5)


def test_another_seed_is_another_toss() -> None:
    one, other = clouds(0.5, seed=1), clouds(0.5, seed=2)
    both = sum(a and b for a, b in zip(one, other, strict=True))
    assert both / len(TASKS) == pytest.approx(0.25, abs=0.05)


def test_what_goes_to_the_cloud_at_a_lower_probability_goes_there_at_a_higher_one() -> None:
    low, high = clouds(0.3), clouds(0.5)
    assert all(b for a, b in zip(low, high, strict=True) if a)
    assert sum(high) > sum(low)


def test_the_files_of_a_task_count_not_their_contents() -> None:
    def shown(request: ChatRequest) -> float | None:
        return decide(0.5, request)[0].score

    assert shown(plan_request("x", {"a.py": "1\n"})) == shown(plan_request("x", {"a.py": "2\n"}))
    assert shown(plan_request("x", {"a.py": "1\n"})) != shown(plan_request("x", {"b.py": "1\n"}))


def test_the_reason_says_what_the_coin_showed() -> None:
    decision = decide(0.5, TASKS[0])[0]
    assert decision.score is not None
    sign = "<" if decision.tier is Tier.CLOUD else ">="
    assert decision.reason == f"the trial's coin shows {decision.score:.3f} {sign} 0.5"


@pytest.mark.parametrize(("argument", "name"), [("0.3", "random:0.3"), ("1", "random:1"), ("0", "random:0")])
def test_it_is_called_by_its_probability(argument: str, name: str) -> None:
    assert Random.configured(StrategyOptions(), argument)().name == name


@pytest.mark.parametrize("argument", ["", "half", "-0.1", "1.5", "30", "nan", "inf", "0,3"])
def test_what_is_no_probability_is_refused(argument: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Random.configured(StrategyOptions(), argument)
    assert "write random:P" in str(caught.value)
    assert "random:0.3" in str(caught.value)
    assert ("needs a probability" in str(caught.value)) is (argument == "")
