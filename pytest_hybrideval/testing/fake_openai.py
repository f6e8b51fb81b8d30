"""A fake of an OpenAI-compatible server: chat completions, whole and streamed, embeddings, and the list of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from pytest_hybrideval.core.domain import Usage
from pytest_hybrideval.testing.fake_server import FakeServer, Responder
from pytest_hybrideval.testing.replies import Behaviour, Fault, Reply, vector_of

_ID = "chatcmpl-fake"
_FAULTS: Mapping[str, tuple[str, str, str | None]] = {
    "unauthorized": ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    "model_missing": ("The model `{model}` does not exist.", "invalid_request_error", "model_not_found"),
    "context_overflow": (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "invalid_request_error",
        "context_length_exceeded",
    ),
    "bad_request": ("", "invalid_request_error", None),
    "rate_limited": ("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
    "server_error": ("The server had an error while processing your request.", "server_error", None),
}


class FakeOpenAI(FakeServer):
    """An OpenAI-compatible server. `base_url` ends in `/v1`.

    `api_key`, where given, is the only key accepted. `models` are those that exist; None stands for every name.
    `lists_models` and `retrieves_models` False are servers without `/v1/models` and without `/v1/models/NAME`.
    """

    chat_path = "/v1/chat/completions"

    def __init__(
        self,
        *script: Behaviour,
        default: Behaviour | Responder | None = None,
        api_key: str | None = None,
        models: Sequence[str] | None = None,
        lists_models: bool = True,
        retrieves_models: bool = True,
        model_facts: Mapping[str, Any] | None = None,
    ) -> None:
        """`model_facts` are added to each model in the list, such as vLLM's `max_model_len`."""
        super().__init__(*script, default=default)
        self._key = api_key
        self._models = models
        self._lists_models = lists_models
        self._retrieves_models = retrieves_models
        self._facts = model_facts or {}

    @property
    def base_url(self) -> str:
        """What precedes `/chat/completions`."""
        return f"{self.url}/v1"

    def routes(self) -> list[web.RouteDef]:
        """Chat, embeddings and, unless switched off, models."""
        routes = [web.post(self.chat_path, self.chat), web.post("/v1/embeddings", self._embed)]
        if self._lists_models:
            routes.append(web.get("/v1/models", self._list))
        if self._retrieves_models:
            routes.append(web.get("/v1/models/{name:.+}", self._retrieve))
        return routes

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Check key and model, then follow the script."""
        body = await request.json()
        return self._refusal(request, str(body.get("model"))) or await super().chat(request)

    def streams(self, body: Mapping[str, Any]) -> bool:
        """Only if asked to."""
        return bool(body.get("stream"))

    def fault_body(self, fault: Fault, model: str) -> Mapping[str, Any]:
        """`{"error": {message, type, param, code}}`."""
        message, kind, code = _FAULTS[fault.kind]
        text = fault.message or message.format(model=model)
        return {"error": {"message": text, "type": kind, "param": None, "code": code}}

    def stream_error(self, reply: Reply) -> bytes:
        """An event with an error object."""
        return _event({"error": {"message": reply.error, "type": "server_error", "code": None}})

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A `chat.completion`."""
        message: dict[str, Any] = {"role": "assistant", "content": reply.whole}
        if reply.thinking:
            message["reasoning_content"] = reply.thinking
        if reply.tool_calls:
            message.update(content=None, tool_calls=_tool_calls(reply))
        choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
        answer = {**_head(reply, body, "chat.completion"), "choices": [choice]}
        return answer if reply.usage is None else {**answer, "usage": _usage(reply.usage)}

    def streamed(self, reply: Reply, body: Mapping[str, Any]) -> tuple[list[bytes], list[bytes]]:
        """`chat.completion.chunk` events; a usage chunk only if asked for, then null in all others, as at OpenAI."""
        head = _head(reply, body, "chat.completion.chunk")
        asked = bool((body.get("stream_options") or {}).get("include_usage"))
        silent: dict[str, Any] = {"usage": None} if asked else {}

        def chunk(delta: Mapping[str, Any], reason: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            return _event({**head, "choices": [choice], **silent})

        pieces = [chunk({"role": "assistant", "content": None}), *(chunk(delta) for delta in _deltas(reply))]
        ending = [chunk({}, _finish(reply))]
        if asked and reply.usage is not None:
            ending.append(_event({**head, "choices": [], "usage": _usage(reply.usage)}))
        return pieces, [*ending, b"data: [DONE]\n\n"]

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()

        def answer(texts: list[str]) -> Mapping[str, Any]:
            data = [{"object": "embedding", "index": n, "embedding": vector_of(text)} for n, text in enumerate(texts)]
            tokens = sum(len(text.split()) for text in texts)
            usage = {"prompt_tokens": tokens, "total_tokens": tokens}
            return {"object": "list", "model": body.get("model"), "data": data, "usage": usage}

        return self._refusal(request, str(body.get("model"))) or await self.embed(request, answer)

    async def _list(self, request: web.Request) -> web.Response:
        entries = [self._entry(name) for name in self._models or ()]
        return self._refusal(request, None) or web.json_response({"object": "list", "data": entries})

    async def _retrieve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return self._refusal(request, name) or web.json_response(self._entry(name))

    def _entry(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": 0, "owned_by": "fake", **self._facts}

    def _refusal(self, request: web.Request, model: str | None) -> web.Response | None:
        if self._key is not None and request.headers.get("Authorization") != f"Bearer {self._key}":
            return self.refuse(Fault.unauthorized(), "")
        if model is not None and self._models is not None and model not in self._models:
            return self.refuse(Fault.model_missing(), model)
        return None


def _deltas(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.thinking:
        yield {"reasoning_content": reply.thinking}
    for call in _tool_calls(reply):
        yield {"tool_calls": [call]}
    for piece in () if reply.tool_calls else reply.pieces:
        yield {"content": piece}


def _tool_calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "id": call.id or f"call_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": orjson.dumps(call.arguments).decode()},
        }
        for index, call in enumerate(reply.tool_calls)
    ]


def _finish(reply: Reply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def _head(reply: Reply, body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    head = {"id": _ID, "object": kind, "created": 0, "model": body.get("model")}
    return head if reply.fingerprint is None else {**head, "system_fingerprint": reply.fingerprint}


def _usage(usage: Usage) -> dict[str, Any]:
    told: dict[str, Any] = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": (usage.prompt or 0) + (usage.completion or 0),
    }
    if usage.cached is not None:
        told["prompt_tokens_details"] = {"cached_tokens": usage.cached}
    if usage.reasoning is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return told


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"
