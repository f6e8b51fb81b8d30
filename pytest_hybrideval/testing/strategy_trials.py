"""What the checks of strategies are made of: many cases, what a strategy makes of each, what is wrong with that."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from pytest_hybrideval.core.domain import Answer, ChatRequest, Decision, Reply, TaskClass, Tier
from pytest_hybrideval.core.errors import RequestRefused
from pytest_hybrideval.core.protocols import RoutingContext, Strategy, StrategyFactory, declared, no_embeddings
from pytest_hybrideval.testing.odd_requests import EARLIER, ODD_REQUESTS
from pytest_hybrideval.testing.scripted import ScriptedClassifier, make_context
from pytest_hybrideval.testing.scripted_embedder import ScriptedEmbedder
from pytest_hybrideval.testing.watching import watching

_ANSWERS = ("cloud", "**Local.**", "", "I cannot tell: local or cloud?", "<think>hm</think>\n\nlocal", "☁ " * 999)
_SEEDS = (0, 7, 2**31 - 1)
_USUAL = ("a plan", "code, whole files", "unicode")

Problems = Iterator[str]
"""Sentences, each with what is wrong and where."""


def cases(factory: StrategyFactory) -> Iterator[tuple[str, ChatRequest, RoutingContext]]:
    """Every odd request, and some of them in every surrounding; with words for where it is."""
    usual = surroundings(factory)
    for name, request in ODD_REQUESTS.items():
        yield repr(name), request, usual
    for name in _USUAL:
        request = ODD_REQUESTS[name]
        yield f"{name!r}, after earlier calls", request, replace(usual, earlier=EARLIER)
        for seed in _SEEDS:
            yield f"{name!r}, seed {seed}", request, replace(usual, seed=seed)
        for task_class in TaskClass:
            yield f"{name!r}, task class {task_class.value}", request, replace(usual, task_class=task_class)
        for answer in _ANSWERS:
            said = ScriptedClassifier(default=answer)
            yield f"{name!r}, the classifier says {answer[:20]!r}", request, surroundings(factory, said)


def surroundings(
    factory: StrategyFactory, classify: ScriptedClassifier | None = None, embed: ScriptedEmbedder | None = None
) -> RoutingContext:
    """What the gateway would give such a strategy: it may ask only the models that it has declared."""
    local = Tier.LOCAL in declared(factory, "tiers", Tier)
    embeds = declared(factory, "embeds", False)
    return make_context(
        classify=(classify or ScriptedClassifier()) if local else _no_classifier,
        embed=(embed or ScriptedEmbedder()) if embeds else no_embeddings,
    )


async def _no_classifier(question: str) -> Answer:
    raise RequestRefused("it asked the classifier, which needs the local tier, and has it not among its tiers")


def decided(strategy: Strategy, request: ChatRequest, context: RoutingContext) -> Any:
    """What it decides, or the exception that it raises."""
    return _outcome(lambda: strategy.decide(request, context))


def reviewed(strategy: Any, request: ChatRequest, reply: Reply, context: RoutingContext) -> Any:
    """What its review gives, or the exception that it raises."""
    return _outcome(lambda: strategy.review(request, reply, context))


def _outcome(work: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await work()

    try:
        return asyncio.run(run())
    except Exception as error:  # a strategy is anyone's code
        return error


def touched(work: Callable[[], Awaitable[Any]]) -> list[str]:
    """What it touches outside of itself, in words; see `watching`."""

    async def run() -> list[str]:
        with watching() as seen:
            try:
                await work()
            except Exception:  # told by another check
                pass
        return seen

    return asyncio.run(run())


def judged(factory: StrategyFactory, where: str, outcome: Any) -> Problems:
    """What is wrong with a decision, or with what came in its place."""
    if isinstance(outcome, Exception):
        yield f"{where}: it raised {type(outcome).__name__}: {outcome}"
        return
    if not isinstance(outcome, Decision):
        yield f"{where}: it decided {outcome!r}, which is no Decision"
        return
    tiers, models = declared(factory, "tiers", Tier), declared(factory, "models", ())
    if outcome.model is None and outcome.tier not in tiers:
        yield f"{where}: it chose {outcome.tier!r}, which is not among its tiers"
    if outcome.model is not None and (outcome.tier, outcome.model) not in models:
        yield f"{where}: it named {outcome.model}, which is not among its models"
    if not isinstance(outcome.reason, str) or len(outcome.reason.strip().splitlines()) != 1:
        yield f"{where}: the reason must be one line of text, not {outcome.reason!r}"
    if outcome.score is not None and not is_number(outcome.score):
        yield f"{where}: the score must be a number, or None, not {outcome.score!r}"


def differing(where: str, one: Any, other: Any) -> Problems:
    """Whether two outcomes that should be the same are not."""
    same = repr(one) == repr(other) if isinstance(one, Exception) else one == other
    if not same:
        yield f"{where}: once {one!r}, then {other!r}"


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
