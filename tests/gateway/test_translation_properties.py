"""Whatever an agent asks and a model answers: nothing is lost, added or changed between OpenAI's words and Ollama's."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_hybrideval.backends import OllamaBackend, OpenAIBackend, ollama_reply, openai_stream
from pytest_hybrideval.backends.faults import Peer, Secret
from pytest_hybrideval.backends.ollama_messages import translate_messages
from pytest_hybrideval.backends.ollama_request import ollama_body
from pytest_hybrideval.backends.openai_wire import upstream_body
from pytest_hybrideval.backends.quirks import Quirks
from pytest_hybrideval.core.domain import Completion, Cut, ModelRef, StreamEvent, Usage
from pytest_hybrideval.core.protocols import BackendCall
from pytest_hybrideval.testing import FakeOllama, FakeOpenAI, Reply, ToolCall, make_backend_call

PEER = Peer("the server", "m", "start it", "check it", Secret("KEY"))
LONG = 2**63 - 1  # longer whole numbers are no JSON that every reader keeps

# --- what agents write ------------------------------------------------------------------------------------------------

texts = st.text(max_size=20) | st.sampled_from(
    ["", "\r\n", "a\u2028b\x85c", "é🙂", "data: [DONE]\n\n", "<think>hm</think>"]
)
scalars = (
    st.none() | st.booleans() | st.integers(-LONG, LONG) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
objects = st.dictionaries(texts, values, max_size=3)
names = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
ids = st.sampled_from(["call_a", "call_b", "call_c"])
images = st.binary(max_size=12).map(lambda data: base64.b64encode(data).decode())

text_parts = texts.map(lambda text: {"type": "text", "text": text})
image_urls = images.map(lambda data: f"data:image/png;base64,{data}")
image_parts = image_urls.flatmap(
    lambda url: st.sampled_from([{"type": "image_url", "image_url": image} for image in ({"url": url}, url)])
)
contents = st.none() | texts | st.lists(text_parts | image_parts, max_size=4)
written_arguments = objects.map(json.dumps) | objects.map(lambda o: orjson.dumps(o).decode()) | objects
no_arguments = st.sampled_from([None, "", "{}", "null"])
calls = st.fixed_dictionaries(
    {
        "id": ids,
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": names, "arguments": written_arguments | no_arguments}),
    }
)
plain = st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user"]), "content": contents})
assistants = st.fixed_dictionaries(
    {"role": st.just("assistant")},
    optional={
        "content": contents,
        "tool_calls": st.none() | st.lists(calls, max_size=3),
        "reasoning_content": st.none() | texts,
        "refusal": st.none(),
    },
)
results = st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": ids, "content": contents})
conversations = st.lists(plain | assistants | results, min_size=1, max_size=6)


def said(content: Any) -> tuple[str, list[str]]:
    """Text and images of a content."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    urls = [part["image_url"] for part in parts if part["type"] == "image_url"]
    return (
        "\n".join(part["text"] for part in parts if part["type"] == "text"),
        [(url["url"] if isinstance(url, dict) else url).partition(",")[2] for url in urls],
    )


def meant(arguments: Any) -> Any:
    """The arguments of a call, however they are written."""
    return (json.loads(arguments) if isinstance(arguments, str) and arguments else arguments) or {}


def called_with(arguments: Any) -> dict[str, Any]:
    return {"id": "call_a", "type": "function", "function": {"name": "run", "arguments": arguments}}


