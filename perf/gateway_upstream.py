"""The model server of `gateway.py`: answers at once, whole or in 200 chunks. Prints its base URL when it listens."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

CHUNKS = 200
_HEAD = {"id": "chatcmpl-perf", "created": 0, "model": "perf"}
_USAGE = {"prompt_tokens": 700, "completion_tokens": CHUNKS, "total_tokens": 700 + CHUNKS}


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({**_HEAD, "object": "chat.completion.chunk", "choices": [choice]})


def _data(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


_MESSAGE = {"role": "assistant", "content": "word " * CHUNKS}
_CHOICE = {"index": 0, "message": _MESSAGE, "finish_reason": "stop"}
_WHOLE = json.dumps({**_HEAD, "object": "chat.completion", "choices": [_CHOICE], "usage": _USAGE}).encode()
_EVENTS = [
    *(_event({"content": f"word{number} "}) for number in range(CHUNKS)),
    _event({}, "stop"),
    _data({**_HEAD, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE}),
    b"data: [DONE]\n\n",
]


async def chat(request: web.Request) -> web.StreamResponse:
    if not json.loads(await request.read()).get("stream"):
        return web.Response(body=_WHOLE, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in _EVENTS:
        await response.write(event)
    await response.write_eof()
    return response


async def models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "perf", "object": "model"}]})


async def serve(app: web.Application) -> None:
    """Listen on a free loopback port until the process is ended."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"serving at http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    upstream = web.Application()
    upstream.add_routes([web.post("/v1/chat/completions", chat), web.get("/v1/models", models)])
    asyncio.run(serve(upstream))
