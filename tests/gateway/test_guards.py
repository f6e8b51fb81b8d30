"""Guards and injected faults from end to end: what the agent gets, what the model's server sees, what is recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest
import stamina
from openai import OpenAI
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from pytest_hybrideval.backends import OllamaBackend, OpenAIBackend
from pytest_hybrideval.backends.guarded import GuardedBackend, Guards
from pytest_hybrideval.backends.injected import injected, parse_faults
from pytest_hybrideval.core.domain import AgentResult, CallFault, Cut, ErrorKind, ModelRef, Score, Tier, Usage
from pytest_hybrideval.core.protocols import Backend
from pytest_hybrideval.core.records import CallRecord
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.scoring.verdict import Left, judge
from pytest_hybrideval.testing import (
    FakeOllama,
    FakeOpenAI,
    Raw,
    Reply,
    ScriptedStrategy,
    make_sampling,
    make_trial,
)
from pytest_hybrideval.testing.fake_server import FakeServer

HELLO: Any = [{"role": "user", "content": "Say hello."}]
ENDLESS = Reply(chunks=["def f():\n    pass\n\n"] * 3000, stall_after=2500)
TIERS = {Tier.LOCAL: FakeOllama, Tier.CLOUD: FakeOpenAI}


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Retries without their back-off, and no more of them than were asked for."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def real(server: FakeServer) -> Backend:
    """The backend of a fake server."""
    if isinstance(server, FakeOllama):
        return OllamaBackend(ModelRef("ollama", "gemma"), server.base_url)
    assert isinstance(server, FakeOpenAI)
    return OpenAIBackend(ModelRef("openai", "gpt"), server.base_url, "sk-test")


Wrap = Callable[[Backend, Tier], Backend]


def guarded(guards: Guards | None = None) -> Wrap:
    return lambda backend, tier: GuardedBackend(backend, guards)


def faulty(spec: str) -> Wrap:
    """Faults outside, guards inside, as in a run."""
    return lambda backend, tier: injected(GuardedBackend(backend), tier, parse_faults(spec))


@contextmanager
def opened(server: FakeServer, wrap: Wrap, retries: int = 0, **variant: Any) -> Iterator[RouterSession]:
    """A session whose every request goes to the server."""
    tier = Tier.LOCAL if isinstance(server, FakeOllama) else Tier.CLOUD
    gateway = Gateway(lambda ref, tier: wrap(real(server), tier), retries)
    gateway.start()
    try:
        sampling = make_sampling(num_ctx=8192 if tier is Tier.LOCAL else None)
        yield gateway.open(make_trial(**variant), ScriptedStrategy(default=tier), {tier: sampling})
    finally:
        gateway.stop()


def ask(session: RouterSession, stream: bool, messages: Any = HELLO, **body: Any) -> tuple[str, str | None]:
    """Text and finish_reason, as the client that agents use reads them."""
    http = httpx.Client(trust_env=False)
    with OpenAI(base_url=session.base_url, api_key=session.key, timeout=20, http_client=http) as sdk:
        answer: Any = sdk.chat.completions.create(model="hybrid", messages=messages, stream=stream, **body)
        if not stream:
            return answer.choices[0].message.content, answer.choices[0].finish_reason
        choices = [chunk.choices[0] for chunk in answer if chunk.choices]
    return "".join(choice.delta.content or "" for choice in choices), choices[-1].finish_reason


def only(session: RouterSession) -> CallRecord:
    (call,) = session.ledger.calls
    return call


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


@pytest.mark.parametrize("tier", Tier)
class TestRepetition:
    def test_a_loop_is_cut_and_the_model_is_stopped(self, tier: Tier) -> None:
        async def scenario() -> None:
            async with TIERS[tier](ENDLESS) as server:
                with opened(server, guarded(), retries=4) as session:
                    text, finish = await asyncio.to_thread(ask, session, True)
                    assert await server.client_gone() == server.chat_path
                    assert len(server.chats) == 1
            assert finish == "length"
            assert "".join(ENDLESS.pieces).startswith(text)
            assert 6000 <= len(text) < 7000
            call = only(session)
            assert (call.cut, call.finish_reason, call.usage) == (Cut.REPETITION, "length", Usage())
            assert (call.status, call.fault, call.error, call.attempts) == (200, None, "", 1)

        run(scenario())

    def test_a_whole_answer_is_cut_at_the_same_place(self, tier: Tier) -> None:
        async def scenario() -> None:
            reply = Reply(chunks=ENDLESS.pieces, usage=Usage(20, 9000))
            async with TIERS[tier](reply) as server:
                with opened(server, guarded()) as session:
                    text, finish = await asyncio.to_thread(ask, session, False)
            assert finish == "length"
            assert 5700 <= len(text) < 7000
            assert (only(session).cut, only(session).usage) == (Cut.REPETITION, Usage(20, 9000))

        run(scenario())

    def test_an_agent_that_wants_usage_gets_none_of_a_cut_answer(self, tier: Tier) -> None:
        async def scenario() -> None:
            async with TIERS[tier](ENDLESS) as server:
                with opened(server, guarded()) as session:
                    more = {"stream_options": {"include_usage": True}}
                    _, finish = await asyncio.to_thread(ask, session, True, HELLO, **more)
            assert finish == "length"

        run(scenario())

    def test_ordinary_answers_pass(self, tier: Tier) -> None:
        text = "def f():\n    return {}\n\n" + "    0, 0, 0, 0,\n" * 200

        async def scenario() -> None:
            async with TIERS[tier](default=Reply(text, usage=Usage(20, 900))) as server:
                with opened(server, guarded(Guards(seconds=30))) as session:
                    for stream in (True, False):
                        assert await asyncio.to_thread(ask, session, stream) == (text, "stop")
            for call in session.ledger.calls:
                assert (call.cut, call.truncated_prompt, call.usage) == (None, False, Usage(20, 900))

        run(scenario())


def thinking_in_circles() -> Raw:
    """A stream of OpenAI's that says nothing but the same thought."""
    choice = {"index": 0, "delta": {"reasoning_content": "Wait. Let me think about it again.\n"}}
    event = b"data: " + json.dumps({"id": "x", "choices": [choice]}).encode() + b"\n\n"
    return Raw([event] * 3000, content_type="text/event-stream")