class TestRequests:
    @settings(deadline=None)
    @given(conversations)
    def test_every_message_keeps_its_role_text_and_images(self, messages: list[dict[str, Any]]) -> None:
        told = translate_messages(messages)
        roles = [message["role"] for message in messages]
        assert [message["role"] for message in told] == ["system" if role == "developer" else role for role in roles]
        for message, other in zip(messages, told, strict=True):
            assert (other["content"], other.get("images", [])) == said(message.get("content"))
            assert other.get("thinking") == (message.get("reasoning_content") or None)

    @settings(deadline=None)
    @given(conversations)
    @example([{"role": "assistant", "tool_calls": [called_with(arguments) for arguments in (None, "", "null", {})]}])
    def test_every_call_keeps_its_name_and_arguments(self, messages: list[dict[str, Any]]) -> None:
        for message, other in zip(messages, translate_messages(messages), strict=True):
            written = [(call["id"], call["function"]) for call in message.get("tool_calls") or []]
            read = [(call["id"], call["function"]) for call in other.get("tool_calls", [])]
            assert [(name, f["name"], f["arguments"]) for name, f in read] == [
                (name, f["name"], meant(f["arguments"])) for name, f in written
            ]
            assert [function["index"] for _, function in read] == list(range(len(written)))

    @settings(deadline=None)
    @given(conversations)
    def test_a_result_has_the_name_of_the_latest_call_of_its_id(self, messages: list[dict[str, Any]]) -> None:
        latest: dict[str, str] = {}
        for message, other in zip(messages, translate_messages(messages), strict=True):
            latest.update({call["id"]: call["function"]["name"] for call in message.get("tool_calls") or []})
            if message["role"] == "tool":
                assert other["tool_call_id"] == message["tool_call_id"]
                assert other.get("tool_name") == latest.get(message["tool_call_id"])

    @settings(deadline=None)
    @given(conversations, st.booleans())
    def test_the_agents_request_is_not_changed_and_ours_is_json(
        self, messages: list[dict[str, Any]], stream: bool
    ) -> None:
        before = copy.deepcopy(messages)
        body = ollama_body(make_backend_call(messages=messages), "m", stream=stream)
        assert messages == before
        assert orjson.loads(orjson.dumps(body))["messages"] == body["messages"]

    @settings(deadline=None)
    @given(conversations, objects, st.booleans(), st.sampled_from([None, 7]))
    def test_to_openai_all_passes_but_what_a_trial_sets(
        self, messages: list[dict[str, Any]], more: dict[str, Any], stream: bool, limit: int | None
    ) -> None:
        ours = {"model", "seed", "temperature", "stream", "stream_options", "max_tokens", "max_completion_tokens"}
        asked = {name: value for name, value in more.items() if name not in ours}
        call = make_backend_call(asked, messages=messages, max_tokens=limit)
        before = copy.deepcopy(dict(call.request.body))
        body = upstream_body(call, "m", Quirks(), stream=stream)
        assert {name: value for name, value in body.items() if name not in ours} == {**asked, "messages": messages}
        assert (body["model"], body["seed"], body["stream"]) == ("m", 42, stream)
        assert call.request.body == before


# --- what models answer -----------------------------------------------------------------------------------------------

Feed = Callable[[bytes], Iterator[StreamEvent]]
Reader = ollama_reply.AnswerReader | openai_stream.AnswerReader
line_ends = st.sampled_from([b"\n", b"\r\n"])
counts = st.none() | st.integers(0, 10**6)


def read(reader: Reader, pieces: Iterable[bytes]) -> list[StreamEvent]:
    events = [event for piece in pieces for event in reader.feed(piece)]
    return [*events, *reader.close()]


