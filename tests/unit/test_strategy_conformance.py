"""The packaged strategies keep to what every strategy must keep to, and the checks catch those that do not."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pytest_hybrideval.core.domain import Answer, ChatRequest, Decision, ModelRef, Reply, Tier
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.core.protocols import ConfigurableFactory, RoutingContext, StrategyFactory, StrategyOffer
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.strategies import BUILTIN
from pytest_hybrideval.strategies.url import UrlRouter
from pytest_hybrideval.testing import STRATEGY_CHECKS, StrategyCheck, check_strategy
from pytest_hybrideval.testing.watching import watching

PACKAGED: dict[str, StrategyOffer] = {**BUILTIN, "url": UrlRouter}
ARGUMENTS = {"random": "0.4", "url": "http://127.0.0.1:4000/v1"}
TASK_MODELS = "{D5: ollama/qwen3-coder:30b, default: ollama/gemma4:31b, cloud: [D6, puzzle]}"


def packaged(name: str, folder: Path) -> StrategyFactory:
    """A packaged strategy as a run would have it."""
    offer = PACKAGED[name]
    if not isinstance(offer, ConfigurableFactory):
        return offer
    (folder / "models.yaml").write_text(TASK_MODELS)
    options = StrategyOptions(task_models=folder / "models.yaml", url_tiers=(("*", Tier.LOCAL),))
    return offer.configured(options, ARGUMENTS.get(name, ""))


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=str)
@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_packaged_strategies_conform(name: str, check: StrategyCheck, tmp_path: Path) -> None:
    check(packaged(name, tmp_path))


(TOUCHES,) = (check for check in STRATEGY_CHECKS if str(check).startswith("it touches no file"))
Decide = Callable[[ChatRequest, RoutingContext], Any]


class Router:
    """A strategy made for a test: `how` decides."""

    name = "router"

    def __init__(self, how: Decide) -> None:
        self._how = how

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Any:
        decision = self._how(request, context)
        return await decision if asyncio.iscoroutine(decision) else decision


def deciding(how: Decide, **attributes: Any) -> StrategyFactory:
    """The factory of strategies that decide so, and have these attributes."""
    kind: Any = type("Router", (Router,), attributes)
    return partial(kind, how)


def wrong(factory: StrategyFactory) -> str:
    """What the checks say of it. Fails where they say nothing."""
    with pytest.raises(AssertionError) as caught:
        check_strategy(factory)
    return str(caught.value)


def local(request: ChatRequest, context: RoutingContext) -> Decision:
    return Decision(Tier.LOCAL, "local")


def test_a_plain_strategy_conforms() -> None:
    check_strategy(deciding(local))


@pytest.mark.parametrize(
    ("touch", "told"),
    [
        (lambda: Path(__file__).read_text(), "it opens files (open"),
        (lambda: Path("no-such-file").exists(), "it uses the operating system (os.stat)"),
        (lambda: list(Path().iterdir()), "it uses the operating system"),
        (Path.cwd, "it uses the operating system (os.getcwd)"),
        (lambda: socket.socket().close(), "it uses sockets"),
        (lambda: subprocess.run([sys.executable, "-c", ""], check=True), "it starts processes"),
        (lambda: threading.Thread(target=int).start(), "it starts threads"),
        (lambda: os.environ.get("HOME"), "it reads the environment ('HOME')"),
        (lambda: os.getenv("NO_SUCH_NAME", "x"), "it reads the environment ('NO_SUCH_NAME')"),
        (lambda: "HOME" in os.environ, "it reads the environment ('HOME')"),
        (lambda: dict(os.environ), "it reads the environment"),
        (time.time, "it reads the clock (time.time)"),
        (time.monotonic_ns, "it reads the clock (time.monotonic_ns)"),
        (lambda: datetime.now(), "it reads the clock (datetime.now)"),
        (date.today, "it reads the clock (date.today)"),
        (random.random, "it draws from the global random generator"),
        (lambda: random.choice("ab"), "it draws from the global random generator"),
        (lambda: random.SystemRandom().random(), "it uses the operating system (os.urandom)"),
        (uuid.uuid4, "it uses the operating system (os.urandom)"),
    ],
)
def test_one_that_touches_the_outside_is_caught(touch: Callable[[], Any], told: str) -> None:
    def how(request: ChatRequest, context: RoutingContext) -> Decision:
        touch()
        return local(request, context)

    with pytest.raises(AssertionError) as caught:
        TOUCHES(deciding(how))
    assert told in str(caught.value)


def test_what_is_imported_late_is_no_contact() -> None:
    sys.modules.pop("this_is_not_there", None)

    def how(request: ChatRequest, context: RoutingContext) -> Decision:
        sys.modules.pop("colorsys", None)
        import colorsys

        return Decision(Tier.LOCAL, f"{colorsys.rgb_to_hsv(0, 0, 0)}")

    check_strategy(deciding(how))


def test_who_watches_leaves_everything_as_it_was() -> None:
    kinds, profile = (type(os.environ), type(os.environb)), sys.getprofile()
    with watching() as seen:
        os.environ.get("HOME")
    assert seen == ["reads the environment ('HOME')"]
    assert (type(os.environ), type(os.environb)) == kinds
    assert sys.getprofile() is profile
    Path(__file__).exists()
    assert len(seen) == 1


def test_only_the_thread_that_is_watched_counts() -> None:
    begun, done = threading.Event(), threading.Event()

    def elsewhere() -> None:
        begun.wait()
        os.environ.get("HOME")
        Path(__file__).read_text()
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    with watching() as seen:
        begun.set()
        done.wait()
    thread.join()
    assert seen == []


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda request, context: None, "which is no Decision"),
        (lambda request, context: "local", "it decided 'local', which is no Decision"),
        (lambda request, context: Decision(Tier.LOCAL, " "), "the reason must be one line"),
        (lambda request, context: Decision(Tier.LOCAL, "first\nsecond"), "the reason must be one line"),
        (lambda request, context: Decision(Tier.LOCAL, None), "the reason must be one line"),
        (lambda request, context: Decision(Tier.LOCAL, "x", score=float("nan")), "the score must be a number"),
        (lambda request, context: request.body["nonsense"], "'a plan': it raised KeyError"),
        (
            lambda request, context: Decision(Tier.LOCAL, request.messages[0]["content"].lower()),
            "'NoneType' object has",
        ),
    ],
)
def test_one_that_does_not_decide_is_caught(how: Decide, told: str) -> None:
    assert told in wrong(deciding(how))


def test_one_that_is_no_coroutine_is_caught() -> None:
    class Plain:
        name = "plain"

        def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
            return local(request, context)

    assert "it raised TypeError" in wrong(Plain)  # type: ignore[arg-type]


def test_a_tier_or_model_that_was_not_declared_is_caught() -> None:
    assert "it chose <Tier.LOCAL: 'local'>, which is not among its tiers" in wrong(deciding(local, tiers={Tier.CLOUD}))
    model = ModelRef("ollama", "other")
    names: Decide = lambda request, context: Decision(Tier.LOCAL, "x", model=model)  # noqa: E731
    assert "it named ollama/other, which is not among its models" in wrong(deciding(names))
    check_strategy(deciding(names, models=((Tier.LOCAL, model),)))


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"name": ""}, "it needs a 'name'"),
        ({"tiers": {"local"}}, "'tiers' must be a set of Tier"),
        ({"tiers": set()}, "'tiers' must be a set of Tier"),
        ({"default_threshold": "high"}, "'default_threshold' must be a number"),
        ({"models": (("local", "x"),)}, "'models' must be pairs"),
    ],
)
def test_one_that_says_nonsense_of_itself_is_caught(attributes: dict[str, Any], told: str) -> None:
    if attributes.get("tiers") == {"local"}:
        attributes = {"tiers": {"else"}}  # Tier is a str: "local" is as good
    assert told in wrong(deciding(local, **attributes))


def test_one_that_cannot_be_made_is_caught() -> None:
    def broken() -> Any:
        raise ValueError("no weights")

    assert "it cannot be made: ValueError: no weights" in wrong(broken)


def test_one_that_decides_differently_each_time_is_caught() -> None:
    count = iter(range(10**9))
    how: Decide = lambda request, context: Decision(Tier.LOCAL, f"request {next(count)}")  # noqa: E731
    told = wrong(deciding(how))
    assert "it decides the same twice:" in told
    assert "one instance serves several requests:" in told


def test_one_that_changes_the_request_is_caught() -> None:
    def how(request: ChatRequest, context: RoutingContext) -> Decision:
        request.messages[-1]["content"] = ""  # type: ignore[index]
        return local(request, context)

    def spoilt() -> StrategyFactory:
        return deciding(how)

    (check,) = (check for check in STRATEGY_CHECKS if str(check) == "it leaves the request as it is")
    with pytest.raises(AssertionError, match="'a plan': it changed the request"):
        check(spoilt())


def test_one_that_serves_a_single_request_is_caught() -> None:
    class Once:
        name = "once"

        def __init__(self) -> None:
            self.served = 0

        async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
            self.served += 1
            if self.served > 1:
                raise RuntimeError("I am done")
            return Decision(Tier.LOCAL, "once")

    told = wrong(Once)
    assert "after others: it raised RuntimeError: I am done" in told
    assert "it decides every request" not in told


def test_a_threshold_that_is_ignored_when_none_is_caught() -> None:
    def how(request: ChatRequest, context: RoutingContext) -> Decision:
        return Decision(Tier.CLOUD if (context.threshold or 0) > 0 else Tier.LOCAL, "by threshold")

    told = wrong(deciding(how, default_threshold=5))
    assert "without a threshold and with the default: once" in told
    check_strategy(deciding(lambda request, context: how(request, context), default_threshold=0.0))


def test_a_threshold_that_is_needed_is_caught() -> None:
    how: Decide = lambda request, context: Decision(Tier.LOCAL, f"{context.threshold:g}")  # noqa: E731
    assert "it raised TypeError" in wrong(deciding(how, default_threshold=1.0))


async def embeds(context: RoutingContext) -> Decision:
    await context.embed(["text"])
    return Decision(Tier.LOCAL, "by likeness")


def test_one_that_embeds_without_saying_so_is_caught() -> None:
    told = wrong(deciding(lambda request, context: embeds(context)))
    assert "it raised RequestRefused: no embedding model is named" in told
    check_strategy(deciding(lambda request, context: embeds(context), embeds=True))


async def asks(context: RoutingContext) -> Decision:
    answer = await context.classify("local or cloud?")
    return Decision(Tier(answer.text), "as it said")


def test_one_that_believes_every_answer_is_caught() -> None:
    assert "the classifier says '**Local.**': it raised ValueError" in wrong(deciding(lambda _, context: asks(context)))


def test_one_that_asks_a_tier_that_it_does_not_name_is_caught() -> None:
    told = wrong(deciding(lambda request, context: asks(context), tiers={Tier.CLOUD}))
    assert "it asked the classifier, which needs the local tier" in told


def test_one_that_turns_a_models_fault_into_its_own_is_caught() -> None:
    async def careless(context: RoutingContext) -> Decision:
        try:
            answer: Answer | None = await context.classify("local or cloud?")
        except BackendError:
            answer = None
        return Decision(Tier.LOCAL, answer.text.split()[0] if answer and answer.text.split() else 1 / 0)  # type: ignore[arg-type]

    told = wrong(deciding(lambda request, context: careless(context)))
    assert "while the models it asks fail: it raised ZeroDivisionError" in told


class Reviewer(Router):
    """`look` reviews."""

    look: ClassVar[Callable[[Reply], Any]]

    async def review(self, request: ChatRequest, reply: Reply, context: RoutingContext) -> Any:
        return type(self).look(reply)


def reviewing(look: Callable[[Reply], Any]) -> StrategyFactory:
    kind: Any = type("Reviewer", (Reviewer,), {"look": staticmethod(look)})
    return partial(kind, local)


def test_a_review_is_checked_like_a_decision() -> None:
    check_strategy(reviewing(lambda reply: None if reply.text else Decision(Tier.CLOUD, "empty")))
    assert "answered with 'a file': it decided False" in wrong(reviewing(lambda reply: False))
    assert "answered with 'nothing': it raised IndexError" in wrong(reviewing(lambda reply: reply.text[0] and None))
    assert "its review reads the clock" in wrong(reviewing(lambda reply: time.sleep(0)))


def test_the_message_stays_short_whatever_is_wrong() -> None:
    told = wrong(deciding(lambda request, context: None))
    assert "and more than 12 in all" in told
    assert len(told) < 20_000


def test_every_check_can_be_run_alone() -> None:
    for check in STRATEGY_CHECKS:
        check(deciding(local))
    assert len({str(check) for check in STRATEGY_CHECKS}) == len(STRATEGY_CHECKS)
