"""The gateway as a thread of the test process: one event loop, one loopback port, a session per trial."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

from pytest_hybrideval.core.domain import ModelInfo, ModelRef, Tier, Trial
from pytest_hybrideval.core.errors import AgentUnavailable
from pytest_hybrideval.core.protocols import Backend, Sampling, Strategy
from pytest_hybrideval.gateway.app import TrialDoor, make_app
from pytest_hybrideval.gateway.budget import Budget
from pytest_hybrideval.gateway.listening import Listening
from pytest_hybrideval.gateway.sessions import Origin, RouterSession
from pytest_hybrideval.gateway.slots import Slots

T = TypeVar("T")

_STOP_SECONDS = 10.0

MakeBackend = Callable[[ModelRef, Tier], Backend]
MakeSlots = Callable[[ModelRef, Tier], Slots | None]


def unlimited(ref: ModelRef, tier: Tier) -> Slots | None:
    """No model has a limit of calls at a time."""
    return None


class ModelPool:
    """The models of a run: a backend for each model and tier, made when it is first asked for."""

    def __init__(self, make_backend: MakeBackend, make_slots: MakeSlots, embedding: ModelRef | None) -> None:
        self._make_backend = make_backend
        self._made: dict[tuple[ModelRef, Tier], Backend] = {}
        self.slots = make_slots
        self.embedding = embedding

    def backend(self, ref: ModelRef, tier: Tier) -> Backend:
        """The backend of a model. Raises `ConfigurationError` where it cannot be made."""
        if (ref, tier) not in self._made:
            self._made[ref, tier] = self._make_backend(ref, tier)
        return self._made[ref, tier]

    async def aclose(self) -> None:
        """Close every backend, whatever closing another one raises."""
        async with AsyncExitStack() as stack:
            for backend in self._made.values():
                stack.push_async_callback(backend.aclose)


class Gateway:
    """Start once per process, open a session per trial, stop at the end. All methods are for the test's thread."""

    def __init__(
        self,
        make_backend: MakeBackend,
        retries: int = 0,
        make_slots: MakeSlots = unlimited,
        embedding: ModelRef | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`make_backend` is called once per model and tier. `retries` is how often a failed call is tried again.

        `make_slots` says how many calls of a model go on at a time, None for any number. `embedding` is the model that
        strategies compare texts with, `budget` what may be spent; it is closed with the gateway.
        """
        self.budget = budget
        self._models = ModelPool(make_backend, make_slots, embedding)
        self._retries = retries
        self._sessions: dict[str, RouterSession] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hybrideval-gateway", daemon=True)
        self._listening: Listening | None = None
        self.base_url = ""

    def start(self) -> None:
        """Listen on a free loopback port; afterwards `base_url` ends in `/v1`."""
        self._thread.start()
        self.base_url = self._run(self._listen())

    def describe(self, ref: ModelRef, tier: Tier) -> ModelInfo:
        """The preflight of one model. Raises `BackendError` where it would not answer."""
        return self._run(self._models.backend(ref, tier).describe())

    def open(self, trial: Trial, strategy: Strategy, sampling: Mapping[Tier, Sampling]) -> RouterSession:
        """A session for one trial; its key works until `close`. `sampling` names the tiers that it may use."""
        refs = {Tier.LOCAL: trial.variant.local, Tier.CLOUD: trial.variant.cloud}
        backends = {tier: self._models.backend(refs[tier], tier) for tier in sampling}
        session = RouterSession(
            *(trial, Origin.of(trial), self.base_url, strategy, backends, sampling, self._models),
            retries=self._retries,
            budget=self.budget,
            doorway=self.doorway,
        )
        self._sessions[session.key] = session
        return session

    @contextmanager
    def doorway(self, base_url: str) -> Iterator[int]:
        """For an agent whose network is not ours: what it connects to at `base_url` in there is answered here.

        Gives the descriptor of a Unix socket that takes a listening socket from there; both close with the context.
        Raises `AgentUnavailable` where `base_url` is not this gateway's.
        """
        if base_url != self.base_url or self._listening is None:
            raise AgentUnavailable(
                f"an enclosed agent reaches the gateway at {self.base_url} and no other address ({base_url}); "
                f"'--hybrid-sandbox none' runs it without an enclosure"
            )
        doorway = self._run(self._listening.open())
        try:
            yield doorway.descriptor
        finally:
            self._run(doorway.close())

    def close(self, session: RouterSession) -> None:
        """Refuse the key from now on, end what is still running, and wait for its records. Safe to call twice."""
        self._sessions.pop(session.key, None)
        self._run(session.finish())

    def stop(self) -> None:
        """Close every session and connection, and end the thread."""
        try:
            for session in list(self._sessions.values()):
                self.close(session)
            self._run(self._shut())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STOP_SECONDS)
            self._loop.close()
            if self.budget is not None:
                self.budget.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> str:
        self._listening = Listening(make_app(TrialDoor(self._sessions)))
        return await self._listening.start()

    async def _shut(self) -> None:
        async with AsyncExitStack() as stack:  # each is closed, whatever closing another one raises
            stack.push_async_callback(self._models.aclose)
            if self._listening:
                stack.push_async_callback(self._listening.stop)
