"""A trial's place at the gateway: its key, strategy, backends and ledger of calls."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pytest_hybrideval.core.domain import Tier, Trial
from pytest_hybrideval.core.errors import RequestRefused
from pytest_hybrideval.core.protocols import Backend, Sampling, Strategy
from pytest_hybrideval.core.records import Ledger
from pytest_hybrideval.gateway.slots import Slots


@dataclass
class RouterSession:
    """What the `router` fixture gives: where the agent sends its requests, and what became of them."""

    trial: Trial
    base_url: str
    strategy: Strategy
    backends: Mapping[Tier, Backend]
    sampling: Mapping[Tier, Sampling]
    retries: int = 0
    slots: Mapping[Tier, Slots] = field(default_factory=dict)
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
    async def slot(self, tier: Tier) -> AsyncIterator[float]:
        """Hold one of the tier's slots, where it has a limit; gives the seconds that were spent waiting for it."""
        if tier not in self.slots:
            yield 0.0
            return
        turn = object()
        self._queueing[turn] = time.monotonic()
        try:
            async with self.slots[tier].hold():
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

    def strategy_failed(self, what: str) -> RequestRefused:
        """Note that the strategy broke: the trial has no verdict. The error to raise."""
        self.ledger.strategy_error = f"strategy '{self.strategy.name}' failed: {what}"
        return RequestRefused(self.ledger.strategy_error)

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
