"""The HTTP face of the gateway: OpenAI's chat API for agents that hold a trial's key."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import aclosing

from aiohttp import web

from pytest_hybrideval.core.domain import Answer, ChatRequest, Decision, Tier
from pytest_hybrideval.core.errors import BackendError, ContextOverflow, HybridEvalError, RequestRefused
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import read_request
from pytest_hybrideval.gateway import wire
from pytest_hybrideval.gateway.calls import Call
from pytest_hybrideval.gateway.sessions import RouterSession

MODEL_NAME = "hybrid"
_MAX_BODY = 64 * 1024 * 1024
# aider answers a broken stream with up to nine tries of its own; past this many failures it is told to stop.
_MAX_FAILURES = 3
_CLASSIFIER_PHASE = "classify"

SessionsByKey = MutableMapping[str, RouterSession]


def make_app(sessions: SessionsByKey) -> web.Application:
    """The application over the open sessions, looked up by their keys at each request."""

    async def chat(request: web.Request) -> web.StreamResponse:
        session = _authorised(request, sessions)
        return await _chat(request, session) if session else _unauthorised()

    async def models(request: web.Request) -> web.StreamResponse:
        return web.json_response(wire.model_list(MODEL_NAME)) if _authorised(request, sessions) else _unauthorised()

    async def health(request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok", "sessions": len(sessions)})

    app = web.Application(client_max_size=_MAX_BODY)
    app.add_routes([web.post("/v1/chat/completions", chat), web.get("/v1/models", models), web.get("/healthz", health)])
    return app


def _authorised(request: web.Request, sessions: SessionsByKey) -> RouterSession | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return sessions.get(key.strip()) if scheme.lower() == "bearer" else None


def _unauthorised() -> web.Response:
    message = "this key is unknown or its trial has ended"
    return _error(401, message, "invalid_request_error", "invalid_api_key")


def _error(status: int, message: str, kind: str, code: str | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=wire.error_json(message, kind, code),
        content_type="application/json",
        # The gateway has retried what can be retried; SDKs obey this header and do not multiply it.
        headers={"x-should-retry": "false"},
    )


async def _chat(request: web.Request, session: RouterSession) -> web.StreamResponse:
    with session.in_flight():
        try:
            chat_request = wire.parse_request(await request.read())
            if session.ledger.failures_in_a_row >= _MAX_FAILURES:
                raise RequestRefused(
                    f"given up after {_MAX_FAILURES} failed calls: {session.ledger.agent_calls[-1].error}"
                )
            call = await _route(session, chat_request)
            if chat_request.stream:
                return await _stream(request, call)
            completion = await call.complete()
        except web.HTTPRequestEntityTooLarge:
            return _error(413, f"the request is larger than {_MAX_BODY // 2**20} MiB", "invalid_request_error")
        except HybridEvalError as error:
            return _refusal(error)
        return web.Response(body=completion.body, content_type="application/json")


def _refusal(error: HybridEvalError) -> web.Response:
    """Status 400 whatever happened upstream: it is the one status that makes agents stop at once."""
    if isinstance(error, ContextOverflow):
        return _error(400, str(error), "invalid_request_error", "context_length_exceeded")
    kind = "backend_error" if isinstance(error, BackendError) else "invalid_request_error"
    return _error(400, str(error), kind)


async def _stream(request: web.Request, call: Call) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    try:
        async with aclosing(call.stream()) as events:
            async for event in events:
                if not response.prepared:
                    await response.prepare(request)
                if event.data is not None:
                    await response.write(wire.event(event.data))
        await response.write(wire.DONE)
    except HybridEvalError as error:
        if not response.prepared:
            return _refusal(error)
        await response.write(wire.event(wire.error_json(str(error), "backend_error", "502")))
    await response.write_eof()
    return response


async def _route(session: RouterSession, request: ChatRequest) -> Call:
    async def classify(question: str) -> Answer:
        if Tier.LOCAL not in session.backends:
            raise RequestRefused("it asked the classifier, which needs the local tier, and has it not among its tiers")
        asked = ChatRequest({"messages": [{"role": "user", "content": question}]})
        decision = Decision(Tier.LOCAL, f"question of {session.strategy.name}")
        return await Call(session, asked, decision, _CLASSIFIER_PHASE, purpose="classifier").ask(question)

    context = RoutingContext(
        threshold=session.trial.variant.threshold,
        seed=session.trial.variant.seed,
        earlier=tuple(session.ledger.agent_calls),
        classify=classify,
    )
    try:
        decision = await session.strategy.decide(request, context)
    except BackendError:
        raise
    except Exception as error:  # a strategy is anyone's code: whatever it raises is its fault and ends the trial
        raise session.strategy_failed(f"{type(error).__name__}: {error}") from error
    if not (isinstance(decision, Decision) and isinstance(decision.tier, Tier) and decision.tier in session.backends):
        raise session.strategy_failed(f"it decided {decision!r}, which is no Decision for one of its tiers")
    return Call(session, request, decision, read_request(request).phase.value)
