"""What every strategy must keep to, as checks that its author calls from a test.

    from pytest_hybrideval.testing import STRATEGY_CHECKS, check_strategy

    def test_my_router_conforms():
        check_strategy(MyRouter)

or, for a result per check:

    @pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=str)
    def test_my_router(check):
        check(MyRouter)

A strategy that is `configured` is given as the factory that `configured` returns.
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from pytest_hybrideval.core.domain import ChatRequest, ModelRef, Tier
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.core.protocols import Reviewing, Strategy, StrategyFactory, declared
from pytest_hybrideval.testing.odd_requests import ODD_REPLIES, ODD_REQUESTS
from pytest_hybrideval.testing.scripted import ScriptedClassifier
from pytest_hybrideval.testing.scripted_embedder import ScriptedEmbedder
from pytest_hybrideval.testing.strategy_trials import (
    Problems,
    cases,
    decided,
    differing,
    is_number,
    judged,
    reviewed,
    surroundings,
    touched,
)

_MOST_PROBLEMS = 12
_EXTREMES = (0.0, -1e9, 1e9, 0.5)


@dataclass(frozen=True)
class StrategyCheck:
    """One thing that a strategy must keep to. Called with a factory, it raises `AssertionError` with what is wrong."""

    name: str
    find: Callable[[StrategyFactory], Problems]

    def __str__(self) -> str:
        return self.name

    def __call__(self, factory: StrategyFactory) -> None:
        """Check strategies of the factory."""
        found = list(islice(self.find(factory), _MOST_PROBLEMS + 1))
        if found:
            more = [f"and more than {_MOST_PROBLEMS} in all"] if len(found) > _MOST_PROBLEMS else []
            raise AssertionError("\n- ".join([f"{self.name}:", *found[:_MOST_PROBLEMS], *more]))


def check_strategy(factory: StrategyFactory) -> None:
    """Every check of `STRATEGY_CHECKS`, the first one before all others; not to be called in an event loop.

    Raises one `AssertionError` with all that is wrong.
    """
    first, *others = STRATEGY_CHECKS
    first(factory)
    failed = []
    for check in others:
        try:
            check(factory)
        except AssertionError as error:
            failed.append(str(error))
    if failed:
        raise AssertionError("the strategy does not conform\n" + "\n".join(failed))


def _declares(factory: StrategyFactory) -> Problems:
    try:
        strategy: Any = factory()
    except Exception as error:  # a strategy is anyone's code
        yield f"it cannot be made: {type(error).__name__}: {error}"
        return
    if not isinstance(strategy, Strategy) or not isinstance(strategy.name, str) or not strategy.name.strip():
        yield "it needs a 'name' (text) and an async method 'decide'"
    tiers, models = declared(factory, "tiers", Tier), declared(factory, "models", ())
    if not set(tiers) <= set(Tier) or not (set(tiers) or models):
        yield f"'tiers' must be a set of Tier, not {tiers!r}"
    if not all(isinstance(tier, Tier) and isinstance(model, ModelRef) for tier, model in models):
        yield f"'models' must be pairs of Tier and ModelRef, not {models!r}"
    threshold = declared(factory, "default_threshold", None)
    if threshold is not None and not is_number(threshold):
        yield f"'default_threshold' must be a number, or None, not {threshold!r}"


def _decides(factory: StrategyFactory) -> Problems:
    for where, request, context in cases(factory):
        yield from judged(factory, where, decided(factory(), request, context))


def _passes_faults_on(factory: StrategyFactory) -> Problems:
    fault = BackendError("the model is gone", retryable=True)
    context = surroundings(factory, ScriptedClassifier(default=fault), ScriptedEmbedder(error=fault))
    for name, request in ODD_REQUESTS.items():
        outcome = decided(factory(), request, context)
        if not isinstance(outcome, BackendError):
            yield from judged(factory, f"{name!r}, while the models it asks fail", outcome)


def _repeats(factory: StrategyFactory) -> Problems:
    before = random.getstate()
    try:
        for where, request, context in cases(factory):
            outcomes = []
            for state in (1, 2):
                random.seed(state)
                outcomes.append(decided(factory(), request, context))
            yield from differing(where, *outcomes)
    finally:
        random.setstate(before)


def _keeps_the_request(factory: StrategyFactory) -> Problems:
    for name, request in ODD_REQUESTS.items():
        given = ChatRequest(copy.deepcopy(dict(request.body)))
        decided(factory(), given, surroundings(factory))
        if given.body != request.body:
            yield f"{name!r}: it changed the request"


def _touches_nothing(factory: StrategyFactory) -> Problems:
    for where, request, context in cases(factory):
        strategy = factory()
        yield from (f"{where}: it {what}" for what in touched(partial(strategy.decide, request, context)))


def _serves_several(factory: StrategyFactory) -> Problems:
    strategy, other, context = factory(), factory(), surroundings(factory)
    for name, request in (*ODD_REQUESTS.items(), *ODD_REQUESTS.items()):
        outcomes = [decided(each, request, context) for each in (strategy, other)]
        yield from judged(factory, f"{name!r}, after others", outcomes[0])
        yield from differing(f"{name!r}, after the same others", *outcomes)

    async def at_once() -> list[Any]:
        deciding = [strategy.decide(request, context) for request in ODD_REQUESTS.values()]
        return await asyncio.gather(*deciding, return_exceptions=True)

    for name, outcome in zip(ODD_REQUESTS, asyncio.run(at_once()), strict=True):
        yield from judged(factory, f"{name!r}, all at once", outcome)


def _honours_the_threshold(factory: StrategyFactory) -> Problems:
    default = declared(factory, "default_threshold", None)
    if default is None:
        return
    context = surroundings(factory)
    for name, request in ODD_REQUESTS.items():
        unset, same = (decided(factory(), request, replace(context, threshold=t)) for t in (None, float(default)))
        yield from differing(f"{name!r}, without a threshold and with the default", unset, same)
        for threshold in _EXTREMES:
            outcome = decided(factory(), request, replace(context, threshold=threshold))
            yield from judged(factory, f"{name!r}, threshold {threshold:g}", outcome)


def _reviews(factory: StrategyFactory) -> Problems:
    if not isinstance(factory(), Reviewing):
        return
    context = surroundings(factory)
    for asked, request in ODD_REQUESTS.items():
        for name, reply in ODD_REPLIES.items():
            where = f"{asked!r} answered with {name!r}"
            outcomes = [reviewed(factory(), request, reply, context) for _ in range(2)]
            if outcomes[0] is not None:
                yield from judged(factory, where, outcomes[0])
            yield from differing(where, *outcomes)
    for name, reply in ODD_REPLIES.items():
        strategy: Any = factory()
        request = ODD_REQUESTS["code, whole files"]
        seen = touched(partial(strategy.review, request, reply, context))
        yield from (f"{name!r}: its review {what}" for what in seen)


STRATEGY_CHECKS = (
    StrategyCheck("it says what it is", _declares),
    StrategyCheck("it decides every request, and says why in one line", _decides),
    StrategyCheck("it passes on the fault of a model that it asks", _passes_faults_on),
    StrategyCheck("it decides the same twice", _repeats),
    StrategyCheck("it leaves the request as it is", _keeps_the_request),
    StrategyCheck("it touches no file, socket, process, clock, environment or global chance", _touches_nothing),
    StrategyCheck("one instance serves several requests", _serves_several),
    StrategyCheck("it honours the threshold", _honours_the_threshold),
    StrategyCheck("its review bears every answer", _reviews),
)