def test_thinking_in_circles_is_cut() -> None:
    async def scenario() -> None:
        async with FakeOpenAI(thinking_in_circles()) as server:
            with opened(server, guarded()) as session:
                assert await asyncio.to_thread(ask, session, True) == ("", "length")
        assert only(session).cut is Cut.REPETITION

    run(scenario())


class TestWhatOllamaGivesUp:
    """Ollama ends an answer at the 32nd equal piece, without its final object."""

    @pytest.mark.parametrize("stream", [True, False])
    def test_it_counts_as_cut(self, stream: bool) -> None:
        chunks = ["Fine.", *[" the"] * 31]

        async def scenario() -> None:
            async with FakeOllama(Reply(chunks=chunks, end_marker=False)) as server:
                with opened(server, guarded(), retries=4) as session:
                    assert await asyncio.to_thread(ask, session, stream) == ("".join(chunks), "length")
                assert len(server.chats) == 1
            call = only(session)
            assert (call.cut, call.fault, call.usage) == (Cut.REPETITION, None, Usage())

        run(scenario())

    @pytest.mark.parametrize("stream", [True, False])
    @pytest.mark.parametrize("chunks", [["Fine."], ["Fine.", *[" the"] * 10], [*[" the"] * 31, " end"]])
    def test_another_answer_without_its_end_is_broken(self, stream: bool, chunks: list[str]) -> None:
        async def scenario() -> None:
            async with FakeOllama(Reply(chunks=chunks, end_marker=False)) as server:
                with (
                    opened(server, guarded()) as session,
                    pytest.raises(openai.APIError, match="the model behind the gateway failed"),
                ):
                    await asyncio.to_thread(ask, session, stream)
            assert "its final object" in only(session).error
            assert (only(session).cut, only(session).fault) == (None, CallFault.BACKEND)

        run(scenario())


