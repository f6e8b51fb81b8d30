"""The gateway over HTTP, as agents meet it: with the official client, and byte by byte where bytes matter."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import re
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

import httpx
import openai
import pytest
import stamina
from openai import AsyncOpenAI, OpenAI
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from pytest_hybrideval.backends import OllamaBackend, OpenAIBackend
from pytest_hybrideval.core.domain import (
    Answer,
    CallFault,
    ChatRequest,
    Completion,
    Decision,
    ModelInfo,
    ModelRef,
    StreamEvent,
    Tier,
    Usage,
)
from pytest_hybrideval.core.errors import (
    BackendError,
    BackendUnavailable,
    BudgetExceeded,
    ContextOverflow,
    StreamBroken,
)
from pytest_hybrideval.core.protocols import Backend, BackendCall, RoutingContext
from pytest_hybrideval.core.records import CallRecord
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.testing import (
    Ask,
    FakeOllama,
    FakeOpenAI,
    Fault,
    Pause,
    Raw,
    Reply,
    ScriptedBackend,
    ScriptedClassifier,
    ScriptedReply,
    ScriptedStrategy,
    make_sampling,
    make_trial,
)

CHAT = "/v1/chat/completions"
HELLO: Any = [{"role": "user", "content": "Say hello."}]
BUSY = BackendError("the model server is busy", status=503, retryable=True)
REFUSED = BackendError("the model server wants no such field", status=422)
OVERFLOW = ContextOverflow("9000 tokens do not fit into 8192", status=400)
BROKEN = StreamBroken("the model server ended its answer without the end marker", retryable=True)
# What agents are told of these; the ledger has what was said upstream.
FAILED = "the model behind the gateway failed; see call 0 in the run's calls.jsonl"
TOO_LONG = "the request is longer than the model's context length; see call 0 in the run's calls.jsonl"


@dataclass
class House:
    """A running gateway with a backend for each tier."""

    gateway: Gateway
    backends: Mapping[Tier, Backend]

    def open(
        self,
        strategy: ScriptedStrategy | None = None,
        *,
        tiers: tuple[Tier, ...] = tuple(Tier),
        temperature: float | str | None = "agent",
        **variant: Any,
    ) -> RouterSession:
        trial = make_trial(**variant)
        sampling = make_sampling(seed=trial.variant.seed, temperature=temperature, max_tokens=4096, num_ctx=8192)
        return self.gateway.open(trial, strategy or ScriptedStrategy(), dict.fromkeys(tiers, sampling))


Serve = Callable[..., House]


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Retries without their back-off, and no more of them than were asked for."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start gateways; all are stopped at the end."""
    with ExitStack() as stack:

        def start(local: Backend | None = None, cloud: Backend | None = None, retries: int = 0) -> House:
            backends: dict[Tier, Backend] = {
                Tier.LOCAL: local or ScriptedBackend(ref=ModelRef("scripted", "small")),
                Tier.CLOUD: cloud or ScriptedBackend(ref=ModelRef("scripted", "large")),
            }
            gateway = Gateway(lambda ref, tier: backends[tier], retries)
            gateway.start()
            stack.callback(gateway.stop)
            return House(gateway, backends)

        yield start


def client(session: RouterSession, max_retries: int = 2) -> OpenAI:
    http = httpx.Client(trust_env=False)
    return OpenAI(base_url=session.base_url, api_key=session.key, max_retries=max_retries, timeout=15, http_client=http)


def ask(session: RouterSession, **body: Any) -> str | None:
    """A whole answer through the official client."""
    with client(session) as sdk:
        completion = sdk.chat.completions.create(**{"model": "hybrid", "messages": HELLO, **body})
    text: str | None = completion.choices[0].message.content
    return text


def ask_stream(session: RouterSession, **body: Any) -> str:
    """A streamed answer through the official client."""
    with client(session) as sdk:
        chunks = sdk.chat.completions.create(**{"model": "hybrid", "messages": HELLO, "stream": True, **body})
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def connect(session: RouterSession) -> HTTPConnection:
    return HTTPConnection("127.0.0.1", httpx.URL(session.base_url).port, timeout=15)


def begin(connection: HTTPConnection, session: RouterSession, body: Any = None, **more: Any) -> None:
    """Send a chat request: `body` as it is if it is bytes, else a good request with `more`."""
    data = body if isinstance(body, bytes) else json.dumps({"model": "hybrid", "messages": HELLO, **more}).encode()
    connection.request("POST", CHAT, data, {"Authorization": f"Bearer {session.key}"})


def post(session: RouterSession, body: bytes | None = None, **more: Any) -> tuple[HTTPResponse, bytes]:
    """A chat request byte by byte, and the answer to it."""
    with closing(connect(session)) as connection:
        begin(connection, session, body, **more)
        response = connection.getresponse()
        return response, response.read()


def get(session: RouterSession, path: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    with closing(connect(session)) as connection:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def refused(session: RouterSession, body: bytes | None = None, **more: Any) -> dict[str, Any]:
    """The error of a request that is answered with 400 and must not be tried again."""
    response, content = post(session, body, **more)
    assert (response.status, response.getheader("x-should-retry")) == (400, "false"), content
    error: dict[str, Any] = json.loads(content)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def only(session: RouterSession) -> CallRecord:
    """The session's one call."""
    (call,) = session.ledger.calls
    return call


def chunk(content: str) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}).encode()


