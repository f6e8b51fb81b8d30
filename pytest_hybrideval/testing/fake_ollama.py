"""A fake Ollama: chat as NDJSON, models with digests, version, embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from pytest_hybrideval.testing.fake_server import FakeServer, Responder
from pytest_hybrideval.testing.replies import Behaviour, Fault, Reply, vector_of

_WHEN = "2026-01-01T00:00:00Z"
_FAULTS: Mapping[str, str] = {
    "unauthorized": "unauthorized",
    "model_missing": "model '{model}' not found",
    "context_overflow": "the prompt is longer than the context length currently available to the model",
    "rate_limited": "too many concurrent requests",
    "server_error": "server busy, please try again. maximum pending requests exceeded",
}


class FakeOllama(FakeServer):
    """An Ollama server. `models` are those that have been pulled; None stands for every name.

    `version` None is a server that does not know `/api/version`.
    """

    chat_path = "/api/chat"
    stream_type = "application/x-ndjson"

    def __init__(
        self,
        *script: Behaviour,
        default: Behaviour | Responder | None = None,
        models: Sequence[str] | None = None,
        version: str | None = "0.33.0",
        context_length: int = 8192,
    ) -> None:
        """`context_length` is what `/api/show` says of every model."""
        super().__init__(*script, default=default)
        self._models = models
        self._version = version
        self._context_length = context_length

    @property
    def base_url(self) -> str:
        """What precedes `/api/chat`."""
        return self.url

    @staticmethod
    def digest(name: str) -> str:
        """The digest that this server gives to a model."""
        return hashlib.sha256(name.encode()).hexdigest()

    def routes(self) -> list[web.RouteDef]:
        """The part of Ollama's API that clients of a model use."""
        version = [web.get("/api/version", self._say_version)] if self._version else []
        return [
            web.post(self.chat_path, self.chat),
            web.get("/api/tags", self._tags),
            web.post("/api/show", self._show),
            web.post("/api/embed", self._embed),
            *version,
        ]

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Check the model, then follow the script."""
        body = await request.json()
        return self._refusal(body) or await super().chat(request)

    def streams(self, body: Mapping[str, Any]) -> bool:
        """Unless told not to."""
        return bool(body.get("stream", True))

    def fault_body(self, fault: Fault, model: str) -> Mapping[str, Any]:
        """`{"error": "..."}`."""
        return {"error": fault.message or _FAULTS[fault.kind].format(model=model)}

    def stream_error(self, reply: Reply) -> bytes:
        """A line with an error."""
        return orjson.dumps({"error": reply.error}) + b"\n"

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """One object; without the end marker it has `done: false` and no counts, as after endless repetition."""
        message: dict[str, Any] = {"role": "assistant", "content": reply.whole}
        if reply.thinking:
            message["thinking"] = reply.thinking
        if reply.tool_calls:
            message.update(content="", tool_calls=_tool_calls(reply))
        head = {"model": body.get("model"), "created_at": _WHEN, "message": message}
        return {**head, **_final(reply)} if reply.end_marker else {**head, "done": False}

    def streamed(self, reply: Reply, body: Mapping[str, Any]) -> tuple[list[bytes], list[bytes]]:
        """A line for each piece, then the final object."""

        def line(message: Mapping[str, Any], **rest: Any) -> bytes:
            said = {"role": "assistant", "content": "", **message}
            head = {"model": body.get("model"), "created_at": _WHEN, "message": said}
            return orjson.dumps({**head, "done": False, **rest}) + b"\n"

        pieces = [line({"thinking": reply.thinking})] if reply.thinking else []
        pieces += [line({"tool_calls": [call]}) for call in _tool_calls(reply)]
        pieces += [] if reply.tool_calls else [line({"content": piece}) for piece in reply.pieces]
        return pieces, [line({}, **_final(reply))]

    def _refusal(self, body: Mapping[str, Any]) -> web.Response | None:
        model = str(body.get("model"))
        if self._models is None or model in self._models or f"{model}:latest" in self._models:
            return None
        return self.refuse(Fault.model_missing(), model)

    async def _say_version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": self._version})

    async def _tags(self, request: web.Request) -> web.Response:
        models = [
            {"name": name, "model": name, "modified_at": _WHEN, "size": 1, "digest": self.digest(name), "details": {}}
            for name in self._models or ()
        ]
        return web.json_response({"models": models})

    async def _show(self, request: web.Request) -> web.Response:
        facts = {"general.architecture": "fake", "fake.context_length": self._context_length}
        answer = {"details": {"family": "fake"}, "model_info": facts, "capabilities": ["completion", "tools"]}
        return self._refusal(await request.json()) or web.json_response(answer)

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()

        def answer(texts: list[str]) -> Mapping[str, Any]:
            counted = {"prompt_eval_count": sum(len(text.split()) for text in texts)}
            return {"model": body["model"], "embeddings": [vector_of(text) for text in texts], **counted}

        return self._refusal(body) or await self.embed(request, answer)


def _final(reply: Reply) -> dict[str, Any]:
    counts: dict[str, Any] = {"total_duration": 3_000_000, "load_duration": 1_000_000}
    if reply.usage is not None:
        told = {"prompt_eval_count": reply.usage.prompt, "eval_count": reply.usage.completion}
        counts.update({name: count for name, count in told.items() if count})  # Ollama leaves zeros out
    return {"done": True, "done_reason": reply.finish_reason or "stop", **counts}


def _tool_calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "function": {"index": index, "name": call.name, "arguments": call.arguments},
            **({"id": call.id} if call.id else {}),
        }
        for index, call in enumerate(reply.tool_calls)
    ]
