"""What `gateway.py` compares with: the same job (key, decision, call, tokens, record) done with the official SDK.

    python perf/gateway_sdk.py UPSTREAM_BASE_URL

As a router is usually written: the SDK calls the model, and each chunk that it has parsed is serialised again.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from typing import Any

from aiohttp import web
from gateway_upstream import serve
from openai import AsyncOpenAI

from pytest_hybrideval.core.domain import Answer, ChatRequest
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.strategies.always import AlwaysCloud

KEY = "sk-perf"


async def no_classifier(question: str) -> Answer:
    raise AssertionError("the strategy asks nobody")


class Router:
    """One upstream, one strategy, and a record of the latest calls."""

    def __init__(self, upstream: str) -> None:
        self._sdk = AsyncOpenAI(base_url=upstream, api_key="none", max_retries=4)
        self._records: deque[dict[str, Any]] = deque(maxlen=1000)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "unknown key"}}, status=401)
        started = time.perf_counter()
        body = json.loads(await request.read())
        context = RoutingContext(None, 0, (), no_classifier)
        decision = await AlwaysCloud().decide(ChatRequest(body), context)
        record = {"tier": decision.tier, "reason": decision.reason}
        body["model"] = "perf"
        if body.get("stream"):
            response = await self._stream(request, body, record)
        else:
            completion = await self._sdk.chat.completions.create(**body)
            record["usage"] = completion.usage
            response = web.Response(text=completion.model_dump_json(), content_type="application/json")
        self._records.append({**record, "seconds": time.perf_counter() - started})
        return response

    async def _stream(self, request: web.Request, body: dict[str, Any], record: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        chunks = await self._sdk.chat.completions.create(**body, stream_options={"include_usage": True})
        await response.prepare(request)
        async for chunk in chunks:
            record["usage"] = chunk.usage
            if chunk.choices:
                await response.write(f"data: {chunk.model_dump_json()}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response


async def main() -> None:
    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", Router(sys.argv[1]).chat)])
    await serve(app)


if __name__ == "__main__":
    asyncio.run(main())