class TestAnswers:
    def test_a_whole_answer_passes_byte_for_byte(self, serve: Serve) -> None:
        body = '{"id" : "x",\n  "choices":[ ],"odd":1.0, "e":"\\u00e9 é \u2028"}\n'.encode()
        session = serve(ScriptedBackend(ScriptedReply(["Hi"], body=body))).open()
        response, content = post(session)
        assert (response.status, response.getheader("Content-Type")) == (200, "application/json")
        assert content == body

    def test_a_streamed_answer_passes_byte_for_byte(self, serve: Serve) -> None:
        payloads = [b'{ "choices" : [] }', '{"choices":[],"e":"é \u2028 \x85"}'.encode(), b"{}"]
        steps = [*map(StreamEvent, payloads), StreamEvent(None, usage=Usage(1, 2))]
        session = serve(ScriptedBackend(ScriptedReply(steps, usage=None, finish_reason=None))).open()
        response, content = post(session, stream=True)
        assert response.getheader("Content-Type") == "text/event-stream"
        assert content == b"".join(b"data: " + payload + b"\n\n" for payload in [*payloads, b"[DONE]"])

    def test_a_payload_of_several_lines_stays_one_event(self, serve: Serve) -> None:
        spread = json.dumps(json.loads(chunk("Hi")), indent=1).encode()
        session = serve(ScriptedBackend([StreamEvent(spread)])).open()
        assert ask_stream(session) == "Hi"

    @pytest.mark.parametrize("text", ["", "Hello!", "data: [DONE]\n\n", "a\r\nb\u2028c\x85d", "\U0001f600 " * 30_000])
    def test_the_official_client_reads_the_text(self, serve: Serve, text: str) -> None:
        session = serve(ScriptedBackend(default=text)).open()
        assert ask(session) == text
        assert ask_stream(session) == text

    def test_pieces_arrive_as_they_are_sent(self, serve: Serve) -> None:
        pause = Pause()
        session = serve(ScriptedBackend(["Hel", pause, "lo!"])).open()
        with client(session) as sdk:
            chunks = iter(sdk.chat.completions.create(model="hybrid", messages=HELLO, stream=True))
            first = next(chunks)
            pause.reached()
            pause.release()
            rest = list(chunks)
        pieces = [part.choices[0].delta.content for part in (first, *rest)]
        assert pieces == ["Hel", "lo!", None]

    def test_the_asynchronous_client_reads_both(self, serve: Serve) -> None:
        session = serve(ScriptedBackend(default=["Hel", "lo!"])).open()

        async def scenario() -> tuple[str | None, str]:
            async with AsyncOpenAI(base_url=session.base_url, api_key=session.key, timeout=15) as sdk:
                whole = await sdk.chat.completions.create(model="hybrid", messages=HELLO)
                chunks = await sdk.chat.completions.create(model="hybrid", messages=HELLO, stream=True)
                streamed = [part.choices[0].delta.content or "" async for part in chunks]
            return whole.choices[0].message.content, "".join(streamed)

        assert asyncio.run(scenario()) == ("Hello!", "Hello!")

    def test_usage_reaches_an_agent_that_asks_for_it(self, serve: Serve) -> None:
        session = serve().open()
        with client(session) as sdk:
            chunks = list(
                sdk.chat.completions.create(
                    model="hybrid", messages=HELLO, stream=True, stream_options={"include_usage": True}
                )
            )
        assert chunks[-1].usage is not None
        assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (11, 7)

    def test_the_request_reaches_the_backend_as_it_was_written(self, serve: Serve) -> None:
        backend = ScriptedBackend()
        session = serve(backend).open()
        ask(session, temperature=0.25, stop=["END"], extra_body={"odd": {"a": [1, None]}})
        assert backend.calls[0].request.body == {
            "model": "hybrid",
            "messages": HELLO,
            "temperature": 0.25,
            "stop": ["END"],
            "odd": {"a": [1, None]},
        }
        assert backend.calls[0].trial is session.trial


class TestSmallRoutes:
    def test_the_model_list_has_the_one_model_that_agents_see(self, serve: Serve) -> None:
        session = serve().open()
        with client(session) as sdk:
            assert [model.id for model in sdk.models.list()] == ["hybrid"]
        status, listing = get(session, "/v1/models", {"Authorization": f"Bearer {session.key}"})
        assert (status, listing["object"], len(listing["data"])) == (200, "list", 1)

    def test_health_needs_no_key(self, serve: Serve) -> None:
        house = serve()
        session = house.open()
        house.open()
        assert get(session, "/healthz", {}) == (200, {"status": "ok", "sessions": 2})

    def test_describe_asks_the_backend_of_that_tier(self, serve: Serve) -> None:
        house = serve(ScriptedBackend(info=ModelInfo("scripted/small", context_length=4096)))
        assert house.gateway.describe(ModelRef("ollama", "small"), Tier.LOCAL).context_length == 4096

    def test_describe_says_what_the_backend_says(self, serve: Serve) -> None:
        house = serve(ScriptedBackend(info=BackendUnavailable("Ollama is not running")))
        with pytest.raises(BackendUnavailable, match="Ollama is not running"):
            house.gateway.describe(ModelRef("ollama", "small"), Tier.LOCAL)

    def test_a_backend_is_made_once_for_each_model_and_tier(self) -> None:
        made: list[tuple[ModelRef, Tier]] = []

        def make(ref: ModelRef, tier: Tier) -> Backend:
            made.append((ref, tier))
            return ScriptedBackend(ref=ref)

        gateway = Gateway(make)
        gateway.start()
        try:
            trial = make_trial()
            for _ in range(2):
                gateway.open(trial, ScriptedStrategy(), dict.fromkeys(Tier, make_sampling()))
        finally:
            gateway.stop()
        assert made == [(trial.variant.local, Tier.LOCAL), (trial.variant.cloud, Tier.CLOUD)]


class TestKeys:
    @pytest.mark.parametrize(
        "header", [None, "", "Bearer", "Bearer ", "Bearer hybrid-unknown", "Basic {key}", "{key}", "Bearer {key}x"]
    )
    def test_an_unknown_key_is_refused(self, serve: Serve, header: str | None) -> None:
        backend = ScriptedBackend()
        session = serve(backend).open()
        headers = {} if header is None else {"Authorization": header.format(key=session.key)}
        with closing(connect(session)) as connection:
            connection.request("POST", CHAT, json.dumps({"messages": HELLO}), headers)
            response = connection.getresponse()
            error = json.loads(response.read())["error"]
        assert response.status == 401
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_api_key", None)
        assert get(session, "/v1/models", headers)[0] == 401
        assert not backend.calls
        assert not session.ledger.calls

    def test_the_key_of_a_closed_session_is_refused(self, serve: Serve) -> None:
        house = serve()
        session, other = house.open(), house.open()
        ask(session)
        house.gateway.close(session)
        with pytest.raises(openai.AuthenticationError, match="its trial has ended") as caught:
            ask(session)
        assert caught.value.code == "invalid_api_key"
        assert len(session.ledger.calls) == 1
        assert ask(other) == "Hello!"

    def test_keys_differ_and_stay_out_of_reprs(self, serve: Serve) -> None:
        house = serve()
        sessions = [house.open() for _ in range(3)]
        assert len({session.key for session in sessions}) == 3
        assert not any(session.key in repr(session) for session in sessions)


