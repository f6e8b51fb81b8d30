"""A trial's place at the gateway: its key, strategy, backends and ledger of calls."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_hybrideval.core.domain import ModelRef, TaskClass, Tier, Trial
from pytest_hybrideval.core.errors import RequestRefused
from pytest_hybrideval.core.protocols import Backend, Placing, Sampling, Strategy
from pytest_hybrideval.core.records import CallRecord, Ledger
from pytest_hybrideval.gateway.budget import Budget
from pytest_hybrideval.gateway.slots import Slots

_PLACED = "url"  # the provider of models that a router behind a URL has answered with


class StrategyFailed(RequestRefused):
    """The strategy broke while it decided."""


class Models(Protocol):
    """The models of a run, each made when it is first asked for."""

    embedding: ModelRef | None

    def backend(self, ref: ModelRef, tier: Tier) -> Backend:
        """The backend of a model. Raises `ConfigurationError` where it cannot be made."""
        ...

    def slots(self, ref: ModelRef, tier: Tier) -> Slots | None:
        """Its slots, None where any number of calls may go on."""
        ...


@dataclass(frozen=True)
class Origin:
    """Where a session's requests come from, as far as the strategy may know: a trial, or clients of a served router.

    `id` names it in records; `earlier` are the agent's calls of sessions before this one, oldest first.
    """

    id: str
    threshold: float | None
    seed: int
    task_class: TaskClass | None = None
    earlier: tuple[CallRecord, ...] = ()

    @classmethod
    def of(cls, trial: Trial) -> Origin:
        """A trial, of which one session has all calls."""
        return cls(trial.id, trial.variant.threshold, trial.variant.seed, trial.task.task_class)


@dataclass
class RouterSession:
    """What the `router` fixture gives: where the agent sends its requests, and what became of them.

    `trial` is None where a router is served. `doorway` is what `AgentJob` has of that name.
    """

    trial: Trial | None
    origin: Origin
    base_url: str
    strategy: Strategy
    backends: Mapping[Tier, Backend]
    sampling: Mapping[Tier, Sampling]
    models: Models
    retries: int = 0
    budget: Budget | None = None
    doorway: Callable[[str], AbstractContextManager[int]] | None = None
    key: str = field(default_factory=lambda: "hybrid-" + secrets.token_urlsafe(24), repr=False)
    ledger: Ledger = field(default_factory=Ledger)
    _started: float = field(default_factory=time.monotonic)
    _begun: int = 0
    _queued: float = 0.0
    _queueing: dict[object, float] = field(default_factory=dict, repr=False)
    _running: set[asyncio.Task[Any]] = field(default_factory=set, repr=False)

    @property
    def elapsed(self) -> float:
        """Seconds since the session was opened."""
        return time.monotonic() - self._started

    @property
    def queued(self) -> float:
        """Seconds that calls have waited for a free slot, up to now. May be asked from any thread."""
        now = time.monotonic()
        return self._queued + sum(now - since for since in list(self._queueing.values()))

    @asynccontextmanager
    async def slot(self, ref: ModelRef, tier: Tier) -> AsyncIterator[float]:
        """Hold one of the model's slots, where it has a limit; gives the seconds that were spent waiting for it."""
        slots = self.models.slots(ref, tier)
        if slots is None:
            yield 0.0
            return
        turn = object()
        self._queueing[turn] = time.monotonic()
        try:
            async with slots.hold():
                yield self._leave_queue(turn)
        finally:
            self._leave_queue(turn)

    def _leave_queue(self, turn: object) -> float:
        since = self._queueing.pop(turn, None)
        waited = 0.0 if since is None else time.monotonic() - since
        self._queued += waited
        return waited

    def next_index(self) -> int:
        """The number of the next call, from 0, in the order in which calls begin."""
        self._begun += 1
        return self._begun - 1

    def sampled(self, tier: Tier) -> Sampling:
        """What is sent with the calls of a tier; a trial's seed alone where the strategy leaves them to a router."""
        seed = self.trial.variant.seed if self.trial else None
        return self.sampling.get(tier) or Sampling(seed, "agent", None, None, None, None)

    def placed(self, model: str | None) -> tuple[Tier, str] | None:
        """Tier and model of an answer, where the strategy tells them by the name that the answer carries; else None.

        Raises `RequestRefused` where it does not know the name, or there is none (None).
        """
        if not isinstance(self.strategy, Placing):
            return None
        if model is None:
            raise self.strategy_failed("the answer does not say which model it is of, so its tier is unknown")
        tier = self.strategy.place(model)
        if tier is None:
            raise self.strategy_failed(
                f"model '{model}' answered, which is of no known tier; add it to the map of tiers"
            )
        return tier, f"{_PLACED}/{model}"

    def strategy_failed(self, what: str) -> StrategyFailed:
        """Note that the strategy broke: the trial has no verdict. The error to raise."""
        self.ledger.strategy_error = f"strategy '{self.strategy.name}' failed: {what}"
        return StrategyFailed(self.ledger.strategy_error)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Marks the current task as a request of this session, so that `finish` can end it."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            yield
        finally:
            self._running.discard(task)

    async def finish(self) -> None:
        """Cancel what is still running and wait until it has been recorded. Runs in the gateway's loop."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
