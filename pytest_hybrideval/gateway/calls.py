"""One model call from the decision to its line in the ledger: retried in this one place, recorded however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import replace

import stamina

from pytest_hybrideval.core.domain import (
    Answer,
    CallFault,
    ChatRequest,
    Completion,
    Cut,
    Decision,
    Embedding,
    StreamEvent,
    Usage,
)
from pytest_hybrideval.core.errors import (
    BackendError,
    BackendUnavailable,
    BudgetExceeded,
    ContextOverflow,
    HybridEvalError,
    NotRecorded,
    RequestRefused,
    StreamBroken,
)
from pytest_hybrideval.core.protocols import BackendCall, Embedder
from pytest_hybrideval.core.records import CallRecord
from pytest_hybrideval.gateway.sessions import RouterSession

_WAIT_INITIAL = 0.5
_WAIT_MAX = 20.0
_GIVE_UP_SECONDS = 180.0
_HUNG_UP = 499  # the status that servers log where the client closed the connection


class Call:
    """One request on its way to the tier that was decided."""

    def __init__(
        self,
        session: RouterSession,
        request: ChatRequest,
        decision: Decision,
        phase: str,
        purpose: str = "agent",
    ) -> None:
        """`purpose` is "agent", or what the strategy asks a model for ("classifier", "embedding")."""
        self._session = session
        self._decision = decision
        self._phase = phase
        self._purpose = purpose
        tier, model = decision.tier, decision.model
        self._backend = session.backends[tier] if model is None else session.models.backend(model, tier)
        self._placed = tier, str(self._backend.ref)
        self._answered_by: str | None = None
        self._index = session.next_index()
        self._call = BackendCall(request, session.sampled(tier), session.trial, number=self._index)
        self._started = session.elapsed
        self._first_byte: float | None = None
        self._attempts = 0
        self._queued = 0.0
        self._usage = Usage()
        self._finish_reason: str | None = None
        self._fingerprint: str | None = None
        self._cut: Cut | None = None
        self._truncated_prompt = False
        self._replayed = False
        self._recorded_seconds: float | None = None
        self._recorded_as: CallRecord | None = None

    async def complete(self) -> Completion:
        """The whole answer. Raises `BackendError` once retries are used up."""
        with self._recorded():
            async for attempt in self._tries():
                with attempt:
                    async with self._slot():
                        completion = await self._backend.complete(self._call)
                        self._first_byte = self._elapsed
                        self._note(completion)
            self._check_placed()
        return completion

    async def stream(self) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes. Retried until its first event; after that an error ends it as `BackendError`."""
        with self._recorded():
            async for attempt in self._tries():
                with attempt:
                    async with AsyncExitStack() as trying:
                        await trying.enter_async_context(self._slot())
                        events = self._backend.stream(self._call)
                        first = await anext(events, None)
                        succeeded = trying.pop_all()
            async with succeeded, aclosing(events) as rest:
                if first is None:
                    raise StreamBroken(f"{self._backend.ref} sent an empty stream")
                self._first_byte = self._elapsed
                self._note(first)
                yield first
                async for event in rest:
                    self._note(event)
                    yield event
            self._check_placed()

    async def ask(self, question: str) -> Answer:
        """The model's short answer to a strategy's question."""
        with self._recorded():
            async for attempt in self._tries():
                with attempt:
                    async with self._slot():
                        answer = await self._backend.ask(question, self._call)
                        self._note_own(answer)
        return answer

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """One try, with a slot of the tier in hand."""
        async with self._session.slot(self._backend.ref, self._decision.tier) as queued:
            self._queued += queued
            async with self._reserved():
                self._attempts += 1
                self._call = replace(self._call, attempt=self._attempts)
                yield

    @asynccontextmanager
    async def _reserved(self) -> AsyncIterator[None]:
        """One try, with what it can cost reserved; settled by the tokens that are known when it ends."""
        budget, ref, tier = self._session.budget, self._backend.ref, self._decision.tier
        number = None if budget is None else await asyncio.to_thread(budget.reserve, self._trial, ref, tier, self._call)
        if budget is None or number is None:
            yield
            return
        try:
            yield
        except BackendError as error:
            # Refused with a status, or not sent at all: nothing was answered, nothing is billed.
            if error.status is not None or isinstance(error, (NotRecorded, BackendUnavailable)):
                budget.release(number)
            raise
        finally:
            if self._replayed:
                budget.release(number)
            else:
                budget.settle(number, ref, tier, self._usage)

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """The texts' vectors, of a model that makes such."""
        backend = self._backend
        if not isinstance(backend, Embedder):
            raise RequestRefused(f"{backend.ref} makes no embeddings; --hybrid-embedding-model names a model that does")
        with self._recorded():
            async for attempt in self._tries():
                with attempt:
                    async with self._slot():
                        embedding = await backend.embed(texts)
                        self._note_own(embedding)
        return embedding

    def discard(self) -> None:
        """The agent will not see this call's answer, which is over."""
        if self._recorded_as is not None:
            self._session.ledger.discard(self._recorded_as)

    def _tries(self) -> AsyncIterator[stamina.Attempt]:
        return aiter(
            stamina.retry_context(
                on=_backoff,
                attempts=self._session.retries + 1,
                timeout=_GIVE_UP_SECONDS,
                wait_initial=_WAIT_INITIAL,
                wait_max=_WAIT_MAX,
            )
        )

    @property
    def _trial(self) -> str:
        return self._session.origin.id

    @property
    def _elapsed(self) -> float:
        """Seconds since the call began, without those in the queue for a slot."""
        return self._session.elapsed - self._started - self._queued

    @property
    def _temperature(self) -> float | None:
        if self._purpose == "agent":
            return self._backend.effective_temperature(self._call)
        return None if self._purpose == "embedding" else self._backend.question_temperature

    def _note(self, part: StreamEvent | Completion) -> None:
        self._usage = part.usage or self._usage
        self._finish_reason = part.finish_reason or self._finish_reason
        self._fingerprint = part.fingerprint or self._fingerprint
        self._cut = part.cut or self._cut
        self._truncated_prompt = part.truncated_prompt or self._truncated_prompt
        self._replayed, self._recorded_seconds = part.replayed, part.recorded_seconds
        if self._decision.model is not None and part.model and part.model != self._answered_by:
            self._answered_by = part.model
            self._placed = self._session.placed(part.model) or self._placed

    def _note_own(self, answer: Answer | Embedding) -> None:
        self._usage, self._replayed = answer.usage, answer.replayed
        self._recorded_seconds = answer.recorded_seconds

    def _check_placed(self) -> None:
        """The answer is over: by now it must have said which model it is of, where that is what tells its tier."""
        if self._decision.model is not None and self._answered_by is None:
            self._session.placed(None)

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        status, fault, error = 200, None, ""
        try:
            yield
        except HybridEvalError as caught:
            status, fault, error = _classify(caught)
            self._replayed = isinstance(caught, BackendError) and caught.replayed
            raise
        except (asyncio.CancelledError, GeneratorExit):
            status, fault = _HUNG_UP, CallFault.HUNG_UP
            error = "the agent closed the connection before the answer was complete"
            raise
        except Exception as caught:  # a backend is anyone's code: what it lets through is no answer
            broke = BackendError(f"the backend of {self._backend.ref} broke: {type(caught).__name__}: {caught}")
            status, fault, error = 502, CallFault.BACKEND, str(broke)
            raise broke from caught
        finally:
            self._recorded_as = self._record(status, fault, error)
            self._session.ledger.calls.append(self._recorded_as)

    def _record(self, status: int, fault: CallFault | None, error: str) -> CallRecord:
        return CallRecord(
            trial=self._trial,
            index=self._index,
            purpose=self._purpose,
            tier=self._placed[0],
            model=self._placed[1],
            phase=self._phase,
            reason=self._decision.reason,
            score=self._decision.score,
            started=round(self._started, 4),
            seconds=round(self._elapsed, 4),
            queued=round(self._queued, 4),
            first_byte=None if self._first_byte is None else round(self._first_byte, 4),
            stream=self._call.request.stream,
            status=status,
            attempts=self._attempts,
            usage=self._usage,
            seed=self._call.seed,
            temperature=self._temperature,
            max_tokens=self._call.max_tokens,
            num_ctx=self._call.sampling.num_ctx,
            finish_reason=self._finish_reason,
            fingerprint=self._fingerprint,
            fault=fault,
            error=error,
            cut=self._cut,
            truncated_prompt=self._truncated_prompt,
            replayed=self._replayed,
            recorded_seconds=self._recorded_seconds,
        )


def _classify(error: HybridEvalError) -> tuple[int, CallFault, str]:
    if isinstance(error, ContextOverflow):
        return error.status or 400, CallFault.CONTEXT_OVERFLOW, str(error)
    if isinstance(error, BackendError):
        kind = CallFault.NOT_RECORDED if isinstance(error, NotRecorded) else CallFault.BACKEND
        return error.status or 502, kind, str(error)
    return 400, CallFault.BUDGET if isinstance(error, BudgetExceeded) else CallFault.REFUSED, str(error)


def _backoff(error: Exception) -> bool | float:
    """Whether to try again, and after how long where the backend said so."""
    if not isinstance(error, BackendError) or not error.retryable:
        return False
    if error.retry_after is None:
        return True
    return False if error.retry_after > _GIVE_UP_SECONDS else error.retry_after