class TestAttribution:
    def test_many_calls_at_once_land_in_their_own_ledgers(self, serve: Serve) -> None:
        calls, pause = 40, Pause()

        def echo(call: BackendCall) -> list[str | Pause]:
            return [call.trial.variant.id, pause, " ", call.request.messages[0]["content"]]

        house = serve(ScriptedBackend(default=echo), ScriptedBackend(default=echo))
        strategies = [ScriptedStrategy(default=tier) for tier in Tier]
        sessions = [house.open(strategy, seed=seed) for seed, strategy in enumerate(strategies)]

        async def one(sdk: AsyncOpenAI, text: str, stream: bool) -> str:
            messages: Any = [{"role": "user", "content": text}]
            if not stream:
                whole = await sdk.chat.completions.create(model="hybrid", messages=messages)
                return whole.choices[0].message.content or ""
            chunks = await sdk.chat.completions.create(model="hybrid", messages=messages, stream=True)
            return "".join([part.choices[0].delta.content or "" async for part in chunks])

        async def agent(session: RouterSession) -> list[str]:
            async with AsyncOpenAI(base_url=session.base_url, api_key=session.key, timeout=15) as sdk:
                return await asyncio.gather(*(one(sdk, f"call {n}", n % 2 == 0) for n in range(calls)))

        async def all_at_once() -> None:
            await asyncio.to_thread(pause.reached, 2 * calls)
            pause.release()

        async def scenario() -> list[Any]:
            return await asyncio.gather(*map(agent, sessions), all_at_once())

        answers = asyncio.run(scenario())
        for session, tier, said in zip(sessions, Tier, answers, strict=False):
            assert said == [f"{session.trial.variant.id} call {n}" for n in range(calls)]
            ledger = session.ledger.calls
            assert {(call.trial, call.tier, call.seed) for call in ledger} == {
                (session.trial.id, tier, session.trial.variant.seed)
            }
            assert sorted(call.index for call in ledger) == list(range(calls))
            assert all(call.fault is None for call in ledger)


class TestRecords:
    def test_a_call_is_recorded_with_all_that_is_known_of_it(self, serve: Serve) -> None:
        reply = ScriptedReply(
            ["Hel", "lo!"], Usage(prompt=120, completion=30, cached=100, reasoning=5), "length", fingerprint="fp-1"
        )
        house = serve(cloud=ScriptedBackend(default=reply, ref=ModelRef("scripted", "large")))
        session = house.open(ScriptedStrategy(default=Decision(Tier.CLOUD, "plan step, score 31 >= 25", 31.0)), seed=7)
        plan = {"role": "system", "content": "Act as an expert architect engineer and provide direction."}
        began = time.monotonic()
        ask_stream(session, messages=[plan, *HELLO], temperature=0.5, max_tokens=1000)
        ask(session, messages=[plan, *HELLO], temperature=0.5, max_tokens=1000)
        took = time.monotonic() - began
        for index, call in enumerate(session.ledger.calls):
            assert (call.trial, call.index, call.purpose) == (session.trial.id, index, "agent")
            assert (call.tier, call.model, call.phase) == (Tier.CLOUD, "scripted/large", "plan")
            assert (call.reason, call.score) == ("plan step, score 31 >= 25", 31.0)
            assert (call.seed, call.temperature, call.max_tokens, call.num_ctx) == (7, 0.5, 1000, 8192)
            assert call.usage == reply.usage
            assert (call.finish_reason, call.fingerprint) == ("length", "fp-1")
            assert (call.status, call.attempts, call.fault, call.error) == (200, 1, None, "")
            assert call.first_byte is not None
            assert 0 <= call.first_byte <= call.seconds <= took
        first, second = session.ledger.calls
        assert (first.stream, second.stream) == (True, False)
        assert first.started <= second.started

    def test_first_byte_is_when_the_first_piece_came(self, serve: Serve) -> None:
        pause = Pause()
        session = serve(ScriptedBackend(["Hel", pause, "lo!"])).open()
        began = time.monotonic()
        with client(session) as sdk:
            chunks = iter(sdk.chat.completions.create(model="hybrid", messages=HELLO, stream=True))
            next(chunks)
            seen = time.monotonic() - began
            pause.release()
            list(chunks)
        first_byte = only(session).first_byte
        assert first_byte is not None
        assert first_byte <= seen + 0.0001  # records are rounded to that

    @pytest.mark.parametrize("stream", [False, True])
    def test_unknown_usage_stays_unknown(self, serve: Serve, stream: bool) -> None:
        session = serve(ScriptedBackend(ScriptedReply(["Hi"], usage=None, finish_reason=None))).open()
        post(session, stream=stream)
        call = only(session)
        assert call.usage == Usage(None, None, None, None)
        assert call.finish_reason is None
        tokens = session.ledger.tokens(overhead=False)[Tier.LOCAL]
        assert (tokens.calls, tokens.unknown_calls, tokens.total) == (1, 1, 0)

    @pytest.mark.parametrize(
        ("configured", "asked", "sent"),
        [("agent", 0.5, 0.5), ("agent", None, None), (0.2, 0.5, 0.2), (0.2, None, 0.2), (None, 0.5, None), (0, 1, 0)],
    )
    def test_the_temperature_that_is_set_arrives(
        self, serve: Serve, configured: float | str | None, asked: float | None, sent: float | None
    ) -> None:
        backend = ScriptedBackend()
        session = serve(backend).open(temperature=configured)
        ask(session, **({} if asked is None else {"temperature": asked}))
        assert backend.calls[0].temperature == sent
        assert only(session).temperature == sent

    def test_the_temperature_is_recorded_as_the_backend_sends_it(self, serve: Serve) -> None:
        class Reasoner(ScriptedBackend):
            def effective_temperature(self, call: BackendCall) -> float | None:
                return None

        session = serve(Reasoner()).open(temperature=0.7)
        ask(session)
        assert only(session).temperature is None

    @pytest.mark.parametrize("stream", [False, True])
    def test_the_trials_seed_arrives_whatever_the_agent_asks(self, serve: Serve, stream: bool) -> None:
        backend = ScriptedBackend()
        session = serve(backend).open(seed=42)
        post(session, stream=stream, seed=1)
        assert backend.calls[0].sampling.seed == 42
        assert only(session).seed == 42


