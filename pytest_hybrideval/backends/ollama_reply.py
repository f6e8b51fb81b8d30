"""Answers of Ollama's `/api/chat` in the shapes of OpenAI's chat API. No I/O."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from pytest_hybrideval.backends.faults import Peer, answer_fault
from pytest_hybrideval.backends.repetition import ends_in_repeats
from pytest_hybrideval.backends.sse import LineSplitter
from pytest_hybrideval.core.domain import Completion, Cut, StreamEvent, Usage
from pytest_hybrideval.core.errors import StreamBroken

_NO_ANSWER = ("load", "unload")
# Ollama gives an answer up at the 32nd piece in a row that is the same, blanks around it aside, and sends no final
# object then. Where it took thinking or tool calls out of the text, some of the pieces do not reach us.
_GIVEN_UP_AFTER = 20


def read_usage(final: Mapping[str, Any]) -> Usage:
    """Tokens of a final object; None where Ollama left them out, as it does with zeros and some cached prompts."""
    return Usage(
        prompt=_count(final, "prompt_eval_count"),
        completion=_count(final, "eval_count"),
        cached=_count(final, "prompt_eval_cached_count"),  # part of the prompt's; releases of 2026 tell it
    )


def given_up(answer: Mapping[str, Any]) -> bool:
    """Whether a whole answer is one that Ollama gave up because the model repeated itself without end."""
    message = answer.get("message") or {}
    text = message.get("content") or message.get("thinking") or ""
    return answer.get("done") is not True and ends_in_repeats(text, _GIVEN_UP_AFTER)


def checked(peer: Peer, line: bytes) -> dict[str, Any]:
    """One object of an answer. Raises `BackendError` (retryable) for an error, `StreamBroken` for anything else."""
    try:
        part = orjson.loads(line)
    except orjson.JSONDecodeError:
        part = None
    if not isinstance(part, dict) or not isinstance(part.get("message", {}), dict):
        raise StreamBroken(
            f"{peer.name} sent a line that is no object of a chat; the answer is incomplete", retryable=True
        )
    if part.get("error"):
        raise answer_fault(peer, part, retryable=True)
    return part


def check_ended(peer: Peer, final: Mapping[str, Any]) -> None:
    """Raise `StreamBroken` unless `final` ends an answer.

    Not retryable is an end without a final object, nor a `done_reason` that says a request without messages loaded or
    unloaded the model: the same request would come to the same end.
    """
    if final.get("done") is not True:
        raise StreamBroken(
            f"{peer.name} ended the answer of '{peer.model}' without its final object; the answer is incomplete"
        )
    if final.get("done_reason") in _NO_ANSWER:
        raise StreamBroken(f"{peer.name} said '{final['done_reason']}' instead of answering; the request asks nothing")


class ReplyWriter:
    """Turns the objects of one answer into chunks of one chat completion: same id and time, role first."""

    def __init__(self, model: str) -> None:
        """`model` is named in every chunk."""
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
        self._calls = 0
        self._begun = False

    def delta(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What a message says, in OpenAI's words: content, reasoning_content, tool_calls. Empty where nothing."""
        said: dict[str, Any] = {}
        if content := message.get("content"):
            said["content"] = content
        if thinking := message.get("thinking"):
            said["reasoning_content"] = thinking
        if calls := message.get("tool_calls"):
            said["tool_calls"] = [{"index": self._next_call(), **_tool_call(call)} for call in calls]
        return said

    def finish_reason(self, final: Mapping[str, Any]) -> str:
        """OpenAI's word for why the answer ended."""
        reason = str(final.get("done_reason") or "stop")
        return "tool_calls" if reason == "stop" and self._calls else reason

    def chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
        """A chunk with one choice."""
        if not self._begun:
            self._begun, delta = True, {"role": "assistant", "content": "", **delta}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return orjson.dumps({**self._head, "object": "chat.completion.chunk", "choices": [choice]})

    def usage_chunk(self, usage: Usage) -> bytes | None:
        """The chunk for usage alone; None where it is unknown, because OpenAI's shape has no word for that."""
        if (told := _usage_json(usage)) is None:
            return None
        return orjson.dumps({**self._head, "object": "chat.completion.chunk", "choices": [], "usage": told})

    def completion(self, answer: Mapping[str, Any]) -> Completion:
        """A whole answer."""
        said = {"role": "assistant", "content": None, **self.delta(answer.get("message") or {})}
        if "tool_calls" not in said:
            said["content"] = said["content"] or ""
        cut = Cut.REPETITION if given_up(answer) else None
        usage, finish = read_usage(answer), self.finish_reason(answer) if cut is None else "length"
        choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": finish}
        body = {**self._head, "object": "chat.completion", "choices": [choice]}
        if told := _usage_json(usage):
            body["usage"] = told
        return Completion(orjson.dumps(body), said["content"] or "", finish, usage, cut=cut)

    def _next_call(self) -> int:
        self._calls += 1
        return self._calls - 1


