"""The backend for OpenAI-compatible servers, against a server that speaks the protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, TypeVar

import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_hybrideval.backends import OpenAIBackend, Timeouts, openai_backend
from pytest_hybrideval.backends.address import openai_address, proxy_for
from pytest_hybrideval.backends.faults import Peer, Secret, answer_fault, retry_after
from pytest_hybrideval.backends.openai_stream import AnswerReader
from pytest_hybrideval.core.domain import Answer, Completion, ModelInfo, ModelRef, StreamEvent, Tier, Usage
from pytest_hybrideval.core.errors import (
    BackendError,
    BackendUnavailable,
    ConfigurationError,
    ContextOverflow,
    RequestRefused,
    StreamBroken,
)
from pytest_hybrideval.core.protocols import BackendCall
from pytest_hybrideval.testing import FakeOpenAI, Fault, Raw, Reply, ToolCall, make_backend_call, refused_url

T = TypeVar("T")
REF = ModelRef("openai", "test-model")
KEY = "sk-test-0123456789"
PEER = Peer("the server", "test-model", "start it", "check it", Secret("OPENAI_API_KEY", KEY))


def on(server: FakeOpenAI, action: Callable[[OpenAIBackend], Awaitable[T]], ref: ModelRef = REF, **options: Any) -> T:
    """What `action` gives with a backend of `server`; both are gone afterwards."""

    async def scenario() -> T:
        async with server:
            backend = OpenAIBackend(ref, server.base_url, KEY, **options)
            try:
                return await action(backend)
            finally:
                await backend.aclose()

    return asyncio.run(asyncio.wait_for(scenario(), 30))


def complete(server: FakeOpenAI, call: BackendCall | None = None, **options: Any) -> Completion:
    return on(server, lambda backend: backend.complete(call or make_backend_call()), **options)


def stream(server: FakeOpenAI, call: BackendCall | None = None, **options: Any) -> list[StreamEvent]:
    async def collect(backend: OpenAIBackend) -> list[StreamEvent]:
        return [event async for event in backend.stream(call or make_backend_call(stream=True))]

    return on(server, collect, **options)


def describe(server: FakeOpenAI, ref: ModelRef = REF) -> ModelInfo:
    return on(server, lambda backend: backend.describe(), ref)


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events)


def event(data: Any) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def chunk(content: str | None, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}


class TestWhatIsSent:
    def test_the_trials_settings_reach_the_server(self) -> None:
        server = FakeOpenAI()
        complete(server, make_backend_call(seed=7, temperature=0.5, max_tokens=100))
        body = server.requests[0].body
        assert body["model"] == "test-model"
        assert body["seed"] == 7
        assert body["temperature"] == 0.5
        assert body["max_tokens"] == 100
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"

    def test_everything_else_passes_unchanged(self) -> None:
        server = FakeOpenAI()
        complete(
            server,
            make_backend_call(tools=[{"type": "function"}], reasoning_effort="low", vendor_field={"a": [1, None]}),
        )
        body = server.requests[0].body
        assert body["messages"] == [{"role": "user", "content": "Say hello."}]
        assert body["temperature"] == 0
        assert (body["tools"], body["reasoning_effort"]) == ([{"type": "function"}], "low")
        assert body["vendor_field"] == {"a": [1, None]}
        assert "max_tokens" not in body
        assert "max_completion_tokens" not in body

    def test_a_temperature_of_none_is_left_out(self) -> None:
        server = FakeOpenAI()
        complete(server, make_backend_call(temperature=None))
        assert "temperature" not in server.requests[0].body

    @pytest.mark.parametrize(
        ("asked", "ours", "sent"),
        [
            ({"max_tokens": 500}, 100, {"max_tokens": 100}),
            ({"max_tokens": 50}, 100, {"max_tokens": 50}),
            ({"max_completion_tokens": 500}, 100, {"max_completion_tokens": 100}),
            ({"max_tokens": 500}, None, {"max_tokens": 500}),
            ({"max_tokens": None}, 100, {"max_tokens": 100}),
            ({"max_completion_tokens": 80, "max_tokens": 500}, 100, {"max_completion_tokens": 80, "max_tokens": 80}),
        ],
    )
    def test_the_smaller_token_limit_goes_out_under_the_agents_own_key(
        self, asked: dict[str, Any], ours: int | None, sent: dict[str, Any]
    ) -> None:
        server = FakeOpenAI()
        complete(server, make_backend_call(asked, max_tokens=ours))
        assert {key: value for key, value in server.requests[0].body.items() if key.startswith("max_")} == sent

    @pytest.mark.parametrize("name", ["gpt-5.5", "o1", "o3-mini", "o4-mini", "openai/gpt-5"])
    def test_reasoning_models_get_no_temperature_of_the_agents_and_their_own_limit_key(self, name: str) -> None:
        server, ref = FakeOpenAI(), ModelRef("openai", name)
        call = make_backend_call(max_tokens=100)
        on(server, lambda backend: backend.complete(call), ref)
        body = server.requests[0].body
        assert "temperature" not in body
        assert body["max_completion_tokens"] == 100
        assert OpenAIBackend(ref, "http://127.0.0.1", None).effective_temperature(call) is None

    def test_reasoning_models_get_a_temperature_that_the_user_set(self) -> None:
        server, ref = FakeOpenAI(), ModelRef("openai", "gpt-5.5")
        call = make_backend_call(temperature=1.0)
        on(server, lambda backend: backend.complete(call), ref)
        assert server.requests[0].body["temperature"] == 1.0
        assert OpenAIBackend(ref, "http://127.0.0.1", None).effective_temperature(call) == 1.0

    def test_usage_is_always_asked_of_a_stream(self) -> None:
        server = FakeOpenAI()
        stream(server, make_backend_call(stream=True, stream_options={"include_obfuscation": False}))
        body = server.requests[0].body
        assert body["stream"] is True
        assert body["stream_options"] == {"include_obfuscation": False, "include_usage": True}

    def test_a_whole_answer_to_an_agent_that_streams_is_asked_without_stream_options(self) -> None:
        server = FakeOpenAI()
        complete(server, make_backend_call(stream=True, stream_options={"include_usage": True}))
        assert server.requests[0].body["stream"] is False
        assert "stream_options" not in server.requests[0].body

    def test_stream_options_of_another_type_are_refused_by_name(self) -> None:
        with pytest.raises(RequestRefused, match="stream_options"):
            stream(FakeOpenAI(), make_backend_call(stream=True, stream_options="yes"))

    def test_without_a_key_no_authorization_is_sent(self) -> None:
        async def scenario() -> None:
            backend = OpenAIBackend(REF, server.base_url, None)
            await backend.complete(make_backend_call())
            await backend.describe()
            await backend.aclose()

        with FakeOpenAI() as server:
            asyncio.run(scenario())
        assert all("authorization" not in request.headers for request in server.requests)


class TestWholeAnswers:
    def test_the_body_comes_back_byte_for_byte(self) -> None:
        raw = b'{ "choices": [ {"message": {"content": "h\\u00e9", "x": 1.0}, "finish_reason": "stop"} ],"timings":{} }'
        answer = complete(FakeOpenAI(Raw([raw[:30], raw[30:]])))
        assert answer.body == raw
        assert (answer.text, answer.finish_reason, answer.usage) == ("hé", "stop", Usage())

    def test_usage_with_cached_and_reasoning_tokens(self) -> None:
        usage = Usage(prompt=100, completion=50, cached=80, reasoning=20)
        answer = complete(FakeOpenAI(Reply("Hi", usage=usage, fingerprint="fp_1")))
        assert (answer.text, answer.usage, answer.fingerprint) == ("Hi", usage, "fp_1")

    def test_missing_usage_is_unknown_and_not_zero(self) -> None:
        assert complete(FakeOpenAI(Reply(usage=None))).usage == Usage(None, None, None, None)

    def test_tool_calls_pass_with_no_text(self) -> None:
        answer = complete(FakeOpenAI(Reply(tool_calls=[ToolCall("edit", {"path": "a.py"})])))
        message = orjson.loads(answer.body)["choices"][0]["message"]
        assert (answer.text, answer.finish_reason) == ("", "tool_calls")
        assert message["tool_calls"][0]["function"] == {"name": "edit", "arguments": '{"path":"a.py"}'}

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"[]", b'{"choices": []}', b'{"object": "list"}', b'{"choices": null}']
    )
    def test_an_answer_that_is_none_is_an_error(self, body: bytes) -> None:
        with pytest.raises(BackendError) as caught:
            complete(FakeOpenAI(Raw([body])))
        assert not caught.value.retryable

    def test_an_error_under_status_200_is_an_error(self) -> None:
        with pytest.raises(BackendError, match="the model crashed") as caught:
            complete(FakeOpenAI(Reply(error_after=0)))
        assert caught.value.retryable

    def test_a_body_cut_in_the_middle_is_an_error_that_may_pass(self) -> None:
        with pytest.raises(StreamBroken) as caught:
            complete(FakeOpenAI(Reply("a long answer" * 100, cut_after=0)))
        assert caught.value.retryable


class TestStreams:
    def test_text_finish_and_usage(self) -> None:
        events = stream(FakeOpenAI(Reply("Hello, wörld", fingerprint="fp_2")))
        assert text_of(events) == "Hello, wörld"
        assert (events[-1].finish_reason, events[-1].usage) == ("stop", Usage(prompt=11, completion=7))
        assert events[0].fingerprint == "fp_2"

    def test_the_usage_chunk_is_hidden_from_an_agent_that_did_not_ask(self) -> None:
        events = stream(FakeOpenAI(Reply("Hi")))
        assert events[-1].data is None
        assert all(orjson.loads(e.data)["choices"] for e in events if e.data is not None)

    def test_the_usage_chunk_passes_to_an_agent_that_asked(self) -> None:
        call = make_backend_call(stream=True, stream_options={"include_usage": True})
        last = stream(FakeOpenAI(Reply("Hi")), call)[-1]
        assert last.data is not None
        assert orjson.loads(last.data)["usage"]["prompt_tokens"] == 11
        assert last.usage == Usage(prompt=11, completion=7)

    def test_a_stream_without_usage_ends_with_unknown_usage(self) -> None:
        last = stream(FakeOpenAI(Reply("Hi", usage=None)))[-1]
        assert (last.data, last.finish_reason, last.usage) == (None, "stop", Usage())

    def test_usage_beside_the_last_choice_is_seen(self) -> None:
        final = {**chunk(None, "stop"), "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
        events = stream(FakeOpenAI(Raw([event(final), b"data: [DONE]\n\n"], content_type="text/event-stream")))
        assert [(e.data, e.usage) for e in events] == [(orjson.dumps(final), Usage(prompt=3, completion=2))]

    def test_payloads_pass_byte_for_byte_with_what_we_do_not_know(self) -> None:
        odd = b'{"choices":[{"index":0,"delta":{"reasoning":"hm","content":null}}],  "provider": "x"}'
        pieces = [
            b": PING\r\n\r\n",
            b"event: message\r\ndata:" + odd + b"\r\n\r\n",
            event(chunk("", "stop")),
            b"data: [DONE]\n\n",
        ]
        events = stream(FakeOpenAI(Raw(pieces, content_type="text/event-stream")))
        assert events[0].data == odd
        assert text_of(events) == ""

    def test_reasoning_content_passes_and_is_no_text(self) -> None:
        events = stream(FakeOpenAI(Reply("Hi", thinking="Let me see.")))
        assert text_of(events) == "Hi"
        assert any(b'"reasoning_content":"Let me see."' in (e.data or b"") for e in events)

    def test_tool_calls_pass(self) -> None:
        events = stream(FakeOpenAI(Reply(tool_calls=[ToolCall("edit", {"path": "a.py"})])))
        assert events[-1].finish_reason == "tool_calls"
        assert any(b'"name":"edit"' in (e.data or b"") for e in events)

    def test_half_a_character_in_an_escape_breaks_nothing(self) -> None:
        half = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n'
        raw = Raw([half, event(chunk("", "stop")), b"data: [DONE]\n\n"], content_type="text/event-stream")
        assert stream(FakeOpenAI(raw))[0].data == half[6:-2]

    def test_events_come_as_they_are_sent(self) -> None:
        async def first_two(backend: OpenAIBackend) -> list[str]:
            events = backend.stream(make_backend_call(stream=True))
            texts = [(await events.__anext__()).text for _ in range(2)]
            await events.aclose()
            assert await server.client_gone() == "/v1/chat/completions"
            return texts

        server = FakeOpenAI(Reply(chunks=["Hel", "lo"], stall_after=2))
        assert on(server, first_two) == ["", "Hel"]

    def test_a_server_may_end_without_the_last_blank_line(self) -> None:
        raw = Raw([event(chunk("Hi", "stop")), b"data: [DONE]"], content_type="text/event-stream")
        assert text_of(stream(FakeOpenAI(raw))) == "Hi"


class TestBrokenStreams:
    @pytest.mark.parametrize(
        "behaviour",
        [
            Reply("Hello", cut_after=2),
            Reply("Hello", end_marker=False),
            Raw([event(chunk("Hi", "stop"))], content_type="text/event-stream"),
            Raw([event(chunk("Hi")), b"data: [DONE]\n\n"], content_type="text/event-stream"),
            Raw([event(chunk("Hi"))[:-9]], content_type="text/event-stream"),
            Raw([b"data: [1]\n\n"], content_type="text/event-stream"),
            Raw([b""], content_type="text/event-stream"),
        ],
        ids=["cut", "no-end", "no-done", "no-finish", "half-an-event", "no-object", "empty"],
    )
    def test_an_answer_without_its_end_is_broken(self, behaviour: Reply | Raw) -> None:
        with pytest.raises(StreamBroken):
            stream(FakeOpenAI(behaviour))

    def test_what_came_before_the_break_is_still_given(self) -> None:
        texts: list[str] = []

        async def collect(backend: OpenAIBackend) -> None:
            async for seen in backend.stream(make_backend_call(stream=True)):
                texts.append(seen.text)

        with pytest.raises(StreamBroken):
            on(FakeOpenAI(Reply(chunks=["Hel", "lo"], end_marker=False)), collect)
        assert "".join(texts) == "Hello"

    def test_an_error_in_mid_stream(self) -> None:
        with pytest.raises(BackendError, match="the model crashed") as caught:
            stream(FakeOpenAI(Reply("Hello", error_after=2)))
        assert caught.value.retryable

    def test_an_error_instead_of_a_stream(self) -> None:
        with pytest.raises(BackendError, match="no such thing") as caught:
            stream(FakeOpenAI(Raw([b'{"error": {"message": "no such thing", "code": 400}}'])))
        assert not caught.value.retryable

    def test_a_whole_answer_instead_of_a_stream(self) -> None:
        with pytest.raises(BackendError, match="whole body"):
            stream(FakeOpenAI(Raw([orjson.dumps(chunk("Hi", "stop"))])))

    @pytest.mark.parametrize(
        ("error", "retryable"),
        [
            ({"message": "m", "code": 429}, True),
            ({"message": "m", "code": "502"}, True),
            ({"message": "m", "type": "overloaded_error"}, True),
            ({"message": "m", "type": "server_error"}, True),
            ({"message": "m", "code": "rate_limit_exceeded"}, True),
            ({"message": "m", "type": "invalid_request_error"}, False),
            ("plain text", False),
        ],
    )
    def test_whether_an_error_object_may_pass(self, error: Any, retryable: bool) -> None:
        assert answer_fault(PEER, {"error": error}).retryable is retryable

    def test_a_context_error_in_mid_stream_is_an_overflow(self) -> None:
        raw = event({"error": {"message": "too long", "code": "context_length_exceeded"}})
        with pytest.raises(ContextOverflow):
            stream(FakeOpenAI(Raw([raw], content_type="text/event-stream")))


@pytest.mark.parametrize("streamed", [False, True])
class TestRefusals:
    def refusal(self, fault: Fault, streamed: bool) -> BackendError:
        with pytest.raises(BackendError) as caught:
            stream(FakeOpenAI(fault)) if streamed else complete(FakeOpenAI(fault))
        return caught.value

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_is_named_but_not_shown(self, status: int, streamed: bool) -> None:
        error = self.refusal(Fault(status, "unauthorized", f"Bad key {KEY}"), streamed)
        assert isinstance(error, BackendUnavailable)
        assert "OPENAI_API_KEY" in str(error)
        assert KEY not in str(error)
        assert not error.retryable

    def test_a_missing_model_is_named_with_the_address(self, streamed: bool) -> None:
        error = self.refusal(Fault.model_missing(), streamed)
        assert isinstance(error, BackendUnavailable)
        assert "test-model" in str(error)
        assert "http://127.0.0.1" in str(error)
        assert not error.retryable

    def test_a_context_overflow(self, streamed: bool) -> None:
        assert isinstance(self.refusal(Fault.context_overflow(), streamed), ContextOverflow)

    def test_a_context_overflow_told_in_words_alone(self, streamed: bool) -> None:
        fault = Fault.bad_request("This model's maximum context length is 512 tokens")
        assert isinstance(self.refusal(fault, streamed), ContextOverflow)

    def test_a_bad_request_stays_bad(self, streamed: bool) -> None:
        error = self.refusal(Fault.bad_request("unknown field 'x'"), streamed)
        assert type(error) is BackendError
        assert "unknown field 'x'" in str(error)
        assert (error.status, error.retryable) == (400, False)

    def test_too_many_requests(self, streamed: bool) -> None:
        error = self.refusal(Fault.rate_limited("7"), streamed)
        assert (error.status, error.retryable, error.retry_after) == (429, True, 7.0)

    @pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 529])
    def test_what_may_pass(self, status: int, streamed: bool) -> None:
        error = self.refusal(Fault.server_error(status), streamed)
        assert (error.status, error.retryable, error.retry_after) == (status, True, None)

    def test_an_empty_account_is_not_worth_waiting_for(self, streamed: bool) -> None:
        raw = Raw([b'{"error": {"message": "no money", "code": "insufficient_quota"}}'], status=429)
        with pytest.raises(BackendError, match="quota") as caught:
            stream(FakeOpenAI(raw)) if streamed else complete(FakeOpenAI(raw))
        assert not caught.value.retryable

    def test_a_redirect_is_not_followed(self, streamed: bool) -> None:
        error = self.refusal(Fault(307, "server_error", headers={"Location": "http://127.0.0.1:9/"}), streamed)
        assert "redirects" in str(error)


class TestConnections:
    def test_a_refused_connection_says_how_to_mend_it(self) -> None:
        async def scenario(url: str) -> list[BackendError]:
            backend = OpenAIBackend(REF, f"{url}/v1", KEY)
            errors: list[BackendError] = []
            for action in (
                backend.complete(make_backend_call()),
                backend.describe(),
                backend.ask("?", make_backend_call()),
            ):
                with pytest.raises(BackendUnavailable) as caught:
                    await action
                errors.append(caught.value)
            await backend.aclose()
            return errors

        with refused_url() as url:
            for error in asyncio.run(scenario(url)):
                assert error.retryable
                assert f"{url}/v1 refused the connection; start the server" in str(error)

    def test_a_name_that_is_not_found(self) -> None:
        async def scenario() -> None:
            backend = OpenAIBackend(REF, "http://no-such-host.invalid/v1", KEY)
            with pytest.raises(BackendUnavailable, match="cannot be reached") as caught:
                await backend.complete(make_backend_call())
            assert caught.value.retryable
            await backend.aclose()

        asyncio.run(scenario())

    @pytest.mark.parametrize("stalls", [0, 2])
    def test_a_silent_server_is_given_up(self, stalls: int) -> None:
        with pytest.raises(BackendError, match=r"sent nothing for 0\.05 s") as caught:
            stream(FakeOpenAI(Reply("Hello", stall_after=stalls)), timeouts=Timeouts(read=0.05))
        assert caught.value.retryable

    def test_a_backend_can_be_closed_twice_and_used_again(self) -> None:
        async def scenario(backend: OpenAIBackend) -> str:
            await backend.aclose()
            first = await backend.complete(make_backend_call())
            await backend.aclose()
            await backend.aclose()
            second = await backend.complete(make_backend_call())
            return first.text + second.text

        assert on(FakeOpenAI(Reply("a"), Reply("b")), scenario) == "ab"

    def test_connections_are_used_again(self) -> None:
        async def scenario(backend: OpenAIBackend) -> None:
            for _ in range(3):
                _ = [seen async for seen in backend.stream(make_backend_call(stream=True))]

        server = FakeOpenAI()
        on(server, scenario)
        assert len({request.client_port for request in server.requests}) == 1


class TestDescribe:
    def test_the_model_is_asked_for_by_name(self) -> None:
        server = FakeOpenAI(models=["test-model"], api_key=KEY, model_facts={"max_model_len": 4096})
        assert describe(server) == ModelInfo("openai/test-model", context_length=4096)
        assert server.requests[0].path == "/v1/models/test-model"

    def test_a_server_without_models_gives_unknowns(self) -> None:
        assert describe(FakeOpenAI(lists_models=False, retrieves_models=False)) == ModelInfo("openai/test-model")

    def test_the_model_is_found_in_a_list(self) -> None:
        server = FakeOpenAI(models=["a", "test-model"], retrieves_models=False, model_facts={"context_length": 512})
        assert describe(server) == ModelInfo("openai/test-model", context_length=512)

    @pytest.mark.parametrize("models", [[], ["weights.gguf"]])
    def test_a_server_of_one_model_serves_it_under_any_name(self, models: list[str]) -> None:
        assert describe(FakeOpenAI(models=models, retrieves_models=False)) == ModelInfo("openai/test-model")

    def test_a_list_of_several_models_without_ours_is_a_refusal(self) -> None:
        with pytest.raises(BackendUnavailable, match="does not list 'test-model'; it lists a, b"):
            describe(FakeOpenAI(models=["b", "a"], retrieves_models=False))

    def test_a_missing_model_is_unavailable(self) -> None:
        with pytest.raises(BackendUnavailable, match="'test-model'"):
            describe(FakeOpenAI(models=["another"]))

    def test_a_refused_key_raises(self) -> None:
        with pytest.raises(BackendUnavailable, match="OPENAI_API_KEY"):
            describe(FakeOpenAI(api_key="another"))


class TestAsk:
    def ask(self, server: FakeOpenAI, ref: ModelRef = REF) -> Answer:
        return on(server, lambda backend: backend.ask("Hard?", make_backend_call(seed=7, max_tokens=20)), ref)

    def test_a_question_is_asked_at_temperature_0_with_the_trials_seed(self) -> None:
        server = FakeOpenAI(Reply("yes"))
        assert self.ask(server) == Answer("yes", Usage(prompt=11, completion=7))
        body = server.requests[0].body
        assert body["messages"] == [{"role": "user", "content": "Hard?"}]
        assert (body["model"], body["temperature"], body["seed"], body["max_tokens"]) == ("test-model", 0, 7, 20)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"

    def test_a_reasoning_model_is_asked_without_temperature(self) -> None:
        server = FakeOpenAI()
        self.ask(server, ModelRef("openai", "o3"))
        body = server.requests[0].body
        assert "temperature" not in body
        assert body["max_completion_tokens"] == 20

    @pytest.mark.parametrize(
        ("behaviour", "kind", "retryable"),
        [
            (Fault.unauthorized(), BackendUnavailable, False),
            (Fault.model_missing(), BackendUnavailable, False),
            (Fault.context_overflow(), ContextOverflow, False),
            (Fault.rate_limited(), BackendError, True),
            (Fault.server_error(), BackendError, True),
            (Reply(error_after=0), BackendError, True),
            (Reply(cut_after=0), BackendError, True),
            (Raw([b"{}"]), BackendError, False),
        ],
    )
    def test_it_fails_as_other_calls_do(self, behaviour: Any, kind: type[BackendError], retryable: bool) -> None:
        server = FakeOpenAI(behaviour)
        with pytest.raises(kind) as caught:
            self.ask(server)
        assert caught.value.retryable is retryable
        assert len(server.requests) == 1, "nothing may retry below the gateway"

    def test_it_is_given_up_after_its_time(self) -> None:
        with pytest.raises(BackendError, match="sent nothing") as caught:
            on(
                FakeOpenAI(Reply(stall_after=0)),
                lambda backend: backend.ask("?", make_backend_call()),
                timeouts=Timeouts(question=0.05),
            )
        assert caught.value.retryable

    def test_the_clients_own_environment_is_not_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-process")
        server = FakeOpenAI()
        self.ask(server)
        headers = {name.lower(): value for name, value in server.requests[0].headers.items()}
        assert headers["authorization"] == f"Bearer {KEY}"
        assert "openai-organization" not in headers


class TestFactory:
    def test_openai_itself_needs_a_key(self) -> None:
        with pytest.raises(ConfigurationError, match=r"OPENAI_API_KEY.*HYBRIDEVAL_CLOUD_API_KEY"):
            openai_backend(REF, Tier.CLOUD, {"OPENAI_API_KEY": " "}, None)

    def test_the_default_is_openai(self) -> None:
        assert "https://api.openai.com/v1" in repr(openai_backend(REF, Tier.CLOUD, {"OPENAI_API_KEY": KEY}, None))

    def test_the_argument_wins_over_the_environment(self) -> None:
        backend = openai_backend(REF, Tier.LOCAL, {"OPENAI_BASE_URL": "http://a/v1"}, "http://b/v1/")
        assert "http://b/v1)" in repr(backend)

    @pytest.mark.parametrize(
        ("environ", "base_url", "sent"),
        [
            ({"OPENAI_API_KEY": "k"}, None, "k"),
            ({"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1", "k"),
            ({"OPENAI_API_KEY": "k"}, "https://eu.api.openai.com/v1", "k"),
            ({"OPENAI_API_KEY": "k"}, "http://127.0.0.1:8000/v1", None),
            ({"OPENAI_API_KEY": "k"}, "https://api.openai.com.evil.example/v1", None),
            ({"OPENAI_API_KEY": "k"}, "http://api.openai.com/v1", None),
            ({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://r.example/v1"}, None, "k"),
            ({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://r.example/v1/"}, "https://r.example/v1", "k"),
            ({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://r.example/v1"}, "https://s.example/v1", None),
            ({"OPENAI_API_KEY": "k", "HYBRIDEVAL_CLOUD_API_KEY": "own"}, "https://s.example/v1", "own"),
            ({"OPENAI_API_KEY": "k", "HYBRIDEVAL_CLOUD_API_KEY": "own"}, None, "own"),
            ({"HYBRIDEVAL_LOCAL_API_KEY": "other"}, "https://s.example/v1", None),
        ],
    )
    def test_a_key_goes_only_where_it_was_meant_to(
        self, environ: dict[str, str], base_url: str | None, sent: str | None
    ) -> None:
        _, secret = openai_address(Tier.CLOUD, environ, base_url)
        assert secret.value == sent

    @pytest.mark.parametrize(
        "url", ["localhost:8000", "ftp://x/v1", "http://", "http://u:p@x/v1", "http://x/v1?k=1", "http://x:99999/v1"]
    )
    def test_a_base_url_that_is_none_is_refused(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="the cloud base URL"):
            openai_backend(REF, Tier.CLOUD, {}, url)

    def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(self) -> None:
        with pytest.raises(ConfigurationError, match="OPENAI_API_KEY") as caught:
            openai_backend(REF, Tier.CLOUD, {"OPENAI_API_KEY": "sk-a\nsk-b"}, None)
        assert "sk-" not in str(caught.value)

    def test_the_key_is_in_no_text(self) -> None:
        backend = openai_backend(REF, Tier.CLOUD, {"OPENAI_API_KEY": KEY}, None)
        assert KEY not in repr(backend)
        assert KEY not in repr(vars(backend))

    def test_a_proxy_is_used_for_other_machines_only(self) -> None:
        environ = {"https_proxy": "http://proxy:3128", "HTTP_PROXY": "http://proxy:3128", "NO_PROXY": ".corp.example"}
        urls = ("https://a.example/v1", "http://localhost:1/v1", "https://x.corp.example/v1")
        assert [proxy_for(url, environ) for url in urls] == ["http://proxy:3128", None, None]

    def test_a_proxy_that_speaks_no_http_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
            proxy_for("https://a.example/v1", {"ALL_PROXY": "socks5://proxy:1080"})


class TestRetryAfter:
    def test_seconds_dates_and_nonsense(self) -> None:
        now = time.time()
        assert retry_after({"Retry-After": "1.5"}) == 1.5
        assert retry_after({"Retry-After": formatdate(now + 30, usegmt=True)}, now) == pytest.approx(30, abs=1)
        assert retry_after({"Retry-After": formatdate(now - 30, usegmt=True)}, now) == 0
        assert [retry_after({"Retry-After": text}) for text in ("", "soon", "nan", "inf")] == [None] * 4


class TestFake:
    def test_the_official_client_understands_it(self) -> None:
        with FakeOpenAI(Reply("Hi"), Fault.rate_limited(), models=["m"]) as server:
            client = openai.OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0)
            assert [model.id for model in client.models.list()] == ["m"]
            asked = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}], stream=True)
            assert "".join(chunk.choices[0].delta.content or "" for chunk in asked) == "Hi"
            with pytest.raises(openai.RateLimitError):
                client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])
            client.close()
        assert len(server.chats) == 2

    def test_the_default_may_depend_on_the_request(self) -> None:
        server = FakeOpenAI(default=lambda request: Reply(request.body["messages"][0]["content"].upper()))
        assert complete(server).text == "SAY HELLO."


@given(st.data())
def test_bytes_split_anywhere_give_the_same_events(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(max_size=5), max_size=4))
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    events = [orjson.dumps(chunk(text)) for text in texts] + [orjson.dumps(chunk(None, "stop"))]
    wire = b"".join(b": ping" + end + b"data: " + payload + end + end for payload in [*events, b"[DONE]"])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    reader = AnswerReader(PEER, pass_usage=False)
    seen: list[StreamEvent] = []
    for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        seen.extend(reader.feed(wire[start:stop]))
    assert reader.done
    seen.extend(reader.close())
    assert [event.data for event in seen] == [*events, None]
    assert text_of(seen) == "".join(texts)


@given(st.integers(min_value=0))
def test_a_stream_cut_anywhere_is_never_taken_for_whole(at: int) -> None:
    wire = event(chunk("Hi")) + event(chunk("", "stop")) + b"data: [DONE]"
    reader = AnswerReader(PEER, pass_usage=False)
    with pytest.raises(StreamBroken):
        _ = [*reader.feed(wire[: at % len(wire)]), *reader.close()]


def test_several_data_lines_are_one_payload() -> None:
    first, second = orjson.dumps(chunk("Hi", "stop")).split(b",", 1)
    reader = AnswerReader(PEER, pass_usage=False)
    (seen,) = reader.feed(b"\xef\xbb\xbfdata: " + first + b",\ndata: " + second + b"\n\n")
    assert (seen.data, seen.text) == (first + b",\n" + second, "Hi")
