"""What is put around a backend: a backend itself that passes everything on, for others to change one thing of."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from pytest_hybrideval.core.domain import Answer, Completion, ModelInfo, ModelRef, StreamEvent
from pytest_hybrideval.core.protocols import Backend, BackendCall, Embedder


class BackendWrapper:
    """Passes every call on to `inner`. What only some backends have (`embed`) it has where `inner` has it."""

    def __init__(self, inner: Backend) -> None:
        """`inner` is closed with this one."""
        self.inner = inner
        # Set here, because from Python 3.12 on a protocol does not ask `__getattr__`.
        if isinstance(inner, Embedder) and not hasattr(type(self), "embed"):
            self.embed = inner.embed

    def __getattr__(self, name: str) -> Any:
        """Whatever else the inner backend has."""
        if name == "inner":  # not there yet: a copy is being made
            raise AttributeError(name)
        return getattr(self.inner, name)

    @property
    def ref(self) -> ModelRef:
        """The inner backend's model."""
        return self.inner.ref

    @property
    def simulated(self) -> bool:
        """Whether the inner backend is an embedded model."""
        return self.inner.simulated

    @property
    def question_temperature(self) -> float | None:
        """The temperature that `ask` sends."""
        return self.inner.question_temperature

    def effective_temperature(self, call: BackendCall) -> float | None:
        """The temperature that is sent with this call."""
        return self.inner.effective_temperature(call)

    async def describe(self) -> ModelInfo:
        """What the model's server says of it."""
        return await self.inner.describe()

    async def complete(self, call: BackendCall) -> Completion:
        """A whole answer."""
        return await self.inner.complete(call)

    def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes."""
        return self.inner.stream(call)

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """A short question of the strategy's own."""
        return await self.inner.ask(question, call)

    async def aclose(self) -> None:
        """Close the inner backend."""
        await self.inner.aclose()