class AnswerReader:
    """Reads one streamed answer, from NDJSON bytes to events. `done` is true from the final object on.

    The last event always carries finish_reason and usage; its data is the usage chunk if `pass_usage`, else None. An
    answer that Ollama gave up because the model repeated itself ends with finish_reason "length" and `cut`.
    """

    def __init__(self, peer: Peer, *, pass_usage: bool) -> None:
        """`peer` is named in chunks and errors."""
        self.done = False
        self._peer = peer
        self._pass_usage = pass_usage
        self._lines = LineSplitter()
        self._writer = ReplyWriter(peer.model)
        self._piece = ""
        self._times = 0

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """The events of the lines that `chunk` completes. Raises `StreamBroken` or `BackendError`."""
        return self._events(self._lines.feed(chunk))

    def close(self) -> Iterator[StreamEvent]:
        """The last events. Raises `StreamBroken` unless the final object was seen."""
        if not self.done:
            yield from self._events([self._lines.flush()])
        if not self.done:
            if self._times < _GIVEN_UP_AFTER:
                check_ended(self._peer, {})
            yield StreamEvent(self._writer.chunk({}, "length"), finish_reason="length")
            yield StreamEvent(None, finish_reason="length", usage=Usage(), cut=Cut.REPETITION)

    def _events(self, lines: list[bytes]) -> Iterator[StreamEvent]:
        for line in lines:
            if line.strip() and not self.done:
                yield from self._read(checked(self._peer, line))

    def _read(self, part: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if part.get("done"):
            check_ended(self._peer, part)
        delta = self._writer.delta(part.get("message") or {})
        text, thinking = delta.get("content", ""), delta.get("reasoning_content", "")
        self._hear((text or thinking).strip())
        if delta or not part.get("done"):
            yield StreamEvent(self._writer.chunk(delta), text=text, thinking=thinking)
        if part.get("done"):
            self.done = True
            finish, usage = self._writer.finish_reason(part), read_usage(part)
            yield StreamEvent(self._writer.chunk({}, finish), finish_reason=finish)
            data = self._writer.usage_chunk(usage) if self._pass_usage else None
            yield StreamEvent(data, finish_reason=finish, usage=usage)

    def _hear(self, piece: str) -> None:
        self._times = self._times + 1 if piece == self._piece else 1
        self._piece = piece


def _count(final: Mapping[str, Any], name: str) -> int | None:
    value = final.get(name)
    return value if isinstance(value, int) else None


def _tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function") or {}
    arguments = function.get("arguments") or {}  # null where the model gave none
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    return {
        "id": call.get("id") or f"call_{uuid.uuid4().hex[:24]}",
        "type": "function",
        "function": {"name": function.get("name", ""), "arguments": text},
    }


def _usage_json(usage: Usage) -> dict[str, int] | None:
    if usage.prompt is None or usage.completion is None:
        return None
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }
