"""OpenAI's chat API: the body we send in place of the agent's, and what an answer says beside its bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from pytest_hybrideval.backends.quirks import Quirks
from pytest_hybrideval.core.domain import StreamEvent, Usage
from pytest_hybrideval.core.errors import RequestRefused
from pytest_hybrideval.core.protocols import BackendCall

_TOKEN_LIMITS = ("max_completion_tokens", "max_tokens")
_THINKING = ("reasoning_content", "reasoning")  # DeepSeek, llama.cpp and Ollama; vLLM and OpenRouter


def sent_temperature(call: BackendCall, quirks: Quirks) -> float | None:
    """The temperature that goes out: none that only the agent asked for, where the model refuses any."""
    only_the_agents = isinstance(call.sampling.temperature, str)
    return None if only_the_agents and not quirks.temperature else call.temperature


def wants_usage(body: Mapping[str, Any]) -> bool:
    """Whether the agent asked for the usage chunk of a streamed answer."""
    options = body.get("stream_options")
    return isinstance(options, Mapping) and bool(options.get("include_usage"))


def upstream_body(call: BackendCall, model: str, quirks: Quirks, *, stream: bool) -> dict[str, Any]:
    """The agent's body with our model, seed, temperature, token limit and stream flags; the rest is as it came.

    Raises `RequestRefused` where the agent's `stream_options` are no object.
    """
    body = dict(call.request.body)
    body["model"] = model
    if call.sampling.seed is not None:
        body["seed"] = call.sampling.seed
    temperature = sent_temperature(call, quirks)
    if temperature is None:
        body.pop("temperature", None)
    else:
        body["temperature"] = temperature
    _limit_tokens(body, call.max_tokens, quirks.token_limit)
    if stream:
        options = body.get("stream_options") or {}
        if not isinstance(options, Mapping):
            raise RequestRefused("'stream_options' must be an object")
        body.update(stream=True, stream_options={**options, "include_usage": True})
    else:
        body.pop("stream_options", None)
        body["stream"] = False
    return body


def _limit_tokens(body: dict[str, Any], limit: int | None, key: str) -> None:
    """Write the limit under the keys that the agent used, else under the model's own."""
    if limit is None:
        return
    for name in [name for name in _TOKEN_LIMITS if name in body] or [key]:
        asked = body.get(name)
        body[name] = min(asked, limit) if isinstance(asked, int) else limit


def parse(data: bytes) -> Any:
    """JSON as servers write it. Raises `ValueError`.

    Servers that stream a character in two halves escape lone surrogates, which orjson refuses and `json` takes.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def read_usage(usage: Any) -> Usage:
    """Tokens from a `usage` object; None for what it does not say."""
    if not isinstance(usage, Mapping):
        return Usage()
    return Usage(
        prompt=_count(usage, "prompt_tokens"),
        completion=_count(usage, "completion_tokens"),
        cached=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning=_count(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def read_chunk(data: bytes, chunk: Mapping[str, Any]) -> StreamEvent:
    """A streamed chunk as an event that carries `data`; text and finish_reason are those of the first choice."""
    first = _first_choice(chunk)
    usage = chunk.get("usage")
    return StreamEvent(
        data,
        text=_text(first.get("delta")),
        finish_reason=first.get("finish_reason"),
        usage=read_usage(usage) if usage else None,
        fingerprint=chunk.get("system_fingerprint"),
        model=read_model(chunk),
        thinking=_text(first.get("delta"), *_THINKING),
    )


def read_message(answer: Mapping[str, Any]) -> tuple[str, str | None]:
    """Text and finish_reason of a whole answer's first choice."""
    first = _first_choice(answer)
    return _text(first.get("message")), first.get("finish_reason")


def read_model(answer: Mapping[str, Any]) -> str | None:
    """What a chunk or a whole answer calls its model."""
    name = answer.get("model")
    return name if isinstance(name, str) and name else None


def _first_choice(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, Mapping) and choice.get("index", 0) == 0:
            return choice
    return {}


def _text(message: Any, *names: str) -> str:
    """The first text under one of the names, by default the content; lone surrogates are replaced."""
    fields = message if isinstance(message, Mapping) else {}
    said = (fields.get(name) for name in names or ("content",))
    return next((text.encode(errors="replace").decode() for text in said if isinstance(text, str)), "")


def _count(numbers: Any, key: str) -> int | None:
    value = numbers.get(key) if isinstance(numbers, Mapping) else None
    return value if isinstance(value, int) else None