@pytest.mark.parametrize("tier", Tier)
class TestTime:
    @pytest.mark.parametrize(("stream", "stalls"), [(True, 3), (True, 0), (False, 0)])
    def test_an_answer_that_takes_too_long_is_cut(self, tier: Tier, stream: bool, stalls: int) -> None:
        async def scenario() -> None:
            async with TIERS[tier](Reply("Hello, world!", stall_after=stalls)) as server:
                with opened(server, guarded(Guards(seconds=0.3)), retries=4) as session:
                    text, finish = await asyncio.to_thread(ask, session, stream)
                    assert await server.client_gone() == server.chat_path
                    assert len(server.chats) == 1
            assert finish == "length"
            assert "Hello, world!".startswith(text)
            assert bool(text) == bool(stalls)
            call = only(session)
            assert (call.cut, call.status, call.fault, call.usage) == (Cut.TOO_LONG, 200, None, Usage())
            assert 0.3 <= call.seconds < 5

        run(scenario())

    def test_a_trial_that_ends_meanwhile_ends_the_call(self, tier: Tier) -> None:
        async def scenario() -> None:
            async with TIERS[tier](Reply("Hello, world!", stall_after=3)) as server:
                with opened(server, guarded(Guards(seconds=60))) as session:
                    asking = asyncio.create_task(asyncio.to_thread(ask, session, True))
                    while not server.chats:
                        await asyncio.sleep(0.01)
                    await asyncio.sleep(0.1)
                assert await server.client_gone() == server.chat_path
                with pytest.raises((openai.APIError, httpx.HTTPError)):
                    await asking
            assert (only(session).fault, only(session).cut) == (CallFault.HUNG_UP, None)

        run(scenario())


class TestPrompts:
    LONG: Any = ({"role": "user", "content": "one word " * 5000},)

    @pytest.mark.parametrize(
        ("read", "version", "told"),
        [(8192, "0.33.0", True), (2000, "0.12.3", True), (2000, "0.30.0", False), (None, "0.33.0", False)],
    )
    @pytest.mark.parametrize("stream", [True, False])
    def test_a_prompt_that_was_not_read_is_recorded(
        self, read: int | None, version: str, told: bool, stream: bool
    ) -> None:
        async def scenario() -> None:
            reply = Reply("Hi", usage=Usage(read, 2))
            async with FakeOllama(reply, models=["gemma"], version=version) as server:
                with opened(server, guarded()) as session:
                    assert await asyncio.to_thread(ask, session, stream, list(self.LONG)) == ("Hi", "stop")
            call = only(session)
            assert (call.truncated_prompt, call.usage.prompt, call.num_ctx) == (told, read, 8192)

        run(scenario())

    def test_a_short_prompt_is_asked_nothing_more(self) -> None:
        async def scenario() -> None:
            async with FakeOllama() as server:
                with opened(server, guarded()) as session:
                    await asyncio.to_thread(ask, session, True)
                assert [request.path for request in server.requests] == ["/api/chat"]
            assert not only(session).truncated_prompt

        run(scenario())


