"""The messages of an OpenAI chat request as Ollama's `/api/chat` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pytest_hybrideval.core.errors import RequestRefused

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}


def translate_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All messages, in order. Raises `RequestRefused` naming the part that cannot be said."""
    tool_names: dict[str, str] = {}
    return [_message(message, f"messages[{index}]", tool_names) for index, message in enumerate(messages)]


def _message(message: Mapping[str, Any], where: str, tool_names: dict[str, str]) -> dict[str, Any]:
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise RequestRefused(f"'{where}.role' must be one of {', '.join(_ROLES)} for an Ollama model")
    for name in ("audio", "function_call"):
        if message.get(name) is not None:
            raise RequestRefused(f"'{where}.{name}' has no counterpart in Ollama's API")
    text, images = _content(message.get("content"), f"{where}.content")
    told: dict[str, Any] = {"role": role, "content": text}
    if images:
        told["images"] = images
    if thinking := message.get("reasoning_content") or message.get("reasoning"):
        told["thinking"] = thinking
    if calls := message.get("tool_calls"):
        told["tool_calls"] = [
            _tool_call(call, index, f"{where}.tool_calls[{index}]", tool_names) for index, call in enumerate(calls)
        ]
    if role == "tool":
        told.update(_tool_result(message, tool_names))
    return told


def _content(content: Any, where: str) -> tuple[str, list[str]]:
    """Text and base64 images. Parts are joined by a line end, since each stands for a paragraph of its own."""
    if content is None or isinstance(content, str):
        return content or "", []
    if not isinstance(content, list):
        raise RequestRefused(f"'{where}' must be text or a list of parts")
    texts: list[str] = []
    images: list[str] = []
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url":
            images.append(_image(part.get("image_url"), f"{where}[{index}].image_url"))
        else:
            raise RequestRefused(f"'{where}[{index}]' is neither text nor image_url, and Ollama takes nothing else")
    return "\n".join(texts), images


def _image(image: Any, where: str) -> str:
    url = image.get("url") if isinstance(image, Mapping) else image
    header, comma, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not comma or not header.startswith("data:") or not header.endswith(";base64"):
        raise RequestRefused(f"'{where}' must be a base64 data URL: Ollama fetches no images")
    return str(data)


def _tool_call(call: Any, index: int, where: str, tool_names: dict[str, str]) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise RequestRefused(f"'{where}' is no function call, and Ollama knows no other")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError as error:
            raise RequestRefused(f"'{where}.function.arguments' is not JSON: {error}") from None
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        raise RequestRefused(f"'{where}.function.arguments' must be a JSON object")
    told: dict[str, Any] = {"function": {"index": index, "name": function["name"], "arguments": arguments}}
    if isinstance(call.get("id"), str):
        tool_names[call["id"]] = function["name"]
        told["id"] = call["id"]
    return told


def _tool_result(message: Mapping[str, Any], tool_names: Mapping[str, str]) -> dict[str, Any]:
    """What an OpenAI client says by `tool_call_id` Ollama wants by name, which an earlier call of that id tells."""
    call_id = message.get("tool_call_id")
    name = message.get("name") or tool_names.get(str(call_id))
    return {key: value for key, value in (("tool_name", name), ("tool_call_id", call_id)) if value is not None}