class TestStrategies:
    def test_each_request_goes_where_the_strategy_says(self, serve: Serve) -> None:
        house = serve(ScriptedBackend(default="small"), ScriptedBackend(default="large"))
        session = house.open(ScriptedStrategy(Tier.CLOUD, Tier.LOCAL, Tier.CLOUD))
        assert [ask(session) for _ in range(3)] == ["large", "small", "large"]
        assert [call.tier for call in session.ledger.calls] == [Tier.CLOUD, Tier.LOCAL, Tier.CLOUD]

    def test_the_strategy_knows_threshold_seed_and_earlier_calls(self, serve: Serve) -> None:
        strategy = ScriptedStrategy()
        session = serve().open(strategy, threshold=15.0, seed=7)
        ask(session)
        ask_stream(session)
        first, second = strategy.contexts
        assert (first.threshold, first.seed) == (15.0, 7)
        assert first.earlier == ()
        assert second.earlier == (session.ledger.calls[0],)
        assert strategy.requests[1].stream

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(ValueError("no idea"), id="raises"),
            pytest.param(lambda request, context: None, id="None"),
            pytest.param(lambda request, context: "cloud", id="a-string"),
            pytest.param(lambda request, context: (Tier.CLOUD, "so"), id="a-tuple"),
            pytest.param(Decision("nowhere", "so"), id="an-unknown-tier"),  # type: ignore[arg-type]
            pytest.param(Decision(["local"], "so"), id="a-list-as-tier"),  # type: ignore[arg-type]
        ],
    )
    def test_a_broken_strategy_ends_the_trial_and_nothing_else_decides(
        self, serve: Serve, broken: Any, stream: bool
    ) -> None:
        local, cloud = ScriptedBackend(), ScriptedBackend()
        session = serve(local, cloud).open(ScriptedStrategy(default=broken, name="mine"))
        error = refused(session, stream=stream)
        assert error["type"] == "invalid_request_error"
        assert error["message"] == "the strategy under test failed"
        assert "strategy 'mine' failed" in session.ledger.strategy_error
        assert local.calls == cloud.calls == []
        assert not session.ledger.calls

    def test_the_error_says_what_the_strategy_raised(self, serve: Serve) -> None:
        session = serve().open(ScriptedStrategy(default=ValueError("no idea")))
        refused(session)
        assert "ValueError: no idea" in session.ledger.strategy_error

    @pytest.mark.parametrize(("tier", "allowed"), [(Tier.LOCAL, Tier.CLOUD), (Tier.CLOUD, Tier.LOCAL)])
    def test_a_tier_that_the_strategy_may_not_use_is_refused(self, serve: Serve, tier: Tier, allowed: Tier) -> None:
        local, cloud = ScriptedBackend(), ScriptedBackend()
        session = serve(local, cloud).open(ScriptedStrategy(default=tier), tiers=(allowed,))
        refused(session)
        assert "scripted" in session.ledger.strategy_error
        assert local.calls == cloud.calls == []

    def test_the_official_client_asks_a_broken_strategy_once(self, serve: Serve) -> None:
        strategy = ScriptedStrategy(default=ValueError("no idea"))
        session = serve().open(strategy)
        with pytest.raises(openai.BadRequestError, match="the strategy under test failed"):
            ask(session)
        assert len(strategy.requests) == 1

    def test_a_strategy_error_is_not_forgotten_by_a_later_good_decision(self, serve: Serve) -> None:
        session = serve().open(ScriptedStrategy(ValueError("no idea"), Tier.LOCAL))
        refused(session)
        post(session)
        assert "no idea" in session.ledger.strategy_error


