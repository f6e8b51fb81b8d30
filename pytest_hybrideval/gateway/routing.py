"""From a request to the call that answers it: the strategy decides, and may review the answer before it is seen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pytest_hybrideval.core.domain import (
    Answer,
    ChatRequest,
    Completion,
    Decision,
    Embedding,
    Reply,
    StreamEvent,
    Tier,
    Usage,
)
from pytest_hybrideval.core.errors import BackendError, BudgetExceeded, RequestRefused
from pytest_hybrideval.core.protocols import Reviewing, RoutingContext
from pytest_hybrideval.core.signals import read_request
from pytest_hybrideval.gateway.calls import Call
from pytest_hybrideval.gateway.sessions import RouterSession

T = TypeVar("T")

_CLASSIFIER_PHASE = "classify"
_EMBEDDING_PHASE = "embed"


class Answering(Protocol):
    """Where an answer to the agent comes from: a call, or an answer that was held back."""

    async def complete(self) -> Completion:
        """The whole answer."""
        ...

    def stream(self) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes."""
        ...


async def route(session: RouterSession, request: ChatRequest) -> Answering:
    """Have the strategy decide where a request goes and, if it reviews answers, whether this one is to be seen.

    Raises `RequestRefused` where the strategy breaks, which is its own fault and leaves the trial without a verdict.
    """
    context = _context(session)
    decision = await _strategys(session, session.strategy.decide(request, context))
    call = _call(session, request, decision)
    if not isinstance(session.strategy, Reviewing):
        return call
    held = await _hold(call, stream=request.stream)
    second = await _strategys(session, session.strategy.review(request, held.reply, context))
    if second is None:
        return held
    call.discard()
    return _call(session, request, second)


def _context(session: RouterSession) -> RoutingContext:
    async def classify(question: str) -> Answer:
        if Tier.LOCAL not in session.backends:
            raise RequestRefused("it asked the classifier, which needs the local tier, and has it not among its tiers")
        asked = ChatRequest({"messages": [{"role": "user", "content": question}]})
        decision = Decision(Tier.LOCAL, f"question of {session.strategy.name}")
        return await Call(session, asked, decision, _CLASSIFIER_PHASE, purpose="classifier").ask(question)

    async def embed(texts: Sequence[str]) -> Embedding:
        model = session.models.embedding
        if model is None:
            raise RequestRefused("it asked for embeddings; --hybrid-embedding-model PROVIDER/NAME names their model")
        asked = ChatRequest({"messages": [{"role": "user", "content": text} for text in texts]})
        decision = Decision(Tier.LOCAL, f"embedding for {session.strategy.name}", model=model)
        return await Call(session, asked, decision, _EMBEDDING_PHASE, purpose="embedding").embed(texts)

    return RoutingContext(
        threshold=session.origin.threshold,
        seed=session.origin.seed,
        earlier=(*session.origin.earlier, *session.ledger.agent_calls),
        classify=classify,
        embed=embed,
        task_class=session.origin.task_class,
    )


async def _strategys(session: RouterSession, work: Awaitable[T]) -> T:
    """What the strategy's code gives. Raises `RequestRefused` where it breaks, `BackendError` where a model does."""
    try:
        return await work
    except (BackendError, BudgetExceeded):
        raise
    except Exception as error:  # a strategy is anyone's code: whatever it raises is its fault and ends the trial
        raise session.strategy_failed(f"{type(error).__name__}: {error}") from error


def _call(session: RouterSession, request: ChatRequest, decision: Decision) -> Call:
    good = isinstance(decision, Decision) and isinstance(decision.tier, Tier)
    if not (good and (decision.model is not None or decision.tier in session.backends)):
        raise session.strategy_failed(f"it decided {decision!r}, which is no Decision for one of its tiers")
    if decision.model is not None and (decision.tier, decision.model) not in getattr(session.strategy, "models", ()):
        raise session.strategy_failed(f"it decided for {decision.model}, which is not among its 'models'")
    return Call(session, request, decision, read_request(request).phase.value)


@dataclass(frozen=True)
class _Held:
    """An answer that was held back until its end, or its fault."""

    completion: Completion | None
    events: tuple[StreamEvent, ...]
    fault: BackendError | None
    reply: Reply

    async def complete(self) -> Completion:
        if self.fault is not None or self.completion is None:
            raise self.fault or BackendError("the answer was held back as a stream")
        return self.completion

    async def stream(self) -> AsyncGenerator[StreamEvent, None]:
        for event in self.events:
            yield event
        if self.fault is not None:
            raise self.fault


async def _hold(call: Call, *, stream: bool) -> _Held:
    """Wait for the whole answer. What fails is a fault of the reply, for the review to judge."""
    if not stream:
        try:
            whole = await call.complete()
        except BackendError as error:
            return _Held(None, (), error, Reply("", None, fault=str(error)))
        return _Held(whole, (), None, Reply(whole.text, whole.finish_reason, whole.usage))
    events: list[StreamEvent] = []
    fault: BackendError | None = None
    try:
        async with aclosing(call.stream()) as coming:
            async for event in coming:
                events.append(event)
    except BackendError as error:
        fault = error
    text = "".join(event.text for event in events)
    finish = next((event.finish_reason for event in reversed(events) if event.finish_reason), None)
    usage = next((event.usage for event in reversed(events) if event.usage), Usage())
    return _Held(None, tuple(events), fault, Reply(text, finish, usage, str(fault) if fault else ""))
