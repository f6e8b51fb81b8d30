"""A model that misbehaves on purpose, for whoever wants to know what a router does then.

To the gateway and the strategy an injected fault looks as the real one does: the same error, with the same status, said
to be worth trying again or not. Its text says that it was injected. Nothing is asked of the model for a fault that
comes before the answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import orjson

from pytest_hybrideval.backends.fault_plan import OPTION, FaultPlan, Faults, parse_faults
from pytest_hybrideval.backends.faults import Peer, Secret, status_fault
from pytest_hybrideval.backends.wrapper import BackendWrapper
from pytest_hybrideval.core.domain import Answer, Completion, Embedding, ModelInfo, StreamEvent, Tier, Usage
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable, StreamBroken
from pytest_hybrideval.core.protocols import Backend, BackendCall, Embedder

__all__ = ["FaultPlan", "Faults", "InjectedBackend", "injected", "parse_faults"]

RETRY_AFTER = "1"  # seconds, as the header of an injected 429 has it
_BYTES_PER_TOKEN = 4
_LONGEST_BEFORE_CUT = 20
_NOTHING = Usage(prompt=0, completion=0, cached=0, reasoning=0)  # no model was asked


def injected(backend: Backend, tier: Tier, plan: FaultPlan | None) -> Backend:
    """The backend with its tier's faults around it; itself where the plan has none."""
    faults = plan.of(tier) if plan else None
    return InjectedBackend(backend, tier, faults) if faults else backend


class InjectedBackend(BackendWrapper):
    """Whether and how a try fails is drawn from the trial's id and seed, tier, and the numbers of call and try alone.

    So the same run misbehaves in the same way, in whatever process a trial runs, and a try that follows another draws
    anew. Requests that belong to no trial are told apart by their numbers only. Embeddings know latency and `down`.
    """

    def __init__(self, inner: Backend, tier: Tier, faults: Faults) -> None:
        """`tier` is the one whose faults these are."""
        super().__init__(inner)
        if isinstance(inner, Embedder):
            self.embed = self._embed
        self._tier = tier
        self._faults = faults
        self._peer = Peer(
            name=f"{inner.ref} (fault injected by {OPTION})",
            model=inner.ref.name,
            start=f"leave {tier.value}:down out to reach it",
            missing="leave the fault out to reach it",
            secret=Secret("its key"),
        )

    async def describe(self) -> ModelInfo:
        """What the server says of its model: no fault is injected here. One that is down anyway need not answer."""
        try:
            return await self.inner.describe()
        except BackendError:
            if not self._faults.down:
                raise
            return ModelInfo(str(self.ref), simulated=self.simulated)

    async def complete(self, call: BackendCall) -> Completion:
        """A whole answer, or the fault that was drawn."""
        fate = await self._begin(call)
        if fate == "empty":
            choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
            return Completion(self._body("chat.completion", choice), "", "stop", _NOTHING)
        answer = await self.inner.complete(call)
        if fate == "cut":
            raise self._broken()
        await self._dawdle(answer.text)
        return answer

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes, or the fault that was drawn. One that is cut begins, and never ends."""
        fate = await self._begin(call)
        if fate == "empty":
            choice = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
            yield StreamEvent(self._body("chat.completion.chunk", choice), finish_reason="stop", usage=_NOTHING)
            return
        left = 1 + int(self._draw(call, "where") * _LONGEST_BEFORE_CUT) if fate == "cut" else None
        async with aclosing(self.inner.stream(call)) as events:
            async for event in events:
                if left is not None and (left == 0 or event.finish_reason or event.usage):
                    raise self._broken()
                left = None if left is None else left - 1
                await self._dawdle(event.text)
                yield event

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """An answer to a question of the strategy's own, or the fault that was drawn."""
        fate = await self._begin(call)
        if fate == "empty":
            return Answer("", _NOTHING)
        answer = await self.inner.ask(question, call)
        if fate == "cut":
            raise self._broken()
        await self._dawdle(answer.text)
        return answer

    async def _embed(self, texts: Sequence[str]) -> Embedding:
        await self._reach()
        embedding: Embedding = await self.inner.embed(texts)  # type: ignore[attr-defined]
        return embedding

    async def _reach(self) -> None:
        """What every request meets first: the way there takes time, or is shut."""
        await asyncio.sleep(self._faults.latency)
        if self._faults.down:
            raise BackendUnavailable(f"{self._peer.name} refused the connection; {self._peer.start}", retryable=True)

    async def _begin(self, call: BackendCall) -> str | None:
        """What becomes of a try: "cut", "empty", or None where all goes well. Raises the error of a drawn status."""
        await self._reach()
        draw = self._draw(call, "fate")
        for status, share in self._faults.statuses:
            if draw < share:
                headers = {"Retry-After": RETRY_AFTER} if status == 429 else {}
                raise status_fault(self._peer, status, headers, "injected")
            draw -= share
        if draw < self._faults.cut:
            return "cut"
        return "empty" if draw - self._faults.cut < self._faults.empty else None

    def _draw(self, call: BackendCall, purpose: str) -> float:
        trial = call.trial.id if call.trial else ""
        parts = (purpose, trial, call.seed, self._tier.value, call.number, call.attempt)
        digest = hashlib.sha256("\x00".join(map(str, parts)).encode()).digest()
        return random.Random(int.from_bytes(digest[:8], "big")).random()

    async def _dawdle(self, text: str) -> None:
        """Take as long over a piece of text as a slow model does, at one token for four bytes."""
        if self._faults.slow is not None and text:
            await asyncio.sleep(len(text.encode()) / _BYTES_PER_TOKEN / self._faults.slow)

    def _broken(self) -> StreamBroken:
        return StreamBroken(f"{self._peer.name} cut its answer off", retryable=True)

    def _body(self, kind: str, choice: dict[str, Any]) -> bytes:
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time())}
        return orjson.dumps({**head, "model": self.ref.name, "choices": [choice]})
