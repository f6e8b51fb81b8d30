"""The shapes of OpenAI's chat API as the gateway reads and writes them."""

from __future__ import annotations

from typing import Any

import orjson

from pytest_hybrideval.core.domain import ChatRequest
from pytest_hybrideval.core.errors import RequestRefused

DONE = b"data: [DONE]\n\n"


def parse_request(body: bytes) -> ChatRequest:
    """The agent's request. Raises `RequestRefused` naming the field that is not as the API has it."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(f"the request body is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise RequestRefused("the request body is not a JSON object")
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestRefused("'messages' must be a list of at least one message")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise RequestRefused(f"'messages[{index}]' must be an object with a 'role'")
    if not isinstance(data.get("stream", False), bool):
        raise RequestRefused("'stream' must be true or false")
    return ChatRequest(data)


def event(data: bytes) -> bytes:
    """A payload as a server-sent event: one `data:` line per line of it, so that no line break ends it early."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"


def error_json(message: str, kind: str, code: str | None = None) -> bytes:
    """An error as OpenAI's API writes it."""
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})


def model_list(name: str) -> dict[str, Any]:
    """The answer of `GET /v1/models`: the one model that agents see."""
    return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "hybrideval"}]}