@pytest.mark.parametrize("tier", Tier)
class TestInjected:
    def attempts(self, tier: Tier, spec: str, calls: int, **variant: Any) -> tuple[list[int], int]:
        """How often each of some calls was tried, and how many requests reached the server."""
        found: list[int] = []

        async def scenario() -> None:
            async with TIERS[tier]() as server:
                with opened(server, faulty(spec), retries=20, **variant) as session:
                    for number in range(calls):
                        assert await asyncio.to_thread(ask, session, number % 2 == 0) == ("Hello!", "stop")
                found.extend(call.attempts for call in session.ledger.calls)
                found.append(len(server.chats))

        run(scenario())
        return found[:-1], found[-1]

    def test_429_is_tried_again_and_the_answer_comes(self, tier: Tier) -> None:
        attempts, requests = self.attempts(tier, f"{tier.value}:429=0.5", 30)
        assert requests == 30
        assert 45 <= sum(attempts) <= 90

    def test_the_same_run_is_the_same_and_another_seed_is_not(self, tier: Tier) -> None:
        spec = f"{tier.value}:429=0.3,{tier.value}:503=0.2"
        first, again, other = (self.attempts(tier, spec, 12, seed=seed)[0] for seed in (42, 42, 7))
        assert first == again
        assert first != other

    def test_429_is_waited_for_as_it_says(self, tier: Tier) -> None:
        waits: list[float] = []

        def told(details: RetryDetails) -> None:
            waits.append(details.wait_for)

        async def scenario() -> None:
            async with TIERS[tier]() as server:
                spec, refused = f"{tier.value}:429=1", pytest.raises(openai.BadRequestError)
                with stamina.set_testing(False), opened(server, faulty(spec), retries=1) as session, refused:
                    await asyncio.to_thread(ask, session, True)
                assert not server.chats
            assert (only(session).status, only(session).attempts) == (429, 2)
            assert "429: injected" in only(session).error

        hooks = get_on_retry_hooks()
        set_on_retry_hooks([told])
        try:
            run(scenario())
        finally:
            set_on_retry_hooks(hooks)
        assert waits == [1.0]

    @pytest.mark.parametrize("stream", [True, False])
    def test_down_ends_as_an_error_of_the_backend(self, tier: Tier, stream: bool) -> None:
        async def scenario() -> None:
            async with TIERS[tier]() as server:
                spec, refused = f"{tier.value}:down", pytest.raises(openai.BadRequestError)
                with opened(server, faulty(spec), retries=2) as session, refused:
                    await asyncio.to_thread(ask, session, stream)
                assert not server.requests
            call = only(session)
            assert (call.fault, call.status, call.attempts) == (CallFault.BACKEND, 502, 3)
            assert "refused the conn" in call.error
            score = Score(False, 1, {"test_a": "failed"}, expected=1, seconds=0.1)
            found = judge(session.ledger, AgentResult(0, 1.0), Left(edited=False), score)
            assert (found.error_kind, found.detail) == (ErrorKind.BACKEND, call.error)

        run(scenario())

    def test_a_cut_stream_is_no_answer_and_stops_the_model(self, tier: Tier) -> None:
        reply = Reply("x" * 4000, gap=0.01)

        async def scenario() -> None:
            async with TIERS[tier](reply) as server:
                with opened(server, faulty(f"{tier.value}:cut=1"), retries=2) as session:
                    with pytest.raises(openai.APIError, match="the model behind the gateway failed"):
                        await asyncio.to_thread(ask, session, True)
                    assert await server.client_gone() == server.chat_path
            assert (only(session).fault, only(session).attempts) == (CallFault.BACKEND, 1)
            assert "cut its answer off" in only(session).error
            assert only(session).cut is None

        run(scenario())

    @pytest.mark.parametrize("stream", [True, False])
    def test_an_empty_answer_is_one(self, tier: Tier, stream: bool) -> None:
        async def scenario() -> None:
            async with TIERS[tier]() as server:
                with opened(server, faulty(f"{tier.value}:empty=1")) as session:
                    assert await asyncio.to_thread(ask, session, stream) == ("", "stop")
                assert not server.requests
            call = only(session)
            assert (call.fault, call.finish_reason, call.usage) == (None, "stop", Usage(0, 0, 0, 0))

        run(scenario())

    def test_the_preflight_asks_the_server_itself(self, tier: Tier) -> None:
        async def scenario() -> None:
            async with TIERS[tier](models=["gemma", "gpt"]) as server:
                gateway = Gateway(lambda ref, tier: faulty(f"{tier.value}:down")(real(server), tier))
                gateway.start()
                try:
                    info = await asyncio.to_thread(gateway.describe, ModelRef("any", "model"), tier)
                finally:
                    gateway.stop()
            assert info.model in ("ollama/gemma", "openai/gpt")
            assert server.requests

        run(scenario())
