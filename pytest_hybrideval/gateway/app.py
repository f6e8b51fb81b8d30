"""The HTTP face of the gateway: OpenAI's chat API, for agents that hold a trial's key and for a router's clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from typing import Any, Protocol

from aiohttp import web

from pytest_hybrideval.core.errors import (
    BackendError,
    BudgetExceeded,
    ContextOverflow,
    HybridEvalError,
    RequestRefused,
)
from pytest_hybrideval.gateway import wire
from pytest_hybrideval.gateway.routing import Answering, route
from pytest_hybrideval.gateway.sessions import RouterSession, StrategyFailed

MODEL_NAME = "hybrid"
_INVALID = "invalid_request_error"
_MAX_BODY = 64 * 1024 * 1024
# aider answers a broken stream with up to nine tries of its own; past this many failures it is told to stop.
_MAX_FAILURES = 3
# All that an agent is told. aider's client takes any error whose text holds "429" or "rate limit" for one that passes,
# whatever its status, and asks again until the time is up: what others wrote is for the ledger alone.
_TOLD: tuple[tuple[type[HybridEvalError], str], ...] = (
    (ContextOverflow, "the request is longer than the model's context length"),
    (BackendError, "the model behind the gateway failed"),
    (BudgetExceeded, "the budget does not allow the call"),
    (StrategyFailed, "the strategy under test failed"),
)


class Door(Protocol):
    """Which requests are let in, and in which session each of them is answered."""

    def refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request that is not let in, None for one that is."""
        ...

    def session(self, request: web.Request) -> AbstractContextManager[RouterSession]:
        """The session of a chat request that was let in, held for as long as it is being answered."""
        ...

    def health(self) -> Mapping[str, Any]:
        """What `/healthz` says to everyone."""
        ...

    def status(self, error: HybridEvalError) -> int:
        """The HTTP status of a chat request that came to nothing."""
        ...

    def told(self, error: HybridEvalError, session: RouterSession) -> str:
        """What the answer to such a request says; the session's ledger has the whole of it."""
        ...


class TrialDoor:
    """Lets in the agents of open trials, told by the keys of their sessions."""

    def __init__(self, sessions: Mapping[str, RouterSession]) -> None:
        """`sessions` are those that are open at each request, by key."""
        self._sessions = sessions

    def refusal(self, request: web.Request) -> web.Response | None:
        """Only keys of open sessions are known."""
        if bearer(request) in self._sessions:
            return None
        return error_response(401, "this key is unknown or its trial has ended", code="invalid_api_key")

    @contextmanager
    def session(self, request: web.Request) -> Iterator[RouterSession]:
        """The session of the request's key."""
        session = self._sessions[bearer(request)]
        with session.in_flight():
            yield session

    def health(self) -> Mapping[str, Any]:
        """How many sessions are open."""
        return {"status": "ok", "sessions": len(self._sessions)}

    def status(self, error: HybridEvalError) -> int:
        """400 whatever happened upstream: it is the one status that makes agents stop at once."""
        return 400

    def told(self, error: HybridEvalError, session: RouterSession) -> str:
        """A sentence of ours; where a call failed, with its number in the ledger."""
        for kind, sentence in _TOLD:
            if isinstance(error, kind):
                calls = session.ledger.calls
                known = isinstance(error, BackendError) and calls
                return f"{sentence}; see call {calls[-1].index} in the run's calls.jsonl" if known else sentence
        return str(error)  # about the request itself, in our own words


def make_app(door: Door) -> web.Application:
    """The application behind a door."""

    async def chat(request: web.Request) -> web.StreamResponse:
        if refusal := door.refusal(request):
            return refusal
        with door.session(request) as session:
            return await _chat(request, session, door)

    async def models(request: web.Request) -> web.StreamResponse:
        return door.refusal(request) or web.json_response(wire.model_list(MODEL_NAME))

    async def health(request: web.Request) -> web.StreamResponse:
        return web.json_response(door.health())

    app = web.Application(client_max_size=_MAX_BODY)
    app.add_routes([web.post("/v1/chat/completions", chat), web.get("/v1/models", models), web.get("/healthz", health)])
    return app


def bearer(request: web.Request) -> str:
    """The key that a request carries; empty without one."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def error_response(status: int, message: str, kind: str = _INVALID, code: str | None = None) -> web.Response:
    """An error as OpenAI's API has it."""
    return web.Response(
        status=status,
        body=wire.error_json(message, kind, code),
        content_type="application/json",
        # The gateway has retried what can be retried; SDKs obey this header and do not multiply it.
        headers={"x-should-retry": "false"},
    )


async def _chat(request: web.Request, session: RouterSession, door: Door) -> web.StreamResponse:
    try:
        chat_request = wire.parse_request(await request.read())
        if session.ledger.failures_in_a_row >= _MAX_FAILURES:
            raise RequestRefused(f"given up after {_MAX_FAILURES} failed calls")
        call = await route(session, chat_request)
        if chat_request.stream:
            return await _stream(request, call, session, door)
        completion = await call.complete()
    except web.HTTPRequestEntityTooLarge:
        return error_response(413, f"the request is larger than {_MAX_BODY // 2**20} MiB")
    except HybridEvalError as error:
        return _refusal(error, session, door)
    return web.Response(body=completion.body, content_type="application/json")


def _refusal(error: HybridEvalError, session: RouterSession, door: Door) -> web.Response:
    status, message = door.status(error), door.told(error, session)
    if isinstance(error, ContextOverflow):
        return error_response(status, message, code="context_length_exceeded")
    return error_response(status, message, "backend_error" if isinstance(error, BackendError) else _INVALID)


async def _stream(request: web.Request, call: Answering, session: RouterSession, door: Door) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    try:
        async with aclosing(call.stream()) as events:
            async for event in events:
                if not response.prepared:
                    await response.prepare(request)
                if event.data is not None:
                    await response.write(wire.event(event.data))
        await response.write(wire.DONE)
    except ConnectionResetError:  # the agent hung up between two pieces, and the call is recorded as hung up
        return response
    except HybridEvalError as error:
        if not response.prepared:
            return _refusal(error, session, door)
        await response.write(wire.event(wire.error_json(door.told(error, session), "backend_error", "502")))
    await response.write_eof()
    return response
