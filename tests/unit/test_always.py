"""The two controls send every request to their one tier."""

from __future__ import annotations

import asyncio

import pytest
from builders import code_request, edit_request, plan_request, user

from pytest_hybrideval.core.domain import Answer, ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext, Strategy
from pytest_hybrideval.strategies import BUILTIN
from pytest_hybrideval.strategies.always import AlwaysCloud, AlwaysLocal

REQUESTS = [
    plan_request("Rewrite the parser with locks and time zones. " * 200),
    edit_request("Change one word."),
    code_request("Say hello."),
    ChatRequest({"messages": [user(None)]}),
]


async def unasked(question: str) -> Answer:
    raise AssertionError(f"a control asks nothing, but asked {question!r}")


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize(("strategy", "tier"), [(AlwaysCloud(), Tier.CLOUD), (AlwaysLocal(), Tier.LOCAL)])
def test_every_request_goes_to_the_one_tier(strategy: Strategy, tier: Tier, request_: ChatRequest) -> None:
    context = RoutingContext(threshold=None, seed=42, earlier=(), classify=unasked)
    assert asyncio.run(strategy.decide(request_, context)) == Decision(tier, strategy.name)


@pytest.mark.parametrize(("factory", "tier"), [(AlwaysCloud, Tier.CLOUD), (AlwaysLocal, Tier.LOCAL)])
def test_a_control_names_the_one_tier_it_uses_and_takes_no_threshold(factory: type, tier: Tier) -> None:
    assert factory.tiers == {tier}
    assert getattr(factory, "default_threshold", None) is None


@pytest.mark.parametrize("name", ["always-cloud", "always-local", "heuristic", "cascade"])
def test_every_strategy_is_found_by_the_name_it_bears(name: str) -> None:
    strategy = BUILTIN[name]()
    assert strategy.name == name
    assert isinstance(strategy, Strategy)
