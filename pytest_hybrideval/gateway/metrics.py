"""What a served router has done so far, for Prometheus: told from the calls of each request when it is over."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pytest_hybrideval.core.domain import ModelRef, Tier, Usage
from pytest_hybrideval.core.pricing import Price, parse_model
from pytest_hybrideval.core.records import CallRecord, Ledger, TierTokens
from pytest_hybrideval.gateway.exposition import Family, Histogram, Value, exposition

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
_MOST_MODELS = 50  # a router behind a URL may answer with any name
_OTHER_MODELS = "other"
_DECIDED = ("agent", "discarded")  # the purposes of the calls that decisions lead to

F = TypeVar("F", bound=Family)
PriceOf = Callable[[ModelRef, Tier], Price | None]


class Metrics:
    """The numbers of one served router. Labels hold tiers, models, purposes and outcomes, and nothing of a request."""

    def __init__(self, strategy: str, version: str, price: PriceOf) -> None:
        """`strategy` is as the user named it, `price` that of a model, None where it is unknown."""
        self._strategy = strategy
        self._price = price
        self._models: set[str] = set()
        self._families: list[Family] = []
        self._requests = self._counter("requests_total", "HTTP requests that are over.", "path", "status")
        self._under_way = self._add(Value("gauge", "hybrideval_requests_in_progress", "Chat requests under way."))
        self._decisions = self._counter("decisions_total", "Where the strategy sent requests.", "strategy", "tier")
        self._broken = self._counter("strategy_errors_total", "Requests at which the strategy broke.", "strategy")
        self._calls = self._counter(
            "calls_total", "Model calls; outcome is ok or the fault.", "tier", "model", "purpose", "outcome"
        )
        self._tokens = self._counter("tokens_total", "Tokens as the models count them.", "tier", "kind")
        self._silent = self._counter("calls_without_usage_total", "Answers that did not say their tokens.", "tier")
        self._cost = self._counter("cost_usd_total", "Cost of the tokens whose price is known.", "tier")
        self._unpriced = self._counter("unpriced_calls_total", "Calls left out of the cost: no price.", "tier")
        self._queued = self._counter("queue_seconds_total", "Seconds that calls waited for a slot.", "tier")
        self._seconds = self._histogram("call_duration_seconds", "Complete answers, without waiting for a slot.")
        self._first_byte = self._histogram("call_first_byte_seconds", "To the first byte of streamed answers.")
        build = self._add(Value("gauge", "hybrideval_build_info", "Always 1.", ("version", "python")))
        build.add(1, version, platform.python_version())
        self._broken.add(0, strategy)

    def text(self) -> bytes:
        """All of it in the text format."""
        return exposition(self._families)

    def answered(self, path: str, status: int) -> None:
        """An HTTP request is over. `path` is one of ours."""
        self._requests.add(1, path, str(status))

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """A chat request is being answered."""
        self._under_way.add(1)
        try:
            yield
        finally:
            self._under_way.add(-1)

    def count(self, ledger: Ledger) -> None:
        """A request is over, and so are its calls."""
        if ledger.strategy_error:
            self._broken.add(1, self._strategy)
        for call in ledger.calls:
            self._count(call)

    def _count(self, call: CallRecord) -> None:
        tier = call.tier.value
        self._calls.add(1, tier, self._label(call.model), call.purpose, call.fault.value if call.fault else "ok")
        self._queued.add(call.queued, tier)
        if call.purpose in _DECIDED:
            self._decisions.add(1, self._strategy, tier)
        if call.fault is None:
            self._seconds.observe(call.seconds, tier)
            if call.stream and call.first_byte is not None:
                self._first_byte.observe(call.first_byte, tier)
        if call.usage.known:
            self._count_tokens(tier, call)
        elif call.fault is None:
            self._silent.add(1, tier)

    def _count_tokens(self, tier: str, call: CallRecord) -> None:
        for kind, count in _kinds(call.usage):
            self._tokens.add(count, tier, kind)
        price = self._price(parse_model(call.model), call.tier)
        if price is None:
            self._unpriced.add(1, tier)
        else:
            self._cost.add(price.cost(TierTokens().plus(call.usage)), tier)

    def _label(self, model: str) -> str:
        if len(self._models) < _MOST_MODELS:
            self._models.add(model)
        return model if model in self._models else _OTHER_MODELS

    def _counter(self, name: str, text: str, *labels: str) -> Value:
        return self._add(Value("counter", f"hybrideval_{name}", text, labels))

    def _histogram(self, name: str, text: str) -> Histogram:
        return self._add(Histogram(f"hybrideval_{name}", text, ("tier",), SECONDS))

    def _add(self, family: F) -> F:
        self._families.append(family)
        return family


def _kinds(usage: Usage) -> Iterator[tuple[str, int]]:
    """Tokens by kinds that do not overlap: together they are prompt and completion."""
    prompt, completion = usage.prompt or 0, usage.completion or 0
    cached, reasoning = usage.cached or 0, usage.reasoning or 0
    yield "prompt", prompt - cached
    yield "cached", cached
    yield "completion", completion - reasoning
    yield "reasoning", reasoning
