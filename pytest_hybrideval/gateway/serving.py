"""A router at an address of its own, for any OpenAI client: the gateway of the trials, without a trial behind it."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from pytest_hybrideval.core.domain import ModelRef, Tier
from pytest_hybrideval.core.errors import BackendError, ContextOverflow, HybridEvalError
from pytest_hybrideval.core.protocols import Sampling, Strategy
from pytest_hybrideval.gateway.app import bearer, error_response, make_app
from pytest_hybrideval.gateway.conversations import Conversations
from pytest_hybrideval.gateway.exposition import CONTENT_TYPE
from pytest_hybrideval.gateway.metrics import Metrics
from pytest_hybrideval.gateway.server import ModelPool
from pytest_hybrideval.gateway.sessions import RouterSession, StrategyFailed

CONVERSATION_HEADER = "X-Hybrid-Conversation"
_PATHS = frozenset({"/v1/chat/completions", "/v1/models", "/healthz", "/metrics"})
_OTHER_PATH = "other"
_PASSED_ON = frozenset({400, 413, 422, 429})  # what an upstream says of the request itself
_BAD_GATEWAY = 502
_HUNG_UP = 499
_CLOSING_SECONDS = 2.0
_ACCEPTING_STEPS = 5  # a connection is accepted within three turns of the loop


@dataclass(frozen=True)
class ServedRouter:
    """What a router is made of. `models` and `sampling` have the tiers that the strategy may choose.

    `key` is what clients must send, None where any will do.
    """

    make_strategy: Callable[[], Strategy]
    threshold: float | None
    models: Mapping[Tier, ModelRef]
    sampling: Mapping[Tier, Sampling]
    retries: int = 0
    key: str | None = None


class RouterServer:
    """Serves a router from `start` to `stop`. All methods are for the loop it runs in."""

    def __init__(self, router: ServedRouter, pool: ModelPool, metrics: Metrics) -> None:
        """`pool` is closed with the server."""
        self._pool = pool
        self._door = _ServedDoor(router, pool, metrics)
        self._runner = web.AppRunner(
            self._app(metrics), handler_cancellation=True, access_log=None, shutdown_timeout=_CLOSING_SECONDS
        )
        self._listening: asyncio.Server | None = None
        self.url = ""

    async def start(self, host: str, port: int) -> None:
        """Listen; afterwards `url` ends in `/v1`. Port 0 takes a free one. Raises `OSError` where the port is taken."""
        await self._runner.setup()
        assert self._runner.server is not None
        self._listening = await asyncio.get_running_loop().create_server(self._runner.server, host, port)
        port = self._listening.sockets[0].getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"

    @property
    def under_way(self) -> int:
        """How many chat requests are being answered."""
        return len(self._door.tasks)

    async def stop(self, grace: float) -> None:
        """Take no new requests, let those under way finish for `grace` seconds, break off the rest, close all."""
        self._door.stopping = True
        async with AsyncExitStack() as stack:  # each is closed, whatever closing another one raises
            stack.push_async_callback(self._pool.aclose)
            stack.push_async_callback(self._runner.cleanup)
            await self._refuse_connections()
            if self._door.tasks:
                _, late = await asyncio.wait(self._door.tasks, timeout=grace)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)

    async def _refuse_connections(self) -> None:
        """Close the port, once the connections that were just accepted have become the server's own.

        Before Python 3.12 a connection whose acceptance meets the closing is left open and never read.
        """
        if self._listening is None:
            return
        for listener in self._listening.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(_ACCEPTING_STEPS):
            await asyncio.sleep(0)
        self._listening.close()

    def _app(self, metrics: Metrics) -> web.Application:
        async def numbers(request: web.Request) -> web.StreamResponse:
            if refusal := self._door.refusal(request):
                return refusal
            return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

        app = make_app(self._door)
        app.add_routes([web.get("/metrics", numbers)])
        app.middlewares.append(_counted(metrics))
        return app


class _ServedDoor:
    """Lets in whoever holds the key. Each request is answered in a session of its own, in its conversation."""

    def __init__(self, router: ServedRouter, pool: ModelPool, metrics: Metrics) -> None:
        self.stopping = False
        self.tasks: set[asyncio.Task[Any]] = set()
        self._router = router
        self._pool = pool
        self._metrics = metrics
        self._backends = {tier: pool.backend(ref, tier) for tier, ref in router.models.items()}
        self._conversations = Conversations(router.make_strategy, router.threshold)

    def refusal(self, request: web.Request) -> web.Response | None:
        """503 while the server stops, 401 without the key. Without a key of ours, any that is sent will do.

        Some key must be sent all the same, and to this machine's name: a web page that has its visitor's browser
        post here can do neither.
        """
        if self.stopping:
            return error_response(503, "the router is being stopped", "server_error")
        sent, key = bearer(request), self._router.key
        known = _same(sent, key) if key else sent and is_loopback(_hostname(request))
        return None if known else error_response(401, "this key is not the router's", code="invalid_api_key")

    @contextmanager
    def session(self, request: web.Request) -> Iterator[RouterSession]:
        """A session for one request; when it is over, its conversation and the metrics know of its calls."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)  # until its answer is written, which is after it has left this session
        task.add_done_callback(self.tasks.discard)
        conversation = self._conversations.of(request.headers.get(CONVERSATION_HEADER, ""))
        session = RouterSession(
            trial=None,
            origin=conversation.origin,
            base_url="",
            strategy=conversation.strategy,
            backends=self._backends,
            sampling=self._router.sampling,
            models=self._pool,
            retries=self._router.retries,
        )
        try:
            with self._metrics.under_way():
                yield session
        finally:
            conversation.keep(session.ledger)
            self._metrics.count(session.ledger)

    def health(self) -> Mapping[str, Any]:
        """Whether requests are taken."""
        return {"status": "stopping" if self.stopping else "ok", "requests": len(self.tasks)}

    def status(self, error: HybridEvalError) -> int:
        """What the upstream says of the request itself is passed on; all else that it says is no matter of clients."""
        if isinstance(error, StrategyFailed):
            return 500
        if isinstance(error, BackendError) and not isinstance(error, ContextOverflow):
            return error.status if error.status in _PASSED_ON else _BAD_GATEWAY
        return 400

    def told(self, error: HybridEvalError, session: RouterSession) -> str:
        """All of it: a client's user has no other place to read it."""
        return str(error)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own, out of reach of others."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _same(sent: str, key: str) -> bool:
    """Compared in a time that tells nothing of the key. Headers are decoded bytes, whatever these were."""
    return hmac.compare_digest(*(text.encode(errors="surrogateescape") for text in (sent, key)))


def _hostname(request: web.Request) -> str:
    """The name in the `Host` header, without port and brackets."""
    bracketed, _, rest = request.host.partition("]")
    return bracketed.removeprefix("[") if rest or bracketed.startswith("[") else bracketed.partition(":")[0]


def _counted(metrics: Metrics) -> Any:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        status = _HUNG_UP
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        except HybridEvalError as error:
            status = 500
            return error_response(status, str(error), "server_error")
        except Exception:
            status = 500
            raise
        finally:
            metrics.answered(request.path if request.path in _PATHS else _OTHER_PATH, status)
        return response

    return count