def alike(events: Sequence[StreamEvent]) -> list[Any]:
    """The events without what differs from answer to answer: ids and times."""

    def plainly(event: StreamEvent) -> Any:
        chunk = None if event.data is None else json.loads(event.data)
        if chunk is not None:
            chunk.pop("id", None)
            chunk.pop("created", None)
            for call in [call for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", [])]:
                call.pop("id", None)
        return (chunk, event.text, event.thinking, event.finish_reason, event.usage, event.fingerprint, event.cut)

    return [plainly(event) for event in events]


def splits(wire: bytes, cuts: Sequence[int]) -> Iterator[list[bytes]]:
    """The bytes one by one, in two parts at every place, and cut at the given places."""
    yield [wire[at : at + 1] for at in range(len(wire))]
    for at in range(1, len(wire)) if len(wire) < 600 else ():
        yield [wire[:at], wire[at:]]
    places = sorted({at % (len(wire) + 1) for at in cuts})
    yield [wire[start:stop] for start, stop in zip([0, *places], [*places, len(wire)], strict=True)]


def deltas(events: Sequence[StreamEvent]) -> list[dict[str, Any]]:
    chunks = [json.loads(event.data) for event in events if event.data is not None]
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def merged_calls(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Name and arguments of every call of a stream, put together by their indexes as clients do."""
    calls: dict[int, dict[str, str]] = {}
    for call in [call for delta in found for call in delta.get("tool_calls", [])]:
        whole = calls.setdefault(call["index"], {"name": "", "arguments": ""})
        for key in whole:
            whole[key] += call["function"].get(key) or ""
    return [(calls[index]["name"], json.loads(calls[index]["arguments"])) for index in range(len(calls))]


class TestOllamasAnswers:
    functions = st.fixed_dictionaries({"name": names}, optional={"arguments": st.none() | objects})
    called = st.fixed_dictionaries({"function": functions}, optional={"id": names})
    messages = st.fixed_dictionaries(
        {"role": st.just("assistant")},
        optional={"content": texts, "thinking": texts, "tool_calls": st.none() | st.lists(called, max_size=2)},
    )
    parts = st.lists(messages, max_size=5)
    finals = st.fixed_dictionaries(
        {"done": st.just(True)},
        optional={
            "message": messages,
            "done_reason": st.sampled_from(["stop", "length"]),
            "prompt_eval_count": counts,
            "eval_count": counts,
            "prompt_eval_cached_count": counts,
            "total_duration": counts,
        },
    )

    def wire(self, parts: Sequence[Any], final: Mapping[str, Any], end: bytes) -> bytes:
        lines = [{"model": "m", "message": message, "done": False} for message in parts]
        return b"".join(orjson.dumps(line) + end for line in [*lines, final])

    @settings(deadline=None)
    @given(parts, finals, line_ends, st.lists(st.integers(0), max_size=8), st.booleans())
    def test_split_anywhere_an_answer_is_the_same(
        self, parts: list[Any], final: dict[str, Any], end: bytes, cuts: list[int], pass_usage: bool
    ) -> None:
        wire = self.wire(parts, final, end)
        whole = alike(read(ollama_reply.AnswerReader(PEER, pass_usage=pass_usage), [wire]))
        for pieces in splits(wire, cuts):
            assert alike(read(ollama_reply.AnswerReader(PEER, pass_usage=pass_usage), pieces)) == whole

    @settings(deadline=None)
    @given(parts, finals, line_ends)
    def test_everything_that_was_said_arrives(self, parts: list[Any], final: dict[str, Any], end: bytes) -> None:
        events = read(ollama_reply.AnswerReader(PEER, pass_usage=True), [self.wire(parts, final, end)])
        messages = [*parts, *([final["message"]] if "message" in final else [])]
        text = "".join(message.get("content", "") for message in messages)
        thinking = "".join(message.get("thinking", "") for message in messages)
        calls = [call["function"] for message in messages for call in message.get("tool_calls") or []]
        assert "".join(event.text for event in events) == text
        assert "".join(event.thinking for event in events) == thinking
        assert "".join(delta.get("content") or "" for delta in deltas(events)) == text
        assert "".join(delta.get("reasoning_content") or "" for delta in deltas(events)) == thinking
        assert merged_calls(deltas(events)) == [(call["name"], call.get("arguments") or {}) for call in calls]
        usage = Usage(*map(final.get, ("prompt_eval_count", "eval_count", "prompt_eval_cached_count")))
        reason = final.get("done_reason", "stop")
        assert events[-1].usage == usage
        assert events[-1].finish_reason == ("tool_calls" if calls and reason == "stop" else reason)

    @settings(deadline=None)
    @given(messages, finals)
    def test_a_whole_answer_says_the_same_as_a_stream(self, message: dict[str, Any], final: dict[str, Any]) -> None:
        final = {**final, "message": {"role": "assistant"}}
        events = read(ollama_reply.AnswerReader(PEER, pass_usage=True), [self.wire([message], final, b"\n")])
        answer = ollama_reply.ReplyWriter("m").completion({**final, "message": message})
        body = json.loads(answer.body)["choices"][0]
        assert answer.text == "".join(event.text for event in events) == (body["message"]["content"] or "")
        assert (answer.finish_reason, answer.usage) == (events[-1].finish_reason, events[-1].usage)
        assert body["finish_reason"] == answer.finish_reason
        assert merged_calls([body["message"]]) == merged_calls(deltas(events))
        assert body["message"].get("reasoning_content", "") == "".join(event.thinking for event in events)

    @settings(deadline=None)
    @given(messages)
    def test_an_answer_that_is_sent_back_is_what_it_was(self, message: dict[str, Any]) -> None:
        answer = ollama_reply.ReplyWriter("m").completion({"message": message, "done": True})
        (back,) = translate_messages([json.loads(answer.body)["choices"][0]["message"]])
        assert back["content"] == message.get("content", "")
        assert back.get("thinking", "") == message.get("thinking", "")
        calls = [call["function"] for call in message.get("tool_calls") or []]
        assert [(call["function"]["name"], call["function"]["arguments"]) for call in back.get("tool_calls", [])] == [
            (call["name"], call.get("arguments") or {}) for call in calls
        ]

    @settings(deadline=None)
    @given(st.integers(1, 80), names, st.booleans())
    def test_what_ollama_gives_up_is_cut_and_nothing_else(self, times: int, piece: str, think: bool) -> None:
        part = {"thinking" if think else "content": f" {piece}"}
        wire = self.wire([{"content": "So:"}, *[part] * times], {}, b"\n").rsplit(b"\n", 2)[0] + b"\n"
        reader = ollama_reply.AnswerReader(PEER, pass_usage=False)
        seen = [*reader.feed(wire)]
        if times < 20:
            with pytest.raises(Exception, match="without its final object"):
                list(reader.close())
            return
        last = [*seen, *reader.close()][-1]
        assert (last.cut, last.finish_reason, last.usage) == (Cut.REPETITION, "length", Usage())


class TestOpenAIsAnswers:
    fragments = st.fixed_dictionaries(
        {"index": st.integers(0, 2), "function": st.fixed_dictionaries({"arguments": texts})}
    )
    parts = st.fixed_dictionaries(
        {},
        optional={
            "role": st.just("assistant"),
            "content": st.none() | texts,
            "reasoning_content": st.none() | texts,
            "reasoning": st.none() | texts,
            "tool_calls": st.lists(fragments, max_size=2),
        },
    )
    chunks = st.lists(parts, max_size=5).map(lambda found: [{"index": 0, "delta": delta} for delta in found])
    usages = st.none() | st.fixed_dictionaries(
        {"prompt_tokens": counts, "completion_tokens": counts},
        optional={
            "prompt_tokens_details": st.none() | st.fixed_dictionaries({"cached_tokens": counts}),
            "completion_tokens_details": st.none() | st.fixed_dictionaries({"reasoning_tokens": counts}),
        },
    )
    noise = st.sampled_from([b"", b": PROCESSING", b"event: message", b"id: 7", b"retry: 10"])

    def payloads(self, choices: Sequence[Any], usage: Any, finish: str) -> list[bytes]:
        found = [{"id": "x", "choices": [choice], "system_fingerprint": "fp"} for choice in choices]
        found.append({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        if usage is not None:
            found.append({"id": "x", "choices": [], "usage": usage})
        return [orjson.dumps(chunk) for chunk in found]

    def wire(self, payloads: Sequence[bytes], noise: bytes, end: bytes) -> bytes:
        before = noise + end if noise else b""
        return b"".join(before + b"data: " + payload + end + end for payload in [*payloads, b"[DONE]"])

    @settings(deadline=None)
    @given(chunks, usages, noise, line_ends, st.lists(st.integers(0), max_size=8), st.booleans())
    def test_split_anywhere_an_answer_is_the_same(
        self, choices: list[Any], usage: Any, noise: bytes, end: bytes, cuts: list[int], pass_usage: bool
    ) -> None:
        wire = self.wire(self.payloads(choices, usage, "stop"), noise, end)
        whole = read(openai_stream.AnswerReader(PEER, pass_usage=pass_usage), [wire])
        for pieces in splits(wire, cuts):
            assert read(openai_stream.AnswerReader(PEER, pass_usage=pass_usage), pieces) == whole

    @settings(deadline=None)
    @given(chunks, usages, noise, line_ends, st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
    @example([], {"prompt_tokens": 0, "completion_tokens": 0}, b"", b"\n", "stop")
    def test_everything_passes_byte_for_byte_and_is_understood(
        self, choices: list[Any], usage: Any, noise: bytes, end: bytes, finish: str
    ) -> None:
        payloads = self.payloads(choices, usage, finish)
        events = read(openai_stream.AnswerReader(PEER, pass_usage=True), [self.wire(payloads, noise, end)])
        assert [event.data for event in events if event.data is not None] == payloads
        found = [choice["delta"] for choice in choices]
        assert "".join(event.text for event in events) == "".join(delta.get("content") or "" for delta in found)
        thought = [
            first if (first := delta.get("reasoning_content")) is not None else delta.get("reasoning") or ""
            for delta in found
        ]
        assert [event.thinking for event in events[: len(found)]] == thought
        details = usage or {}
        expected = Usage(
            details.get("prompt_tokens"),
            details.get("completion_tokens"),
            (details.get("prompt_tokens_details") or {}).get("cached_tokens"),
            (details.get("completion_tokens_details") or {}).get("reasoning_tokens"),
        )
        assert (events[-1].finish_reason, events[-1].usage) == (finish, expected)

    @settings(deadline=None)
    @given(objects, objects, line_ends)
    def test_a_payload_over_several_lines_is_one(self, some: dict[str, Any], more: dict[str, Any], end: bytes) -> None:
        chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}], "a": some, "b": more}
        pretty = json.dumps(chunk, indent=1).encode()
        wire = b"".join(b"data: " + line + end for line in pretty.split(b"\n")) + end + b"data: [DONE]" + end + end
        whole = read(openai_stream.AnswerReader(PEER, pass_usage=False), [wire])
        assert (whole[0].data, whole[0].text) == (pretty, "Hi")
        for pieces in splits(wire, []):
            assert read(openai_stream.AnswerReader(PEER, pass_usage=False), pieces) == whole


# --- over HTTP, as whole answers and as streams -----------------------------------------------------------------------

tools = st.builds(ToolCall, names, objects, ids)
usages = st.builds(Usage, st.integers(1, 10**6), st.integers(1, 10**6))
replies = st.builds(
    Reply,
    text=texts,
    chunk_size=st.integers(1, 9),
    thinking=texts,
    tool_calls=st.lists(tools, max_size=2),
    usage=usages,
    finish_reason=st.sampled_from([None, "length"]),
)
Ask = Callable[[Reply], tuple[Completion, list[StreamEvent]]]


@pytest.fixture(scope="module", params=["ollama", "openai"])
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """What comes of a reply, as a whole answer and as a stream, from a server of each kind."""
    loop = asyncio.new_event_loop()
    server: Any = FakeOllama() if request.param == "ollama" else FakeOpenAI()
    loop.run_until_complete(server.__aenter__())
    ref = ModelRef(request.param, "m")
    backend: Any = (
        OllamaBackend(ref, server.base_url) if request.param == "ollama" else OpenAIBackend(ref, server.base_url, None)
    )

    async def both(reply: Reply) -> tuple[Completion, list[StreamEvent]]:
        server.will(reply, reply)
        call: BackendCall = make_backend_call(stream=True)
        return await backend.complete(call), [event async for event in backend.stream(call)]

    yield lambda reply: loop.run_until_complete(asyncio.wait_for(both(reply), 20))
    loop.run_until_complete(backend.aclose())
    loop.run_until_complete(server.__aexit__(None, None, None))
    loop.close()


@settings(deadline=None, max_examples=60)
@given(reply=replies)
def test_a_model_says_the_same_in_a_stream_as_at_once(ask: Ask, reply: Reply) -> None:
    answer, events = ask(reply)
    message = json.loads(answer.body)["choices"][0]["message"]
    text = "" if reply.tool_calls else reply.text
    calls = [(call.name, dict(call.arguments)) for call in reply.tool_calls]
    finish = reply.finish_reason or ("tool_calls" if calls else "stop")
    assert answer.text == "".join(event.text for event in events) == text
    assert message.get("reasoning_content", "") == "".join(event.thinking for event in events) == reply.thinking
    assert merged_calls(deltas(events)) == calls
    found = [call["function"] for call in message.get("tool_calls", [])]
    assert [(call["name"], json.loads(call["arguments"])) for call in found] == calls
    assert (answer.finish_reason, answer.usage) == (finish, reply.usage)
    assert (events[-1].finish_reason, events[-1].usage) == (finish, reply.usage)
