"""The gateway as a thread of the test process: one event loop, one loopback port, a session per trial."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from aiohttp import web

from pytest_hybrideval.core.domain import ModelInfo, ModelRef, Tier, Trial
from pytest_hybrideval.core.protocols import Backend, Sampling, Strategy
from pytest_hybrideval.gateway.app import make_app
from pytest_hybrideval.gateway.sessions import RouterSession
from pytest_hybrideval.gateway.slots import Slots

T = TypeVar("T")

_HOST = "127.0.0.1"
_STOP_SECONDS = 10.0

MakeBackend = Callable[[ModelRef, Tier], Backend]
MakeSlots = Callable[[ModelRef, Tier], Slots | None]


def unlimited(ref: ModelRef, tier: Tier) -> Slots | None:
    """No model has a limit of calls at a time."""
    return None


class Gateway:
    """Start once per process, open a session per trial, stop at the end. All methods are for the test's thread."""

    def __init__(self, make_backend: MakeBackend, retries: int = 0, make_slots: MakeSlots = unlimited) -> None:
        """`make_backend` is called once per model and tier. `retries` is how often a failed call is tried again.

        `make_slots` says how many calls of a model go on at a time, None for any number.
        """
        self._make_backend = make_backend
        self._make_slots = make_slots
        self._retries = retries
        self._sessions: dict[str, RouterSession] = {}
        self._backends: dict[tuple[ModelRef, Tier], Backend] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hybrideval-gateway", daemon=True)
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    def start(self) -> None:
        """Listen on a free loopback port; afterwards `base_url` ends in `/v1`."""
        self._thread.start()
        port = self._run(self._listen())
        self.base_url = f"http://{_HOST}:{port}/v1"

    def describe(self, ref: ModelRef, tier: Tier) -> ModelInfo:
        """The preflight of one model. Raises `BackendError` where it would not answer."""
        return self._run(self._backend(ref, tier).describe())

    def open(self, trial: Trial, strategy: Strategy, sampling: Mapping[Tier, Sampling]) -> RouterSession:
        """A session for one trial; its key works until `close`. `sampling` names the tiers that it may use."""
        refs = {Tier.LOCAL: trial.variant.local, Tier.CLOUD: trial.variant.cloud}
        backends = {tier: self._backend(refs[tier], tier) for tier in sampling}
        limited = {tier: slots for tier in sampling if (slots := self._make_slots(refs[tier], tier))}
        session = RouterSession(trial, self.base_url, strategy, backends, sampling, self._retries, limited)
        self._sessions[session.key] = session
        return session

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

    def _backend(self, ref: ModelRef, tier: Tier) -> Backend:
        if (ref, tier) not in self._backends:
            self._backends[ref, tier] = self._make_backend(ref, tier)
        return self._backends[ref, tier]

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> int:
        # handler_cancellation: an agent that hangs up must stop the upstream call, which costs money.
        self._runner = web.AppRunner(make_app(self._sessions), handler_cancellation=True, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, 0).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _shut(self) -> None:
        async with AsyncExitStack() as stack:  # each is closed, whatever closing another one raises
            for backend in self._backends.values():
                stack.push_async_callback(backend.aclose)
            if self._runner:
                stack.push_async_callback(self._runner.cleanup)
