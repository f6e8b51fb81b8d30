"""A router behind a URL as the strategy under test: who answered tells the tier, and nobody else is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from pytest_hybrideval.backends import url_backend
from pytest_hybrideval.core.domain import AgentResult, CallFault, ErrorKind, ModelRef, Outcome, Tier, Usage
from pytest_hybrideval.core.errors import BackendUnavailable, ConfigurationError
from pytest_hybrideval.core.pricing import Price, PriceList
from pytest_hybrideval.core.protocols import Strategy
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.scoring.verdict import Left, judge
from pytest_hybrideval.strategies.naming import find_strategy, strategy_models, strategy_tiers
from pytest_hybrideval.strategies.url import UrlRouter, parse_tiers
from pytest_hybrideval.testing import FakeOpenAI, Fault, Raw, Reply, make_context, make_request, make_trial
from pytest_hybrideval.trial import blank_record, with_calls

HELLO: Any = [{"role": "user", "content": "Say hello."}]
TIERS = parse_tiers("gpt-5.5*=cloud, gemma*=local")
USAGE = Usage(prompt=1000, completion=500)


class FakeRouter(FakeOpenAI):
    """A router whose answers name one model after the other; None: its answers do not say."""

    def __init__(self, *answering: str | None, **more: Any) -> None:
        super().__init__(default=Reply(usage=USAGE), **more)
        self._answering = list(answering)

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return super().whole(reply, {**body, "model": self._answering.pop(0)})

    def streamed(self, reply: Reply, body: Mapping[str, Any]) -> tuple[list[bytes], list[bytes]]:
        return super().streamed(reply, {**body, "model": self._answering.pop(0)})


def strategy_of(name: str, options: StrategyOptions | None = None) -> Strategy:
    chosen = options or StrategyOptions(url_tiers=TIERS)
    return find_strategy(name, {UrlRouter.name: UrlRouter}, lambda: chosen)()


Open = Callable[..., RouterSession]


@pytest.fixture
def open_session() -> Iterator[Open]:
    """Sessions of trials under `url:...`; the gateway is stopped at the end."""
    with ExitStack() as stack:

        def open_(router: FakeRouter, after: str = "", environ: Mapping[str, str] | None = None) -> RouterSession:
            def make(ref: ModelRef, tier: Tier) -> Any:
                assert ref.provider == "url", "no model of the two tiers is asked"
                return url_backend(ref, tier, environ or {}, "http://127.0.0.1:1/of-the-tiers-own-model")

            gateway = Gateway(make)
            gateway.start()
            stack.callback(gateway.stop)
            return gateway.open(make_trial(seed=7), strategy_of(f"url:{router.base_url}{after}"), {})

        yield open_


def ask(session: RouterSession, *, stream: bool, **body: Any) -> str:
    http = httpx.Client(trust_env=False)
    with OpenAI(base_url=session.base_url, api_key=session.key, max_retries=0, timeout=15, http_client=http) as sdk:
        answer: Any = sdk.chat.completions.create(**{"model": "hybrid", "messages": HELLO, "stream": stream, **body})
        if not stream:
            return str(answer.choices[0].message.content)
        return "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)


@pytest.mark.parametrize("stream", [False, True])
class TestTiers:
    def test_the_answering_model_tells_tier_and_model(self, open_session: Open, stream: bool) -> None:
        with FakeRouter("gemma4:31b", "gpt-5.5-2026-11-01", "gemma4:31b") as router:
            session = open_session(router)
            assert [ask(session, stream=stream) for _ in range(3)] == ["Hello!"] * 3
        assert [(call.tier, call.model, call.fault) for call in session.ledger.calls] == [
            (Tier.LOCAL, "url/gemma4:31b", None),
            (Tier.CLOUD, "url/gpt-5.5-2026-11-01", None),
            (Tier.LOCAL, "url/gemma4:31b", None),
        ]
        assert session.ledger.calls[0].reason == f"left to the router at {router.base_url}"
        assert session.ledger.strategy_error == ""

    def test_tokens_and_cost_follow_from_it(self, open_session: Open, stream: bool) -> None:
        with FakeRouter("gemma4:31b", "gpt-5.5") as router:
            session = open_session(router)
            for _ in range(2):
                ask(session, stream=stream)
        trial = make_trial(local=ModelRef("ollama", "gemma4:31b"), cloud=ModelRef("openai", "gpt-5.5"))
        record = with_calls(blank_record(trial, "an agent"), session.ledger)
        assert {tier: tokens.total for tier, tokens in record.tokens.items()} == {Tier.LOCAL: 1500, Tier.CLOUD: 1500}
        prices = PriceList({"gpt-5.5": Price(5.0, 30.0, 0.5)}, "of this test")
        assert prices.cost(record) == pytest.approx((1000 * 5 + 500 * 30) / 1_000_000)

    @pytest.mark.parametrize(
        ("answering", "said"),
        [("claude", "model 'claude' answered, which is of no known tier"), (None, "does not say which model it is of")],
    )
    def test_a_model_of_no_known_tier_ends_the_trial(
        self, open_session: Open, answering: str | None, said: str, stream: bool
    ) -> None:
        with FakeRouter(answering) as router:
            session = open_session(router)
            with pytest.raises(openai.APIError, match="the strategy under test failed"):
                ask(session, stream=stream)
        (call,) = session.ledger.calls
        assert (call.fault, call.status) == (CallFault.REFUSED, 400)
        verdict = judge(session.ledger, AgentResult(0, 1.0), Left(edited=True), score=None)
        assert (verdict.outcome, verdict.error_kind) == (Outcome.ERROR, ErrorKind.STRATEGY)
        assert said in verdict.detail

    def test_the_whole_request_goes_there_with_the_trials_seed(self, open_session: Open, stream: bool) -> None:
        asked = {"temperature": 0.5, "max_tokens": 100, "odd": {"a": [1, None]}}
        with FakeRouter("gemma", "gemma") as router:
            for after in ("", "#router-mf-0.3"):
                ask(open_session(router, after), stream=stream, extra_body=asked)
        streamed = {"stream_options": {"include_usage": True}} if stream else {}
        common = {"messages": HELLO, "seed": 7, "stream": stream, **streamed, **asked}
        assert [chat.body for chat in router.chats] == [
            {**common, "model": "hybrid"},
            {**common, "model": "router-mf-0.3"},
        ]

    def test_the_key_goes_to_the_router_and_no_other_does(self, open_session: Open, stream: bool) -> None:
        keys = {
            "HYBRIDEVAL_ROUTER_API_KEY": "sk-router",
            "OPENAI_API_KEY": "sk-openai",
            "HYBRIDEVAL_CLOUD_API_KEY": "x",
        }
        with FakeRouter("gemma", "gemma") as router:
            ask(open_session(router, environ=keys), stream=stream)
            keys.pop("HYBRIDEVAL_ROUTER_API_KEY")
            ask(open_session(router, environ=keys), stream=stream)
        assert [chat.headers.get("Authorization") for chat in router.chats] == ["Bearer sk-router", None]

    def test_a_failure_of_the_router_is_the_backends(self, open_session: Open, stream: bool) -> None:
        with FakeRouter() as router:
            router.will(Fault.bad_request("no such route"))
            session = open_session(router)
            with pytest.raises(openai.BadRequestError, match="the model behind the gateway failed"):
                ask(session, stream=stream)
        (call,) = session.ledger.calls
        assert "no such route" in call.error
        assert (call.fault, call.tier, call.model) == (CallFault.BACKEND, Tier.CLOUD, f"url/{router.base_url}")
        assert session.ledger.strategy_error == ""


def test_a_change_of_models_in_mid_stream_counts_for_the_last(open_session: Open) -> None:
    def event(model: str, text: str, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        return b"data: " + json.dumps({"model": model, "choices": [choice]}).encode() + b"\n\n"

    pieces = [event("gemma", "Hel"), event("gpt-5.5", "lo!", "stop"), b"data: [DONE]\n\n"]
    with FakeRouter() as router:
        router.will(Raw(pieces, content_type="text/event-stream"))
        session = open_session(router)
        assert ask(session, stream=True) == "Hello!"
    assert session.ledger.calls[0].tier is Tier.CLOUD


class TestNames:
    def test_it_asks_none_of_the_two_tiers_models(self) -> None:
        factory = find_strategy(
            "url:http://127.0.0.1:4000/v1#auto", {"url": UrlRouter}, lambda: StrategyOptions(url_tiers=TIERS)
        )
        assert strategy_tiers(factory) == frozenset()
        assert strategy_models(factory) == ((Tier.CLOUD, ModelRef("url", "http://127.0.0.1:4000/v1#auto")),)
        assert getattr(factory(), "models", None) == strategy_models(factory)

    @pytest.mark.parametrize("argument", ["", ":", ":4000", ":ftp://x", ":http://", ":127.0.0.1:4000"])
    def test_an_address_is_needed(self, argument: str) -> None:
        with pytest.raises(ConfigurationError, match="needs the address of a router, for example url:http://127"):
            strategy_of(f"url{argument}")

    @pytest.mark.parametrize("address", ["http://me:secret@127.0.0.1/v1", "http://127.0.0.1/v1?key=secret"])
    def test_an_address_is_no_place_for_a_secret(self, address: str) -> None:
        with pytest.raises(ConfigurationError, match="HYBRIDEVAL_ROUTER_API_KEY") as caught:
            strategy_of(f"url:{address}")
        assert "secret" not in str(caught.value)

    def test_the_map_is_needed(self) -> None:
        with pytest.raises(ConfigurationError, match=r"--hybrid-url-tiers 'gpt-5\.5\*=cloud,gemma\*=local'"):
            strategy_of("url:http://127.0.0.1:4000/v1", StrategyOptions())

    @pytest.mark.parametrize("text", ["", "gpt", "gpt=", "=cloud", "gpt=clouds", "gpt=cloud,", "gpt=cloud,x"])
    def test_a_wrong_map_is_refused(self, text: str) -> None:
        with pytest.raises(ConfigurationError, match="is not PATTERN=local or PATTERN=cloud"):
            parse_tiers(text)

    def test_the_first_pattern_that_fits_decides(self) -> None:
        patterns = parse_tiers("gpt-5.5-mini=local,gpt-*=cloud,a=b=local,[gG]emma?=local")
        router = UrlRouter(ModelRef("url", "http://x"), patterns)
        names = ("gpt-5.5-mini", "gpt-5.5", "a=b", "Gemma4", "gemma4:31b", "GPT-5.5")
        assert [router.place(name) for name in names] == [Tier.LOCAL, Tier.CLOUD, Tier.LOCAL, Tier.LOCAL, None, None]

    @pytest.mark.parametrize("name", ["gemma4:31b", "http://me:secret@127.0.0.1/v1", "http://127.0.0.1/v1?key=1"])
    def test_a_backend_needs_a_plain_address(self, name: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            url_backend(ModelRef("url", name), Tier.CLOUD, {}, None)
        assert "secret" not in str(caught.value)


class TestPreflight:
    async def describe(self, router: FakeRouter, **environ: str) -> str:
        backend = url_backend(ModelRef("url", router.base_url), Tier.CLOUD, environ, None)
        try:
            return (await backend.describe()).model
        finally:
            await backend.aclose()

    def run(self, router: FakeRouter, **environ: str) -> str:
        return asyncio.run(self.describe(router, **environ))

    @pytest.mark.parametrize("more", [{"models": ["a", "b"]}, {"lists_models": False}], ids=str)
    def test_whatever_it_lists_it_is_there(self, more: dict[str, Any]) -> None:
        with FakeRouter(**more) as router:
            assert self.run(router) == f"url/{router.base_url}"

    def test_a_refused_key_is_found_out(self) -> None:
        with (
            FakeRouter(api_key="sk-right") as router,
            pytest.raises(BackendUnavailable, match="refused the API key in HYBRIDEVAL_ROUTER_API_KEY"),
        ):
            self.run(router, HYBRIDEVAL_ROUTER_API_KEY="sk-wrong")


def test_deciding_is_the_same_whatever_the_request() -> None:
    strategy = strategy_of("url:http://127.0.0.1:4000/v1")
    decision = asyncio.run(strategy.decide(make_request(), make_context()))
    assert (decision.tier, decision.model) == (Tier.CLOUD, ModelRef("url", "http://127.0.0.1:4000/v1"))
