"""An OpenAI chat request in the words of Ollama's `/api/chat`. What cannot be said there is refused, never dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_hybrideval.backends.ollama_messages import translate_messages
from pytest_hybrideval.core.errors import RequestRefused
from pytest_hybrideval.core.protocols import BackendCall, Sampling

_OPTIONS = ("top_p", "top_k", "min_p", "repeat_penalty", "frequency_penalty", "presence_penalty")
_SET_BY_US = frozenset({"model", "messages", "seed", "temperature", "max_tokens", "max_completion_tokens"})
_TRANSLATED = frozenset({"stream", "stream_options", "stop", "tools", "response_format", "reasoning_effort", *_OPTIONS})
_LABELS = frozenset(  # of no influence on the answer
    {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"}
)
_HARMLESS: Mapping[str, Callable[[Any], bool]] = {  # fields we cannot say, with the values that ask for nothing
    "n": lambda value: value == 1,
    "logprobs": lambda value: value is False,
    "top_logprobs": lambda value: value == 0,
    "logit_bias": lambda value: value == {},
    "tool_choice": lambda value: value in ("auto", "none"),
    "parallel_tool_calls": lambda value: value is True,
    "modalities": lambda value: value == ["text"],
}
_EFFORTS: Mapping[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
}
# Without these Ollama forgets the oldest messages of a request that does not fit, or of an answer that grows too long.
# They are sent with every request, also because a change of `shift` reloads the model.
FAIL_ON_OVERFLOW = {"truncate": False, "shift": False}


def ollama_body(call: BackendCall, model: str, *, stream: bool) -> dict[str, Any]:
    """The body for `/api/chat`. Raises `RequestRefused` naming the field that Ollama has no word for."""
    asked = {name: value for name, value in call.request.body.items() if value is not None}
    _refuse_untranslatable(asked)
    body: dict[str, Any] = {
        "model": model,
        "messages": translate_messages(call.request.messages),
        "stream": stream,
        "options": _options(call, asked),
        **FAIL_ON_OVERFLOW,
        **residence(call.sampling),
    }
    if asked.get("tools") and asked.get("tool_choice") != "none":
        body["tools"] = _tools(asked["tools"])
    if (form := _format(asked.get("response_format"))) is not None:
        body["format"] = form
    if "think" not in body and "reasoning_effort" in asked:
        body["think"] = _think(asked["reasoning_effort"])
    return body


def sampling_options(sampling: Sampling, temperature: float | None, limit: int | None) -> dict[str, Any]:
    """Ollama's `options` for what the user and the trial set: seed, temperature, num_ctx, num_predict."""
    chosen = {"seed": sampling.seed, "temperature": temperature, "num_ctx": sampling.num_ctx, "num_predict": limit}
    return {name: value for name, value in chosen.items() if value is not None}


def residence(sampling: Sampling) -> dict[str, Any]:
    """`think` and `keep_alive`, where they are set. A number as text means seconds, which Ollama takes as a number."""
    chosen: dict[str, Any] = {}
    if sampling.think is not None:
        chosen["think"] = sampling.think
    if sampling.keep_alive is not None:
        text = sampling.keep_alive.strip()
        chosen["keep_alive"] = int(text) if text.lstrip("-").isdigit() else text
    return chosen


def _refuse_untranslatable(asked: Mapping[str, Any]) -> None:
    for name, value in asked.items():
        if name in _SET_BY_US or name in _TRANSLATED or name in _LABELS:
            continue
        harmless = _HARMLESS.get(name)
        if harmless is None or not harmless(value):
            raise RequestRefused(f"'{name}' has no counterpart in Ollama's API; leave it out or use an openai/ model")


def _options(call: BackendCall, asked: Mapping[str, Any]) -> dict[str, Any]:
    options = sampling_options(call.sampling, call.temperature, call.max_tokens)
    if call.sampling.seed is None and "seed" in asked:
        if call.seed is None:
            raise RequestRefused("'seed' must be a whole number")
        options["seed"] = call.seed
    options.update({name: asked[name] for name in _OPTIONS if name in asked})
    if "stop" in asked:
        options["stop"] = [asked["stop"]] if isinstance(asked["stop"], str) else asked["stop"]
    return options


def _tools(tools: Any) -> Any:
    for index, tool in enumerate(tools):
        if not isinstance(tool, Mapping) or tool.get("type", "function") != "function":
            raise RequestRefused(f"'tools[{index}]' is no function, and Ollama knows no other tools")
    return tools


def _format(response_format: Any) -> Any:
    if response_format is None:
        return None
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return "json"
    schema = response_format.get("json_schema") if kind == "json_schema" else None
    if isinstance(schema, Mapping) and isinstance(schema.get("schema"), Mapping):
        return schema["schema"]
    raise RequestRefused("'response_format' must be of type text, json_object or json_schema with a schema")


def _think(effort: Any) -> bool | str:
    try:
        return _EFFORTS[effort]
    except (KeyError, TypeError):
        raise RequestRefused(f"'reasoning_effort' must be one of {', '.join(_EFFORTS)} for an Ollama model") from None
