"""A backend whose answers are kept on cassettes, and come from there where they are known.

The model behind it is made when it is first needed: a replay needs neither network nor key.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pytest_hybrideval.backends import cassette_answers as answers
from pytest_hybrideval.backends import cassette_keys as keys
from pytest_hybrideval.backends.cassette import Cassettes, RecordMode
from pytest_hybrideval.backends.cassette_file import Take
from pytest_hybrideval.backends.cassette_keys import Asked
from pytest_hybrideval.backends.wrapper import BackendWrapper
from pytest_hybrideval.core.domain import Answer, Completion, Embedding, ModelInfo, ModelRef, StreamEvent
from pytest_hybrideval.core.errors import (
    BackendUnavailable,
    CassetteError,
    ConfigurationError,
    ContextOverflow,
    RequestRefused,
)
from pytest_hybrideval.core.protocols import Backend, BackendCall, Embedder

_SIMULATED = "simulated"


class RecordedBackend(BackendWrapper):
    """Replays and records as the mode of its cassettes says. A call that fails is not recorded.

    Equal requests of several trials of one run are one call, unless the mode is `all`: the second trial waits for the
    first one's answer. What is replayed comes at once.
    """

    def __init__(self, ref: ModelRef, cassettes: Cassettes, make: Callable[[], Backend]) -> None:
        """`make` makes the real backend; it may raise `ConfigurationError`."""
        self._ref = ref
        self._cassettes = cassettes
        self._make = make
        self._described: ModelInfo | None = None
        self._described_then = False
        self._question_temperature: float | None = None
        self._last: tuple[BackendCall, bool, Asked] | None = None

    @cached_property
    def inner(self) -> Backend:  # type: ignore[override]  # made at first use
        """The real backend. Raises `BackendUnavailable` where it cannot be made."""
        try:
            return self._make()
        except ConfigurationError as error:
            raise BackendUnavailable(str(error)) from error

    def __getattr__(self, name: str) -> Any:
        """Nothing is looked up in a backend that might not be there."""
        raise AttributeError(name)

    @property
    def ref(self) -> ModelRef:
        """The model, as the user named it."""
        return self._ref

    @property
    def simulated(self) -> bool:
        """Whether the answers are, or were, those of an embedded model."""
        if self._described is not None:
            return self._described.simulated
        return self.inner.simulated if self._made else self.ref.provider == _SIMULATED

    @property
    def question_temperature(self) -> float | None:
        """The temperature that `ask` sends, or has sent when it was recorded."""
        return self.inner.question_temperature if self._made else self._question_temperature

    def effective_temperature(self, call: BackendCall) -> float | None:
        """The temperature that is sent with this call, or was sent when it was recorded."""
        if self._made:
            return self.inner.effective_temperature(call)
        try:
            take = self._cassettes.find(self._chat(call, stream=call.request.stream))
        except CassetteError:  # the call itself has failed by it
            take = None
        return take.temperature if take else call.temperature

    async def describe(self) -> ModelInfo:
        """What the model's server says of it, or said when it was recorded."""
        asked = keys.model(self.ref)
        async with self._turn(asked, None) as turn:
            if turn.take is not None:
                with turn.take.read() as recorded:
                    self._described, self._described_then = answers.info(recorded), True
            else:
                self._described = await self.inner.describe()
                self._keep(turn, answers.info_json(self._described))
        return self._described

    async def complete(self, call: BackendCall) -> Completion:
        """A whole answer."""
        async with self._turn(self._chat(call, stream=False), call) as turn:
            if turn.take is not None:
                with turn.take.read() as recorded:
                    answers.check_overflow(recorded)
                    return replace(answers.completion(recorded), recorded_seconds=turn.take.seconds)
            answer = await (await self._live()).complete(call)
            self._keep(turn, answers.completion_json(answer))
            return answer

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes; replayed, in the same pieces. It is recorded before it ends."""
        async with self._turn(self._chat(call, stream=True), call) as turn:
            events: list[StreamEvent] = []
            if turn.take is not None:
                with turn.take.read() as recorded:
                    answers.check_overflow(recorded)
                    events = list(answers.stream(recorded))
                    events[-1:] = [replace(last, recorded_seconds=turn.take.seconds) for last in events[-1:]]
                for event in events:
                    yield event
                return
            live = await self._live()
            async with aclosing(live.stream(call)) as coming:
                async for event in coming:
                    events.append(event)
                    yield event
            self._keep(turn, answers.stream_json(events))

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """A short question of the strategy's own."""
        async with self._turn(keys.question(self.ref, question, call), call) as turn:
            if turn.take is not None:
                self._question_temperature = turn.take.temperature
                with turn.take.read() as recorded:
                    answers.check_overflow(recorded)
                    return replace(answers.answer(recorded), recorded_seconds=turn.take.seconds)
            answer = await (await self._live()).ask(question, call)
            self._keep(turn, answers.answer_json(answer))
            return answer

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """Vectors of the texts. Raises `RequestRefused` where the model makes none."""
        async with self._turn(keys.embedding(self.ref, texts), None) as turn:
            if turn.take is not None:
                with turn.take.read() as recorded:
                    answers.check_overflow(recorded)
                    return replace(answers.embedding(recorded), recorded_seconds=turn.take.seconds)
            live = await self._live()
            if not isinstance(live, Embedder):
                raise RequestRefused(f"{self.ref} makes no embeddings")
            embedding = await live.embed(texts)
            self._keep(turn, answers.embedding_json(embedding))
            return embedding

    async def aclose(self) -> None:
        """Close the real backend, if there is one."""
        if self._made:
            await self.inner.aclose()

    @property
    def _made(self) -> bool:
        return "inner" in vars(self)

    async def _live(self) -> Backend:
        """The real backend, which is asked who it is before its first call where that was not done yet."""
        live = self.inner
        if self._described_then:
            now = await live.describe()
            if now != self._described:
                self._cassettes.record(keys.model(self.ref), 0, answers.info_json(now), 0.0, None)
            self._described, self._described_then = now, False
        return live

    def _chat(self, call: BackendCall, *, stream: bool) -> Asked:
        if self._last is None or self._last[0] is not call or self._last[1] is not stream:
            self._last = call, stream, keys.chat(self.ref, call, stream=stream)
        return self._last[2]

    def _keep(self, turn: _Turn, answer: Mapping[str, Any]) -> None:
        """Record the model's answer. Raises `CassetteError` where that fails: the call has failed, too."""
        temperature = None
        if turn.asked.kind == keys.QUESTION:
            temperature = self.inner.question_temperature
        elif turn.call is not None:
            temperature = self.inner.effective_temperature(turn.call)
        seconds = time.monotonic() - turn.started
        self._cassettes.record(turn.asked, turn.nth, answer, seconds, temperature)

    @asynccontextmanager
    async def _turn(self, asked: Asked, call: BackendCall | None) -> AsyncIterator[_Turn]:
        """One call: its recorded answer in hand, or the right to go live. Raises `NotRecorded` where it has neither."""
        store = self._cassettes
        turn = _Turn(asked, call, store.begin(asked, call))
        try:
            turn.take = None if store.mode is RecordMode.ALL else store.find(asked, turn.nth)
            async with AsyncExitStack() as held:
                if turn.take is None and store.mode is not RecordMode.ALL:
                    if not store.may_record(asked):
                        raise store.missing(asked, turn.nth)
                    await held.enter_async_context(store.alone(asked, turn.nth))
                    turn.take = store.find(asked, turn.nth)
                turn.started = time.monotonic()
                yield turn
        except ContextOverflow as fault:
            if not fault.replayed:
                self._keep(turn, answers.overflow_json(fault))
            raise
        except BaseException:
            store.end(asked, call, turn.nth)
            raise


@dataclass
class _Turn:
    """A call between its look-up and its end. `take` is its recorded answer, None where the model is to be asked."""

    asked: Asked
    call: BackendCall | None
    nth: int
    take: Take | None = None
    started: float = 0.0
