"""The backend for Ollama, against a server that speaks its protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import ollama
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_hybrideval.backends import OllamaBackend, Timeouts, ollama_backend
from pytest_hybrideval.backends.address import ollama_url
from pytest_hybrideval.backends.faults import Peer, Secret
from pytest_hybrideval.backends.ollama_reply import AnswerReader
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
from pytest_hybrideval.testing import FakeOllama, Fault, Raw, Reply, ToolCall, make_backend_call, refused_url

T = TypeVar("T")
REF = ModelRef("ollama", "test-model:7b")
PEER = Peer("Ollama", "test-model:7b", "start it", "pull it", Secret("OLLAMA_API_KEY"))
NDJSON = "application/x-ndjson"
TOOL = {"type": "function", "function": {"name": "edit", "parameters": {"type": "object"}}}


def on(server: FakeOllama, action: Callable[[OllamaBackend], Awaitable[T]], ref: ModelRef = REF, **options: Any) -> T:
    """What `action` gives with a backend of `server`; both are gone afterwards."""

    async def scenario() -> T:
        async with server:
            backend = OllamaBackend(ref, server.base_url, **options)
            try:
                return await action(backend)
            finally:
                await backend.aclose()

    return asyncio.run(asyncio.wait_for(scenario(), 30))


def complete(server: FakeOllama, call: BackendCall | None = None, **options: Any) -> Completion:
    return on(server, lambda backend: backend.complete(call or make_backend_call()), **options)


def stream(server: FakeOllama, call: BackendCall | None = None, **options: Any) -> list[StreamEvent]:
    async def collect(backend: OllamaBackend) -> list[StreamEvent]:
        return [event async for event in backend.stream(call or make_backend_call(stream=True))]

    return on(server, collect, **options)


def sent(call: BackendCall) -> dict[str, Any]:
    """The body that reaches Ollama for a call."""
    server = FakeOllama()
    complete(server, call)
    body: dict[str, Any] = server.requests[0].body
    return body


def chunks(events: list[StreamEvent]) -> list[dict[str, Any]]:
    return [orjson.loads(event.data) for event in events if event.data is not None]


def deltas(events: list[StreamEvent]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks(events) if chunk["choices"]]


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events)


def line(content: str, **rest: Any) -> bytes:
    return orjson.dumps({"message": {"role": "assistant", "content": content}, "done": False, **rest}) + b"\n"


class TestWhatIsSent:
    def test_the_trials_settings_reach_the_server(self) -> None:
        call = make_backend_call(
            seed=7,
            temperature=0.5,
            max_tokens=100,
            num_ctx=16384,
            think=False,
            keep_alive="30m",
            max_completion_tokens=500,
        )
        body = sent(call)
        assert body["model"] == "test-model:7b"
        assert body["options"] == {"seed": 7, "temperature": 0.5, "num_ctx": 16384, "num_predict": 100}
        assert (body["think"], body["keep_alive"], body["stream"]) == (False, "30m", False)
        assert body["messages"] == [{"role": "user", "content": "Say hello."}]

    def test_what_is_not_set_is_not_sent(self) -> None:
        body = sent(make_backend_call(temperature=None))
        assert body["options"] == {"seed": 42}
        assert not {"think", "keep_alive", "tools", "format"} & set(body)

    def test_an_overflow_is_told_to_fail(self) -> None:
        body = sent(make_backend_call())
        assert (body["truncate"], body["shift"]) == (False, False)

    @pytest.mark.parametrize(("text", "value"), [("-1", -1), ("0", 0), ("300", 300), ("1h30m", "1h30m")])
    def test_keep_alive_without_a_unit_is_a_number(self, text: str, value: int | str) -> None:
        assert sent(make_backend_call(keep_alive=text))["keep_alive"] == value

    def test_the_agents_sampling_becomes_options(self) -> None:
        asked = {
            "top_p": 0.9,
            "stop": "END",
            "frequency_penalty": 0.1,
            "presence_penalty": 0.2,
            "top_k": 20,
            "min_p": 0.0,
        }
        options = sent(make_backend_call(asked, max_tokens=None))["options"]
        assert options == {**asked, "stop": ["END"], "seed": 42, "temperature": 0}
        assert sent(make_backend_call(stop=["a", "b"]))["options"]["stop"] == ["a", "b"]

    def test_a_null_asks_for_nothing(self) -> None:
        nothing = dict.fromkeys(("top_p", "stop", "tools", "logprobs", "n", "logit_bias", "tool_choice", "audio"))
        assert sent(make_backend_call(nothing))["options"] == {"seed": 42, "temperature": 0}

    def test_what_has_no_influence_on_the_answer_is_left_out(self) -> None:
        harmless = {
            "user": "me",
            "metadata": {"a": 1},
            "n": 1,
            "logprobs": False,
            "logit_bias": {},
            "tool_choice": "auto",
        }
        assert not set(harmless) & set(sent(make_backend_call(harmless)))

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"type": "text"}, None),
            ({"type": "json_object"}, "json"),
            ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}, {"type": "object"}),
        ],
    )
    def test_response_format(self, asked: Any, expected: Any) -> None:
        assert sent(make_backend_call(response_format=asked)).get("format") == expected

    def test_tools_pass_unless_they_are_switched_off(self) -> None:
        assert sent(make_backend_call(tools=[TOOL]))["tools"] == [TOOL]
        assert "tools" not in sent(make_backend_call(tools=[TOOL], tool_choice="none"))

    def test_the_users_think_wins_over_the_agents_effort(self) -> None:
        assert sent(make_backend_call(reasoning_effort="none"))["think"] is False
        assert sent(make_backend_call(reasoning_effort="high"))["think"] == "high"
        assert sent(make_backend_call(think=True, reasoning_effort="none"))["think"] is True

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("n", 2),
            ("logprobs", True),
            ("top_logprobs", 3),
            ("tool_choice", "required"),
            ("tool_choice", {"type": "function", "function": {"name": "edit"}}),
            ("logit_bias", {"1": 5}),
            ("audio", {"voice": "x"}),
            ("modalities", ["text", "audio"]),
            ("parallel_tool_calls", False),
            ("num_ctx", 2048),
            ("invented", 1),
            ("response_format", {"type": "grammar"}),
            ("response_format", "json"),
            ("reasoning_effort", "extreme"),
            ("tools", [{"type": "web_search"}]),
        ],
    )
    @pytest.mark.parametrize("streamed", [False, True])
    def test_what_cannot_be_said_is_refused_by_name(self, field: str, value: Any, streamed: bool) -> None:
        server = FakeOllama()
        call = make_backend_call({field: value, "stream": streamed})
        with pytest.raises(RequestRefused, match=field):
            stream(server, call) if streamed else complete(server, call)
        assert not server.requests


class TestMessages:
    def messages(self, *messages: dict[str, Any]) -> Any:
        return sent(make_backend_call(messages=list(messages)))["messages"]

    def test_parts_are_joined_and_images_are_set_apart(self) -> None:
        parts = [
            {"type": "text", "text": "What is"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            {"type": "text", "text": "this?"},
        ]
        assert self.messages({"role": "user", "content": parts}) == [
            {"role": "user", "content": "What is\nthis?", "images": ["aGk="]}
        ]

    def test_a_developer_is_the_system(self) -> None:
        assert self.messages({"role": "developer", "content": "Be brief."})[0]["role"] == "system"

    def test_a_tool_call_and_its_result(self) -> None:
        function = {"name": "edit", "arguments": '{"path": "a.py"}'}
        told = self.messages(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
        )
        call = {"id": "c1", "function": {"index": 0, "name": "edit", "arguments": {"path": "a.py"}}}
        assert told == [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "done", "tool_name": "edit", "tool_call_id": "c1"},
        ]

    def test_earlier_reasoning_is_thinking(self) -> None:
        assert self.messages({"role": "assistant", "content": "Hi", "reasoning_content": "hm"})[0]["thinking"] == "hm"

    @pytest.mark.parametrize(
        ("message", "where"),
        [
            ({"role": "narrator", "content": "x"}, r"messages\[0\]\.role"),
            ({"role": "user", "content": 5}, r"messages\[0\]\.content"),
            ({"role": "user", "content": [{"type": "input_audio"}]}, r"messages\[0\]\.content\[0\]"),
            (
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]},
                "image_url",
            ),
            ({"role": "assistant", "audio": {"id": "x"}}, r"messages\[0\]\.audio"),
            ({"role": "assistant", "tool_calls": [{"type": "custom"}]}, r"tool_calls\[0\]"),
            ({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}, "arguments"),
            ({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}, "arguments"),
        ],
    )
    def test_what_cannot_be_said_is_refused_by_place(self, message: dict[str, Any], where: str) -> None:
        with pytest.raises(RequestRefused, match=where):
            self.messages(message)


class TestWholeAnswers:
    def test_an_answer_in_openais_shape(self) -> None:
        answer = complete(FakeOllama(Reply("Hello", thinking="hm")))
        body = orjson.loads(answer.body)
        assert (answer.text, answer.finish_reason, answer.usage) == ("Hello", "stop", Usage(prompt=11, completion=7))
        assert body["id"].startswith("chatcmpl-")
        assert (body["object"], body["model"]) == ("chat.completion", "test-model:7b")
        assert body["choices"][0]["message"] == {"role": "assistant", "content": "Hello", "reasoning_content": "hm"}
        assert body["usage"] == {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}

    def test_tool_calls_become_openais(self) -> None:
        answer = complete(FakeOllama(Reply(tool_calls=[ToolCall("edit", {"path": "a.py"}), ToolCall("run", id="c2")])))
        message = orjson.loads(answer.body)["choices"][0]["message"]
        first, second = message["tool_calls"]
        assert (answer.finish_reason, answer.text, message["content"]) == ("tool_calls", "", None)
        assert first["function"] == {"name": "edit", "arguments": '{"path":"a.py"}'}
        assert first["id"].startswith("call_")
        assert second["id"] == "c2"

    @pytest.mark.parametrize(("reason", "told"), [("stop", "stop"), ("length", "length")])
    def test_why_it_ended(self, reason: str, told: str) -> None:
        assert complete(FakeOllama(Reply(finish_reason=reason))).finish_reason == told

    @pytest.mark.parametrize("usage", [None, Usage(prompt=0, completion=7), Usage(prompt=None, completion=7)])
    def test_a_missing_count_is_unknown_and_not_zero(self, usage: Usage | None) -> None:
        answer = complete(FakeOllama(Reply(usage=usage)))
        assert answer.usage.prompt is None
        assert "usage" not in orjson.loads(answer.body)

    @pytest.mark.parametrize("reason", ["load", "unload"])
    def test_loading_a_model_is_no_answer(self, reason: str) -> None:
        with pytest.raises(StreamBroken, match=f"'{reason}'"):
            complete(FakeOllama(Reply(finish_reason=reason)))

    def test_an_answer_without_its_end_is_broken(self) -> None:
        with pytest.raises(StreamBroken, match="without its final object"):
            complete(FakeOllama(Reply(end_marker=False)))

    def test_a_body_cut_in_the_middle_is_broken(self) -> None:
        with pytest.raises(StreamBroken) as caught:
            complete(FakeOllama(Reply("a long answer" * 100, cut_after=0)))
        assert caught.value.retryable

    def test_an_error_under_status_200_is_an_error(self) -> None:
        with pytest.raises(BackendError, match="the model crashed") as caught:
            complete(FakeOllama(Reply(error_after=0)))
        assert caught.value.retryable

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": "x", "done": true}'])
    def test_something_else_is_broken(self, body: bytes) -> None:
        with pytest.raises(StreamBroken):
            complete(FakeOllama(Raw([body])))


class TestStreams:
    def test_an_answer_in_openais_chunks(self) -> None:
        events = stream(FakeOllama(Reply(chunks=["Hel", "lo"])))
        told = chunks(events)
        assert text_of(events) == "Hello"
        assert deltas(events) == [{"role": "assistant", "content": "Hel"}, {"content": "lo"}, {}]
        assert [chunk["choices"][0]["finish_reason"] for chunk in told] == [None, None, "stop"]
        assert {chunk["object"] for chunk in told} == {"chat.completion.chunk"}
        assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in told}) == 1
        assert told[0]["id"].startswith("chatcmpl-")

    def test_usage_is_for_us_unless_the_agent_asks(self) -> None:
        last = stream(FakeOllama())[-1]
        assert (last.data, last.finish_reason, last.usage) == (None, "stop", Usage(prompt=11, completion=7))

    def test_usage_passes_to_an_agent_that_asked(self) -> None:
        last = stream(FakeOllama(), make_backend_call(stream=True, stream_options={"include_usage": True}))[-1]
        assert last.data is not None
        told = orjson.loads(last.data)
        assert (told["choices"], told["usage"]["total_tokens"]) == ([], 18)

    def test_unknown_usage_is_not_told_as_zero(self) -> None:
        call = make_backend_call(stream=True, stream_options={"include_usage": True})
        last = stream(FakeOllama(Reply(usage=None)), call)[-1]
        assert (last.data, last.usage) == (None, Usage())

    def test_thinking_is_reasoning_and_no_text(self) -> None:
        events = stream(FakeOllama(Reply("Hi", thinking="hm")))
        assert text_of(events) == "Hi"
        assert deltas(events)[:2] == [
            {"role": "assistant", "content": "", "reasoning_content": "hm"},
            {"content": "Hi"},
        ]

    def test_tool_calls_are_numbered_through(self) -> None:
        events = stream(FakeOllama(Reply(tool_calls=[ToolCall("edit", {"path": "é"}), ToolCall("run")])))
        calls = [call for delta in deltas(events) for call in delta.get("tool_calls", [])]
        assert [(call["index"], call["function"]["name"]) for call in calls] == [(0, "edit"), (1, "run")]
        assert calls[0]["function"]["arguments"] == '{"path":"é"}'
        assert len({call["id"] for call in calls}) == 2
        assert events[-1].finish_reason == "tool_calls"

    def test_a_length_stop_stays_one_even_with_tool_calls(self) -> None:
        reply = Reply(tool_calls=[ToolCall("edit")], finish_reason="length")
        assert stream(FakeOllama(reply))[-1].finish_reason == "length"

    def test_the_final_object_may_carry_text(self) -> None:
        events = stream(FakeOllama(Raw([line("all", done=True, done_reason="stop")], content_type=NDJSON)))
        assert deltas(events) == [{"role": "assistant", "content": "all"}, {}]

    def test_unusual_line_breaks_within_text_break_no_lines(self) -> None:
        text = "a\u2028b\u0085c\rd"
        assert text_of(stream(FakeOllama(Reply(chunks=[text])))) == text

    def test_events_come_as_they_are_sent_and_leaving_stops_the_model(self) -> None:
        async def first(backend: OllamaBackend) -> str:
            events = backend.stream(make_backend_call(stream=True))
            text = (await events.__anext__()).text
            await events.aclose()
            assert await server.client_gone() == "/api/chat"
            return text

        server = FakeOllama(Reply(chunks=["Hel", "lo"], stall_after=1))
        assert on(server, first) == "Hel"

    def test_connections_are_used_again(self) -> None:
        async def scenario(backend: OllamaBackend) -> None:
            for _ in range(3):
                _ = [seen async for seen in backend.stream(make_backend_call(stream=True))]

        server = FakeOllama()
        on(server, scenario)
        assert len({request.client_port for request in server.requests}) == 1


class TestBrokenStreams:
    @pytest.mark.parametrize(
        "behaviour",
        [
            Reply("Hello", cut_after=1),
            Reply("Hello", end_marker=False),
            Reply("Hello", finish_reason="load"),
            Reply("Hello", finish_reason="unload"),
            Raw([line("Hi")[:-5]], content_type=NDJSON),
            Raw([b"[]\n"], content_type=NDJSON),
            Raw([b"\n\n"], content_type=NDJSON),
        ],
        ids=["cut", "no-end", "load", "unload", "half-a-line", "no-object", "empty"],
    )
    def test_an_answer_without_its_end_is_broken(self, behaviour: Reply | Raw) -> None:
        with pytest.raises(StreamBroken):
            stream(FakeOllama(behaviour))

    def test_an_error_in_mid_stream(self) -> None:
        with pytest.raises(BackendError, match="the model crashed") as caught:
            stream(FakeOllama(Reply(error_after=1)))
        assert caught.value.retryable

    def test_an_overflow_in_mid_stream(self) -> None:
        with pytest.raises(ContextOverflow):
            stream(FakeOllama(Reply(error_after=1, error="the request exceeds the available context size")))


@pytest.mark.parametrize("streamed", [False, True])
class TestRefusals:
    def refusal(self, fault: Fault, streamed: bool) -> BackendError:
        with pytest.raises(BackendError) as caught:
            stream(FakeOllama(fault)) if streamed else complete(FakeOllama(fault))
        return caught.value

    def test_a_missing_model_comes_with_the_command_to_pull_it(self, streamed: bool) -> None:
        server = FakeOllama(models=["another"])
        with pytest.raises(BackendUnavailable, match="run 'ollama pull test-model:7b'") as caught:
            stream(server) if streamed else complete(server)
        assert not caught.value.retryable

    def test_a_context_overflow(self, streamed: bool) -> None:
        assert isinstance(self.refusal(Fault.context_overflow(), streamed), ContextOverflow)

    def test_a_bad_request_stays_bad(self, streamed: bool) -> None:
        error = self.refusal(Fault.bad_request('"test-model" does not support thinking'), streamed)
        assert type(error) is BackendError
        assert "does not support thinking" in str(error)
        assert (error.status, error.retryable) == (400, False)

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_busy_or_failing_server_may_recover(self, status: int, streamed: bool) -> None:
        error = self.refusal(Fault.server_error(status), streamed)
        assert (error.status, error.retryable) == (status, True)

    def test_too_many_requests(self, streamed: bool) -> None:
        error = self.refusal(Fault.rate_limited("3"), streamed)
        assert (error.status, error.retryable, error.retry_after) == (429, True, 3.0)

    def test_a_missing_key_is_named(self, streamed: bool) -> None:
        error = self.refusal(Fault.unauthorized(), streamed)
        assert isinstance(error, BackendUnavailable)
        assert "set OLLAMA_API_KEY" in str(error)


class TestConnections:
    def test_a_refused_connection_says_how_to_mend_it(self) -> None:
        async def scenario(url: str) -> list[BackendError]:
            backend = OllamaBackend(REF, url)
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
                assert str(error) == f"Ollama at {url} refused the connection; start it with 'ollama serve'"

    @pytest.mark.parametrize("stalls", [0, 1])
    def test_a_silent_server_is_given_up(self, stalls: int) -> None:
        with pytest.raises(BackendError, match="sent nothing") as caught:
            stream(FakeOllama(Reply("Hello", stall_after=stalls)), timeouts=Timeouts(read=0.05))
        assert caught.value.retryable

    def test_a_backend_can_be_closed_twice_and_used_again(self) -> None:
        async def scenario(backend: OllamaBackend) -> str:
            await backend.describe()
            first = await backend.complete(make_backend_call())
            await backend.aclose()
            await backend.aclose()
            await backend.describe()
            second = await backend.complete(make_backend_call())
            return first.text + second.text

        assert on(FakeOllama(Reply("a"), Reply("b")), scenario) == "ab"


class TestDescribe:
    def describe(self, server: FakeOllama, name: str = "test-model:7b") -> ModelInfo:
        return on(server, lambda backend: backend.describe(), ModelRef("ollama", name))

    @pytest.mark.parametrize(("name", "listed"), [("test-model:7b", "test-model:7b"), ("plain", "plain:latest")])
    def test_version_digest_and_context_length(self, name: str, listed: str) -> None:
        server = FakeOllama(models=["another", listed], version="1.2.3", context_length=32768)
        assert self.describe(server, name) == ModelInfo(
            f"ollama/{name}", version="1.2.3", digest=FakeOllama.digest(listed), context_length=32768
        )

    def test_a_model_that_is_not_pulled(self) -> None:
        with pytest.raises(BackendUnavailable, match="run 'ollama pull test-model:7b'"):
            self.describe(FakeOllama(models=["another"]))

    def test_a_server_that_is_no_ollama(self) -> None:
        with pytest.raises(BackendUnavailable):
            self.describe(FakeOllama(version=None))


class TestAsk:
    def ask(self, server: FakeOllama, call: BackendCall | None = None, **options: Any) -> Answer:
        return on(server, lambda backend: backend.ask("Hard?", call or make_backend_call()), **options)

    def test_a_question_is_asked_at_temperature_0_with_the_settings_of_the_trial(self) -> None:
        server = FakeOllama(Reply("yes"))
        call = make_backend_call(seed=7, max_tokens=20, num_ctx=4096, think=False, keep_alive="-1", temperature=0.9)
        assert self.ask(server, call) == Answer("yes", Usage(prompt=11, completion=7))
        body = server.requests[0].body
        assert body["messages"] == [{"role": "user", "content": "Hard?"}]
        assert body["options"] == {"seed": 7, "temperature": 0, "num_ctx": 4096, "num_predict": 20}
        assert (body["think"], body["keep_alive"], body["truncate"], body["shift"]) == (False, -1, False, False)

    @pytest.mark.parametrize(
        ("behaviour", "kind", "retryable"),
        [
            (Fault.model_missing(), BackendUnavailable, False),
            (Fault.context_overflow(), ContextOverflow, False),
            (Fault.server_error(503), BackendError, True),
            (Reply(cut_after=0), BackendError, True),
            (Reply(end_marker=False), StreamBroken, False),
            (Reply(finish_reason="load"), StreamBroken, False),
            (Raw([b"<html>"]), BackendError, False),
        ],
    )
    def test_it_fails_as_other_calls_do(self, behaviour: Any, kind: type[BackendError], retryable: bool) -> None:
        server = FakeOllama(behaviour)
        with pytest.raises(kind) as caught:
            self.ask(server)
        assert caught.value.retryable is retryable
        assert len(server.requests) == 1, "nothing may retry below the gateway"

    def test_it_is_given_up_after_its_time(self) -> None:
        with pytest.raises(BackendError, match="sent nothing"):
            self.ask(FakeOllama(Reply(stall_after=0)), timeouts=Timeouts(question=0.05))

    def test_the_key_of_the_process_is_not_sent_by_the_client(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OLLAMA_API_KEY", "key-of-the-process")
        server = FakeOllama()
        self.ask(server)
        self.ask(server, api_key="our-key")
        assert [request.headers.get("authorization") for request in server.requests] == [None, "Bearer our-key"]


class TestFactory:
    @pytest.mark.parametrize(
        ("environ", "base_url", "address"),
        [
            ({}, None, "http://127.0.0.1:11434"),
            ({"OLLAMA_HOST": ""}, None, "http://127.0.0.1:11434"),
            ({"OLLAMA_HOST": "gpu-box"}, None, "http://gpu-box:11434"),
            ({"OLLAMA_HOST": "0.0.0.0"}, None, "http://127.0.0.1:11434"),
            ({"OLLAMA_HOST": "gpu-box"}, "other:1234", "http://other:1234"),
            ({"OLLAMA_HOST": "gpu-box"}, "https://other/ollama/", "https://other:443/ollama"),
        ],
    )
    def test_where_ollama_is(self, environ: dict[str, str], base_url: str | None, address: str) -> None:
        assert repr(ollama_backend(REF, Tier.LOCAL, environ, base_url)) == f"OllamaBackend({REF} at {address})"

    @pytest.mark.parametrize(
        ("host", "url"),
        [
            (":56789", "http://127.0.0.1:56789"),
            ("1.2.3.4", "http://1.2.3.4:11434"),
            ("http://1.2.3.4", "http://1.2.3.4:80"),
            ("https://example.com", "https://example.com:443"),
            ("example.com:56789/path/", "http://example.com:56789/path"),
            ("[0001::1]", "http://[0001::1]:11434"),
            ("https://[0001::1]:56789/path", "https://[0001::1]:56789/path"),
        ],
    )
    def test_a_host_means_what_it_means_to_ollamas_own_clients(self, host: str, url: str) -> None:
        assert ollama_url(host, "OLLAMA_HOST") == url

    @pytest.mark.parametrize("host", ["ftp://x", "http://u:p@x", "x:99999", "x?y=1", "http://[::1"])
    def test_an_address_that_is_none_is_refused(self, host: str) -> None:
        with pytest.raises(ConfigurationError, match="OLLAMA_HOST"):
            ollama_backend(REF, Tier.LOCAL, {"OLLAMA_HOST": host}, None)

    def test_the_key_is_sent_and_in_no_text(self) -> None:
        async def scenario() -> None:
            backend = ollama_backend(REF, Tier.LOCAL, {"OLLAMA_HOST": server.url, "OLLAMA_API_KEY": "s3cret"}, None)
            assert "s3cret" not in repr(vars(backend))
            await backend.complete(make_backend_call())
            await backend.describe()
            await backend.aclose()

        with FakeOllama() as server:
            asyncio.run(scenario())
        assert {request.headers.get("authorization") for request in server.requests} == {"Bearer s3cret"}


class TestFake:
    def test_the_official_client_understands_it(self) -> None:
        with FakeOllama(Reply("Hi"), models=["m"]) as server, ollama.Client(server.url) as client:
            assert [model.model for model in client.list().models] == ["m"]
            assert len(client.embed("m", ["a", "b"]).embeddings) == 2
            assert client.chat("m", messages=[{"role": "user", "content": "?"}]).message.content == "Hi"
        assert [request.path for request in server.chats] == ["/api/chat"]


@given(st.data())
def test_bytes_split_anywhere_give_the_same_text(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(max_size=5), max_size=4))
    wire = b"".join(map(line, texts)) + line("", done=True, done_reason="stop", eval_count=3)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    reader = AnswerReader(PEER, pass_usage=False)
    seen: list[StreamEvent] = []
    for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        seen.extend(reader.feed(wire[start:stop]))
    assert reader.done
    seen.extend(reader.close())
    assert text_of(seen) == "".join(texts)
    assert (seen[-1].finish_reason, seen[-1].usage) == ("stop", Usage(completion=3))


@given(st.integers(min_value=0))
def test_a_stream_cut_anywhere_is_never_taken_for_whole(at: int) -> None:
    wire = (line("Hi") + line("", done=True, done_reason="stop")).rstrip(b"\n")
    reader = AnswerReader(PEER, pass_usage=False)
    with pytest.raises(StreamBroken):
        _ = [*reader.feed(wire[: at % len(wire)]), *reader.close()]
