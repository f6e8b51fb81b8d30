"""What the fake model servers share: a script, a list of what was received, and a life of its own on a free port."""

from __future__ import annotations

import asyncio
import socket
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import orjson
from aiohttp import web
from typing_extensions import Self

from pytest_hybrideval.testing.replies import Behaviour, Fault, Raw, Reply

Responder = Callable[["ReceivedRequest"], Behaviour]


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it arrived. `headers` ignore case; `body` is the parsed JSON, None where there was no body.

    Requests with the same `client_port` came over the same connection.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    client_port: int


class FakeServer(ABC):
    """A model server that follows a script. `async with` runs it in the current loop, `with` in a thread of its own.

    Chat requests take the next behaviour of the script; when it is used up, `default`, which may be a function of the
    request. `requests` holds everything received, oldest first, `chats` the chat requests alone.

    Requests for embeddings have a script of their own (`will_embed`), and are else answered with `vector_of` each text.
    """

    chat_path: str

    def __init__(self, *script: Behaviour, default: Behaviour | Responder | None = None) -> None:
        """Nothing listens before the server is entered."""
        self.requests: list[ReceivedRequest] = []
        self.url = ""
        self._script = deque(script)
        self._default = Reply() if default is None else default
        self._embed_script: deque[Fault | Raw] = deque()
        self._runner: web.AppRunner | None = None
        self._gone: asyncio.Queue[str] = asyncio.Queue()
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] = lambda: None

    @property
    def chats(self) -> list[ReceivedRequest]:
        """The chat requests among `requests`."""
        return [request for request in self.requests if request.path == self.chat_path]

    def will(self, *script: Behaviour) -> None:
        """Append to the script."""
        self._script.extend(script)

    def will_embed(self, *script: Fault | Raw) -> None:
        """How the next requests for embeddings end."""
        self._embed_script.extend(script)

    async def client_gone(self) -> str:
        """Wait until a client breaks off a chat, and return its path. Only inside the server's own loop."""
        return await self._gone.get()

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Every route of the server."""

    @abstractmethod
    def fault_body(self, fault: Fault, model: str) -> Mapping[str, Any]:
        """A refusal as this server words it."""

    @abstractmethod
    def whole(self, reply: Reply, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A whole answer to a chat request."""

    @abstractmethod
    def streamed(self, reply: Reply, body: Mapping[str, Any]) -> tuple[list[bytes], list[bytes]]:
        """A streamed answer: its pieces, and what ends it."""

    @abstractmethod
    def stream_error(self, reply: Reply) -> bytes:
        """An error in the middle of a stream."""

    @abstractmethod
    def streams(self, body: Mapping[str, Any]) -> bool:
        """Whether a chat request asks for a stream."""

    stream_type = "text/event-stream"

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Follow the script for one chat request."""
        body = await request.json()
        behaviour = self._next()
        if isinstance(behaviour, Fault):
            return self.refuse(behaviour, str(body.get("model")))
        try:
            if isinstance(behaviour, Raw):
                return await self._send_raw(request, behaviour)
            await asyncio.sleep(behaviour.delay)
            if behaviour.stall_after == 0:
                await asyncio.Event().wait()
            if self.streams(body):
                return await self._send_stream(request, behaviour, body)
            return await self._send_whole(request, behaviour, body)
        except (asyncio.CancelledError, ConnectionResetError):
            self._gone.put_nowait(request.path)
            raise

    async def embed(self, request: web.Request, answer: Callable[[list[str]], Mapping[str, Any]]) -> web.StreamResponse:
        """Follow the script for one request for embeddings; when it is used up, send the `answer` for its texts."""
        body = await request.json()
        behaviour = self._embed_script.popleft() if self._embed_script else None
        if isinstance(behaviour, Fault):
            return self.refuse(behaviour, str(body.get("model")))
        if isinstance(behaviour, Raw):
            return await self._send_raw(request, behaviour)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        return web.Response(body=orjson.dumps(answer(texts)), content_type="application/json")

    def refuse(self, fault: Fault, model: str) -> web.Response:
        """A refusal as a response."""
        body = orjson.dumps(self.fault_body(fault, model))
        return web.Response(status=fault.status, headers=fault.headers, body=body, content_type="application/json")

    def _next(self) -> Behaviour:
        if self._script:
            return self._script.popleft()
        return self._default(self.requests[-1]) if callable(self._default) else self._default

    async def _send_raw(self, request: web.Request, raw: Raw) -> web.StreamResponse:
        response = await self._begin(request, raw.content_type, raw.status)
        for piece in raw.pieces:
            await response.write(piece)
        return response

    async def _send_whole(self, request: web.Request, reply: Reply, body: Mapping[str, Any]) -> web.StreamResponse:
        if reply.error_after is not None:
            return web.Response(body=self.stream_error(reply).removeprefix(b"data: "), content_type="application/json")
        text = orjson.dumps(self.whole(reply, body))
        if reply.cut_after is None:
            return web.Response(body=text, content_type="application/json")
        response = await self._begin(request, "application/json")
        await response.write(text[: len(text) // 2])
        return self._cut(request, response)

    async def _send_stream(self, request: web.Request, reply: Reply, body: Mapping[str, Any]) -> web.StreamResponse:
        response = await self._begin(request, self.stream_type)
        pieces, ending = self.streamed(reply, body)
        for index, piece in enumerate([*pieces, b""]):
            if index == reply.cut_after:
                return self._cut(request, response)
            if index == reply.stall_after:
                await asyncio.Event().wait()
            if index == reply.error_after:
                await response.write(self.stream_error(reply))
                return response
            if piece:
                await response.write(piece)
                await asyncio.sleep(reply.gap)
        for piece in ending if reply.end_marker else []:
            await response.write(piece)
        return response

    async def _begin(self, request: web.Request, content_type: str, status: int = 200) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": content_type})
        await response.prepare(request)
        return response

    def _cut(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return response

    @web.middleware
    async def _record(self, request: web.Request, handler: Any) -> web.StreamResponse:
        text = await request.read()
        body = orjson.loads(text) if text else None
        port = request.transport.get_extra_info("peername")[1] if request.transport else 0
        self.requests.append(ReceivedRequest(request.method, request.path, request.headers.copy(), body, port))
        response: web.StreamResponse = await handler(request)
        return response

    async def __aenter__(self) -> Self:
        """Start to listen on a free port of 127.0.0.1."""
        app = web.Application(middlewares=[self._record], client_max_size=64 * 1024 * 1024)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, breaking off whatever still runs."""
        if self._runner is not None:
            await self._runner.cleanup()

    def __enter__(self) -> Self:
        """Start in a thread; returns when the server listens."""
        started = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(started),), daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and wait for the thread."""
        self._stop()
        if self._thread is not None:
            self._thread.join()

    async def _serve(self, started: threading.Event) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        try:
            async with self:
                started.set()
                await stopped.wait()
        finally:
            started.set()


@contextmanager
def refused_url() -> Iterator[str]:
    """The URL of a port that refuses connections for as long as the block runs: bound, so nobody else can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