class TestClassifier:
    def test_its_calls_are_recorded_and_counted_as_overhead(self, serve: Serve) -> None:
        local = ScriptedBackend(classifier=ScriptedClassifier(Answer("cloud", Usage(prompt=50, completion=2))))
        session = serve(local).open(ScriptedStrategy(default=Ask("local or cloud?")), seed=7, temperature=0.8)
        assert ask(session) == "Hello!"
        asked, answered = session.ledger.calls
        assert (asked.purpose, asked.tier, asked.index) == ("classifier", Tier.LOCAL, 0)
        assert (answered.purpose, answered.tier, answered.index) == ("agent", Tier.CLOUD, 1)
        assert asked.usage == Usage(prompt=50, completion=2)
        assert session.ledger.tokens(overhead=True)[Tier.LOCAL].total == 52
        assert session.ledger.tokens(overhead=False).keys() == {Tier.CLOUD}

    def test_the_question_and_the_seed_arrive_at_temperature_zero(self, serve: Serve) -> None:
        local = ScriptedBackend()
        session = serve(local).open(ScriptedStrategy(default=Ask("local or cloud?")), seed=7, temperature=0.8)
        ask(session)
        asked = session.ledger.calls[0]
        assert local.classifier.questions == ["local or cloud?"]
        assert local.question_calls[0].sampling.seed == 7
        assert (asked.seed, asked.temperature) == (7, 0.0)

    def test_earlier_calls_are_the_agents_own(self, serve: Serve) -> None:
        strategy = ScriptedStrategy(Ask("local or cloud?"), Tier.LOCAL)
        session = serve().open(strategy)
        ask(session)
        ask(session)
        assert [call.purpose for call in strategy.contexts[1].earlier] == ["agent"]

    def test_a_failed_question_is_the_backends_fault(self, serve: Serve) -> None:
        local = ScriptedBackend(classifier=ScriptedClassifier(default=REFUSED))
        cloud = ScriptedBackend()
        session = serve(local, cloud).open(ScriptedStrategy(default=Ask("local or cloud?")))
        assert refused(session)["type"] == "backend_error"
        call = only(session)
        assert (call.purpose, call.fault, call.status, call.error) == (
            "classifier",
            CallFault.BACKEND,
            422,
            str(REFUSED),
        )
        assert session.ledger.strategy_error == ""
        assert local.calls == cloud.calls == []

    def test_a_strategy_may_decide_without_the_answer(self, serve: Serve) -> None:
        async def careful(request: ChatRequest, context: RoutingContext) -> Decision:
            try:
                await context.classify("local or cloud?")
            except BackendError as error:
                return Decision(Tier.CLOUD, f"no answer: {error}")
            raise AssertionError("the classifier was to fail")

        house = serve(ScriptedBackend(classifier=ScriptedClassifier(default=REFUSED)))
        session = house.open(ScriptedStrategy(default=careful))
        assert ask(session) == "Hello!"
        assert [call.fault for call in session.ledger.calls] == [CallFault.BACKEND, None]

    def test_a_question_is_retried_with_the_same_seed(self, serve: Serve) -> None:
        local = ScriptedBackend(classifier=ScriptedClassifier(BUSY, BUSY, "cloud"))
        session = serve(local, retries=2).open(ScriptedStrategy(default=Ask("local or cloud?")), seed=7)
        ask(session)
        assert [call.sampling.seed for call in local.question_calls] == [7, 7, 7]
        assert session.ledger.calls[0].attempts == 3

    def test_an_answer_that_the_strategy_cannot_read_is_its_own_fault(self, serve: Serve) -> None:
        house = serve(ScriptedBackend(classifier=ScriptedClassifier(default="hmm")))
        session = house.open(ScriptedStrategy(default=Ask("local or cloud?")))
        refused(session)
        assert "hmm" in session.ledger.strategy_error
        assert only(session).purpose == "classifier"

    def test_a_strategy_without_the_local_tier_is_told_that_it_cannot_ask(self, serve: Serve) -> None:
        local, cloud = ScriptedBackend(), ScriptedBackend()
        session = serve(local, cloud).open(ScriptedStrategy(default=Ask("local or cloud?")), tiers=(Tier.CLOUD,))
        refused(session)
        assert "classif" in session.ledger.strategy_error
        assert "local" in session.ledger.strategy_error
        assert local.question_calls == cloud.calls == []


@pytest.mark.parametrize("stream", [False, True])
class TestErrors:
    def test_a_retryable_error_is_retried_with_the_same_seed(self, serve: Serve, stream: bool) -> None:
        backend = ScriptedBackend(BUSY, BUSY, "Hello!")
        session = serve(backend, retries=2).open(seed=7)
        response, content = post(session, stream=stream)
        assert response.status == 200
        assert b"Hello!" in content
        assert [call.sampling.seed for call in backend.calls] == [7, 7, 7]
        call = only(session)
        assert (call.attempts, call.status, call.fault, call.error) == (3, 200, None, "")

    def test_it_is_given_up_after_the_configured_retries(self, serve: Serve, stream: bool) -> None:
        backend = ScriptedBackend(default=BUSY)
        session = serve(backend, retries=2).open()
        error = refused(session, stream=stream)
        assert (error["message"], error["type"], error["code"]) == (FAILED, "backend_error", None)
        assert len(backend.calls) == 3
        call = only(session)
        assert (call.attempts, call.status, call.fault, call.error) == (3, 503, CallFault.BACKEND, str(BUSY))

    def test_another_error_is_not_retried(self, serve: Serve, stream: bool) -> None:
        backend = ScriptedBackend(REFUSED)
        session = serve(backend, retries=4).open()
        assert refused(session, stream=stream)["message"] == FAILED
        assert len(backend.calls) == 1
        call = only(session)
        assert (call.attempts, call.status, call.fault) == (1, 422, CallFault.BACKEND)

    def test_an_error_without_a_status_is_recorded_as_a_bad_gateway(self, serve: Serve, stream: bool) -> None:
        session = serve(ScriptedBackend(BackendUnavailable("Ollama refused the connection"))).open()
        refused(session, stream=stream)
        assert only(session).status == 502

    @pytest.mark.parametrize("error", [BUSY, REFUSED], ids=["retryable", "final"])
    def test_the_official_client_sends_exactly_one_request(
        self, serve: Serve, error: BackendError, stream: bool
    ) -> None:
        strategy = ScriptedStrategy()
        session = serve(ScriptedBackend(default=error), retries=1).open(strategy)
        with client(session, max_retries=2) as sdk, pytest.raises(openai.BadRequestError, match=FAILED):
            sdk.chat.completions.create(model="hybrid", messages=HELLO, stream=stream)
        assert len(strategy.requests) == 1

    def test_a_context_overflow_has_openais_code(self, serve: Serve, stream: bool) -> None:
        backend = ScriptedBackend(OVERFLOW)
        session = serve(backend, retries=4).open()
        with client(session) as sdk, pytest.raises(openai.BadRequestError, match="context length") as caught:
            sdk.chat.completions.create(model="hybrid", messages=HELLO, stream=stream)
        assert caught.value.code == "context_length_exceeded"
        assert len(backend.calls) == 1
        call = only(session)
        assert (call.status, call.fault, call.error) == (400, CallFault.CONTEXT_OVERFLOW, str(OVERFLOW))

    @pytest.mark.parametrize(
        "error",
        [
            BackendError("HTTP 429: rate limit reached, retry after 429 s", status=429, retryable=True),
            ContextOverflow("rate limit: 429 tokens"),
            BudgetExceeded("rate limit: 429 USD"),
            ValueError("rate limit: 429"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_no_word_of_others_makes_the_agent_try_again(self, serve: Serve, error: Exception, stream: bool) -> None:
        session = serve(ScriptedBackend(default=error)).open()
        message = refused(session, stream=stream)["message"]
        assert not re.search(r"429|rate.?limit", message)
        assert "429" in only(session).error

    @pytest.mark.parametrize("error", [KeyError("choices"), ConnectionRefusedError("nobody listens")], ids=type)
    def test_a_backend_that_breaks_is_never_recorded_as_an_answer(
        self, serve: Serve, error: Exception, stream: bool
    ) -> None:
        session = serve(ScriptedBackend(default=error)).open()
        assert refused(session, stream=stream)["type"] == "backend_error"
        call = only(session)
        assert call.fault is CallFault.BACKEND
        assert type(error).__name__ in call.error

    def test_a_wait_of_hours_is_not_waited_for(self, serve: Serve, stream: bool) -> None:
        busy = BackendError("quota used up", status=429, retryable=True, retry_after=3600.0)
        session = serve(ScriptedBackend(default=busy), retries=4).open()
        with stamina.set_testing(False), closing(connect(session)) as connection:
            connection.timeout = 5
            begin(connection, session, stream=stream)
            assert connection.getresponse().status == 400
        assert only(session).attempts == 1

    def test_it_gives_up_after_three_failures_in_a_row(self, serve: Serve, stream: bool) -> None:
        strategy, backend = ScriptedStrategy(), ScriptedBackend(default=REFUSED)
        house = serve(backend)
        session = house.open(strategy)
        for _ in range(3):
            assert refused(session, stream=stream)["type"] == "backend_error"
        message = refused(session, stream=stream)["message"]
        assert message == "given up after 3 failed calls"
        assert len(strategy.requests) == len(backend.calls) == len(session.ledger.calls) == 3
        refused(house.open(), stream=stream)
        assert len(backend.calls) == 4

    def test_a_good_answer_starts_the_count_of_failures_again(self, serve: Serve, stream: bool) -> None:
        backend = ScriptedBackend(REFUSED, REFUSED, "good", REFUSED, REFUSED, "good")
        session = serve(backend).open()
        statuses = [post(session, stream=stream)[0].status for _ in range(6)]
        assert statuses == [400, 400, 200, 400, 400, 200]


class TestBrokenStreams:
    @pytest.mark.parametrize("error", [BROKEN, BUSY, OVERFLOW], ids=["broken", "backend", "overflow"])
    def test_an_error_in_mid_stream_is_an_event_and_no_end_marker(self, serve: Serve, error: BackendError) -> None:
        backend = ScriptedBackend([StreamEvent(chunk("Hel")), StreamEvent(None, usage=Usage(prompt=9)), error])
        session = serve(backend, retries=4).open()
        response, content = post(session, stream=True)
        first, last, end = content.split(b"\n\n")
        assert (response.status, end) == (200, b"")
        assert first == b"data: " + chunk("Hel")
        assert json.loads(last.removeprefix(b"data: "))["error"]["message"] == (
            TOO_LONG if error is OVERFLOW else FAILED
        )
        assert b"[DONE]" not in content
        assert len(backend.calls) == 1, "what the agent has seen cannot be taken back"
        call = only(session)
        assert (call.attempts, call.error, call.finish_reason) == (1, str(error), None)
        assert call.usage == Usage(prompt=9)
        assert call.fault is (CallFault.CONTEXT_OVERFLOW if error is OVERFLOW else CallFault.BACKEND)

    def test_the_official_client_raises(self, serve: Serve) -> None:
        strategy = ScriptedStrategy()
        session = serve(ScriptedBackend(["Hel", "lo", BROKEN])).open(strategy)
        pieces: list[str | None] = []
        with client(session) as sdk:
            chunks = sdk.chat.completions.create(model="hybrid", messages=HELLO, stream=True)
            with pytest.raises(openai.APIError, match="see call 0"):
                pieces.extend(part.choices[0].delta.content for part in chunks)
        assert pieces == ["Hel", "lo"]
        assert len(strategy.requests) == 1

    def test_an_empty_stream_is_an_error(self, serve: Serve) -> None:
        session = serve(ScriptedBackend(ScriptedReply([], usage=None, finish_reason=None))).open()
        assert refused(session, stream=True)["message"] == FAILED
        assert "empty" in only(session).error

    def test_a_backend_that_breaks_in_mid_stream_is_no_complete_answer(self, serve: Serve) -> None:
        session = serve(ScriptedBackend(["Hel", KeyError("choices")])).open()
        with pytest.raises((openai.APIError, httpx.RemoteProtocolError)):
            ask_stream(session)
        assert only(session).fault is CallFault.BACKEND


class TestMalformedRequests:
    @pytest.mark.parametrize(
        ("body", "named"),
        [
            (b"", "JSON"),
            (b"{", "JSON"),
            (b"\xff\xfe", "JSON"),
            (b"[]", "object"),
            (b"null", "object"),
            (b"{}", "'messages'"),
            (b'{"messages": null}', "'messages'"),
            (b'{"messages": []}', "'messages'"),
            (b'{"messages": "hello"}', "'messages'"),
            (b'{"messages": {"role": "user"}}', "'messages'"),
            (b'{"messages": ["hello"]}', "'messages[0]'"),
            (b'{"messages": [{"role": "user"}, {"content": "x"}]}', "'messages[1]'"),
            (b'{"messages": [{"role": 1, "content": "x"}]}', "'messages[0]'"),
            (b'{"messages": [{"role": "user", "content": "x"}], "stream": "yes"}', "'stream'"),
            (b'{"messages": [{"role": "user", "content": "x"}], "stream": 1}', "'stream'"),
        ],
    )
    def test_the_error_names_the_field(self, serve: Serve, body: bytes, named: str) -> None:
        strategy = ScriptedStrategy()
        session = serve().open(strategy)
        error = refused(session, body)
        assert named in error["message"]
        assert error["type"] == "invalid_request_error"
        assert not strategy.requests
        assert not session.ledger.calls
        assert ask(session) == "Hello!", "the session lives on"

    def test_a_body_over_the_limit_is_refused(self, serve: Serve) -> None:
        strategy = ScriptedStrategy()
        session = serve().open(strategy)
        response, content = post(session, b" " * (64 * 1024 * 1024 + 1))
        assert response.status == 413
        assert json.loads(content)["error"]["type"] == "invalid_request_error"
        assert response.getheader("x-should-retry") == "false"
        assert strategy.requests == []
        assert ask(session) == "Hello!"

    def test_a_large_body_under_the_limit_is_taken(self, serve: Serve) -> None:
        backend = ScriptedBackend()
        text = "x" * (8 * 1024 * 1024)
        post(serve(backend).open(), messages=[{"role": "user", "content": text}])
        assert backend.calls[0].request.messages[0]["content"] == text


class TestHangingUp:
    def test_in_mid_stream_the_upstream_is_closed_and_the_call_recorded(self, serve: Serve) -> None:
        pause = Pause()
        backend = ScriptedBackend([StreamEvent(chunk("Hel"), "Hel", usage=Usage(prompt=9)), pause, "lo!"])
        house = serve(backend)
        session = house.open()
        with client(session) as sdk:
            chunks = sdk.chat.completions.create(model="hybrid", messages=HELLO, stream=True)
            next(iter(chunks))
            pause.reached()
            chunks.close()
            pause.cancelled()
        house.gateway.close(session)
        assert (len(backend.broken_off), backend.running) == (1, 0)
        call = only(session)
        assert (call.status, call.fault, call.attempts) == (499, CallFault.HUNG_UP, 1)
        assert call.usage == Usage(prompt=9)
        assert call.finish_reason is None
        assert call.first_byte is not None
        assert "closed the connection" in call.error

    @pytest.mark.parametrize("stream", [False, True])
    def test_before_the_first_byte_too(self, serve: Serve, stream: bool) -> None:
        pause = Pause()
        backend = ScriptedBackend([pause, "Hello!"])
        house = serve(backend, retries=4)
        session = house.open()
        with closing(connect(session)) as connection:
            begin(connection, session, stream=stream)
            pause.reached()
        pause.cancelled()
        house.gateway.close(session)
        assert (len(backend.calls), len(backend.broken_off), backend.running) == (1, 1, 0)
        call = only(session)
        assert (call.status, call.fault, call.attempts, call.first_byte) == (499, CallFault.HUNG_UP, 1, None)
        assert call.usage == Usage()

    def test_while_the_strategy_asks_the_classifier(self, serve: Serve) -> None:
        pause = Pause()

        class Slow(ScriptedBackend):
            async def ask(self, question: str, call: BackendCall) -> Answer:
                await pause.hold()
                return await super().ask(question, call)

        cloud = ScriptedBackend()
        house = serve(Slow(), cloud)
        session = house.open(ScriptedStrategy(default=Ask("local or cloud?")))
        with closing(connect(session)) as connection:
            begin(connection, session)
            pause.reached()
        pause.cancelled()
        house.gateway.close(session)
        assert (only(session).purpose, only(session).fault) == ("classifier", CallFault.HUNG_UP)
        assert session.ledger.strategy_error == ""
        assert cloud.calls == []

    def test_other_calls_go_on(self, serve: Serve) -> None:
        pause = Pause()
        house = serve(ScriptedBackend(default=["Hel", pause, "lo!"]))
        session = house.open()
        with ThreadPoolExecutor() as pool:
            other = pool.submit(ask, session)
            pause.reached()
            with closing(connect(session)) as connection:
                begin(connection, session, stream=True)
                pause.reached()
            pause.cancelled()
            pause.release()
            assert other.result(15) == "Hello!"
        assert {call.fault for call in session.ledger.calls} == {None, CallFault.HUNG_UP}


class TestClosing:
    @pytest.mark.parametrize("stream", [False, True])
    def test_it_ends_what_runs_and_waits_until_that_is_recorded(self, serve: Serve, stream: bool) -> None:
        pause = Pause()
        backend = ScriptedBackend(default=["Hel", pause, "lo!"])
        house = serve(backend)
        session, other = house.open(), house.open(seed=7)
        with ThreadPoolExecutor() as pool:
            running = [pool.submit(post, session, stream=stream) for _ in range(3)]
            untouched = pool.submit(ask, other)
            pause.reached(4)
            house.gateway.close(session)
            assert (len(session.ledger.calls), len(backend.broken_off), backend.running) == (3, 3, 1)
            assert {call.fault for call in session.ledger.calls} == {CallFault.HUNG_UP}
            for future in running:
                with pytest.raises((HTTPException, ConnectionError)):
                    future.result(15)
            with pytest.raises(openai.AuthenticationError):
                ask(session)
            pause.release()
            assert untouched.result(15) == "Hello!"
        assert only(other).fault is None

    def test_it_waits_for_an_upstream_that_is_slow_to_close(self, serve: Serve) -> None:
        pause, goodbye = Pause(), Pause()

        class Slow(ScriptedBackend):
            async def complete(self, call: BackendCall) -> Completion:
                try:
                    return await super().complete(call)
                finally:
                    await goodbye.hold()

        house = serve(Slow([pause]))
        session = house.open()
        with closing(connect(session)) as connection, ThreadPoolExecutor() as pool:
            begin(connection, session)
            pause.reached()
            closed = pool.submit(house.gateway.close, session)
            goodbye.reached()
            with pytest.raises(concurrent.futures.TimeoutError):
                closed.result(0.2)
            goodbye.release()
            closed.result(15)
            assert only(session).fault is CallFault.HUNG_UP

    def test_the_upstream_is_closed_even_where_the_agent_has_stopped_reading(self, serve: Serve) -> None:
        closed_in_its_own_task: list[bool] = []

        class Watched(ScriptedBackend):
            async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
                opener = asyncio.current_task()
                async with aclosing(super().stream(call)) as events:
                    try:
                        async for event in events:
                            yield event
                    finally:  # another task would be the garbage collector's, at any later time
                        closed_in_its_own_task.append(asyncio.current_task() is opener)

        flood = StreamEvent(b" " * (48 * 1024 * 1024))  # more than the system buffers for a reader that does not read
        backend = Watched([flood, "never sent"])
        house = serve(backend)
        session = house.open()
        with closing(connect(session)) as connection:
            begin(connection, session, stream=True)
            connection.getresponse()
            house.gateway.close(session)
            assert closed_in_its_own_task == [True]
            assert (len(backend.broken_off), backend.running) == (1, 0)
        assert only(session).fault is CallFault.HUNG_UP

    def test_it_ends_a_wait_between_two_tries(self, serve: Serve) -> None:
        waits = threading.Event()

        def told(details: RetryDetails) -> None:
            waits.set()

        busy = BackendError("busy", status=429, retryable=True, retry_after=60.0)
        house = serve(ScriptedBackend(default=busy), retries=4)
        session = house.open()
        hooks = get_on_retry_hooks()
        set_on_retry_hooks([told])
        try:
            with stamina.set_testing(False), closing(connect(session)) as connection:
                begin(connection, session)
                assert waits.wait(15)
                began = time.monotonic()
                house.gateway.close(session)
                assert time.monotonic() - began < 10
        finally:
            set_on_retry_hooks(hooks)
        assert (only(session).fault, only(session).attempts) == (CallFault.HUNG_UP, 1)

    def test_a_request_that_is_still_being_sent_is_ended(self, serve: Serve) -> None:
        house = serve()
        session = house.open()
        with closing(connect(session)) as connection:
            connection.putrequest("POST", CHAT)
            connection.putheader("Authorization", f"Bearer {session.key}")
            connection.putheader("Content-Length", "1000")
            connection.endheaders(b'{"messages"')
            assert get(session, "/healthz", {})[0] == 200
            house.gateway.close(session)
        assert session.ledger.calls == []

    def test_it_may_be_closed_twice(self, serve: Serve) -> None:
        house = serve()
        session = house.open()
        ask(session)
        for _ in range(3):
            house.gateway.close(session)
        assert len(session.ledger.calls) == 1


class TestStopping:
    def test_no_thread_and_no_port_is_left(self) -> None:
        before = set(threading.enumerate())
        pause = Pause()
        local, cloud = ScriptedBackend(["Hel", pause, "lo!"]), ScriptedBackend("Hello!")
        gateway = Gateway(lambda ref, tier: {Tier.LOCAL: local, Tier.CLOUD: cloud}[tier])
        gateway.start()
        assert set(threading.enumerate()) > before
        trial, sampling = make_trial(), dict.fromkeys(Tier, make_sampling())
        idle = gateway.open(trial, ScriptedStrategy(default=Tier.CLOUD), sampling)
        busy = gateway.open(trial, ScriptedStrategy(default=Tier.LOCAL), sampling)
        with closing(connect(idle)) as kept_alive, closing(connect(busy)) as streaming:
            begin(kept_alive, idle)
            kept_alive.getresponse().read()
            begin(streaming, busy, stream=True)
            pause.reached()
            began = time.monotonic()
            gateway.stop()
            assert time.monotonic() - began < 10
        assert only(idle).fault is None
        assert only(busy).fault is CallFault.HUNG_UP
        assert (local.running, local.closed, cloud.closed) == (0, True, True)
        assert set(threading.enumerate()) == before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", httpx.URL(idle.base_url).port or 0), timeout=5)

    def test_a_backend_that_cannot_be_closed_leaves_no_thread_and_does_not_keep_others_open(self) -> None:
        class Stuck(ScriptedBackend):
            stuck = True

            async def aclose(self) -> None:
                if self.stuck:
                    raise BackendError("the connection cannot be closed")

        before = set(threading.enumerate())
        stuck, other = Stuck(), ScriptedBackend()
        gateway = Gateway(lambda ref, tier: stuck if tier is Tier.LOCAL else other)
        gateway.start()
        try:
            gateway.open(make_trial(), ScriptedStrategy(), dict.fromkeys(Tier, make_sampling()))
            with pytest.raises(BackendError, match="cannot be closed"):
                gateway.stop()
            assert set(threading.enumerate()) == before
            assert other.closed
        finally:
            if set(threading.enumerate()) != before:  # so that the other tests start from a clean house
                stuck.stuck = False
                gateway.stop()

    def test_gateways_live_side_by_side(self, serve: Serve) -> None:
        one, two = serve(ScriptedBackend(default="one")), serve(ScriptedBackend(default="two"))
        sessions = one.open(), two.open()
        assert [ask(session) for session in sessions] == ["one", "two"]
        with closing(connect(sessions[0])) as connection:
            begin(connection, sessions[1])
            assert connection.getresponse().status == 401, "a key is good for its own gateway only"


class TestWithRealBackends:
    """Agent, gateway, backend and a server that speaks the provider's protocol."""

    def test_ollama_streams_to_the_official_client(self, serve: Serve) -> None:
        with FakeOllama(Reply("Hello!", usage=Usage(prompt=31, completion=4))) as server:
            house = serve(OllamaBackend(ModelRef("ollama", "gemma"), server.base_url))
            session = house.open(seed=7, temperature=0.3)
            assert ask_stream(session) == "Hello!"
            (chat,) = server.chats
        options = chat.body["options"]
        assert (options["seed"], options["temperature"], options["num_ctx"]) == (7, 0.3, 8192)
        call = only(session)
        assert (call.model, call.usage, call.finish_reason) == ("ollama/gemma", Usage(31, 4), "stop")
        assert (call.seed, call.temperature, call.num_ctx) == (7, 0.3, 8192)

    def test_a_rate_limit_is_retried_and_the_answer_passes_byte_for_byte(self, serve: Serve) -> None:
        body = b'{"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],  "odd": 1.50}'
        with FakeOpenAI(Fault.rate_limited(), Raw([body])) as server:
            house = serve(cloud=OpenAIBackend(ModelRef("openai", "gpt"), server.base_url, "sk-test"), retries=1)
            session = house.open(ScriptedStrategy(default=Tier.CLOUD), seed=7)
            response, content = post(session)
            seeds = [chat.body["seed"] for chat in server.chats]
        assert (response.status, content) == (200, body)
        assert seeds == [7, 7]
        call = only(session)
        assert (call.attempts, call.usage, call.finish_reason) == (2, Usage(), "stop")

    def test_a_stream_that_is_cut_off_does_not_pass_for_complete(self, serve: Serve) -> None:
        with FakeOpenAI(Reply("Hello, world!", cut_after=3)) as server:
            house = serve(cloud=OpenAIBackend(ModelRef("openai", "gpt"), server.base_url, "sk-test"), retries=4)
            session = house.open(ScriptedStrategy(default=Tier.CLOUD))
            with pytest.raises(openai.APIError, match=FAILED):
                ask_stream(session)
            assert len(server.chats) == 1
        assert only(session).fault is CallFault.BACKEND
        assert "cut its answer off" in only(session).error
