"""Guards around a real model: answers without end are cut, and prompts that the model cannot have seen are told.

Never put around an embedded model. An answer that is cut ends as a complete one with finish_reason "length", of which
agents apply nothing, and its record says why: the failure is the model's, and asking again would not mend it.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson

from pytest_hybrideval.backends.openai_wire import parse
from pytest_hybrideval.backends.prompt_size import counts_in_full, overran
from pytest_hybrideval.backends.repetition import STEP, LoopWatch
from pytest_hybrideval.backends.wrapper import BackendWrapper
from pytest_hybrideval.core.domain import Completion, Cut, ModelInfo, StreamEvent, Usage
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.core.protocols import Backend, BackendCall

T = TypeVar("T")
Part = TypeVar("Part", StreamEvent, Completion)


@dataclass(frozen=True)
class Guards:
    """What is guarded against, and from where on.

    `seconds` is how long one try may take from its request to its end, None for any time; the time-out for a server
    that goes silent comes on top. `repetition` cuts an answer, or its thinking, that has become one block of at most
    `block` characters over and over: the last `characters` of it, and no fewer than `repeats` times. With the defaults
    a line is cut after some 1,700 tokens of nothing else, and a block of 2,000 characters after its sixth time.

    `margin` is how many times as high as the server's count the least number of a prompt's tokens must be before the
    prompt counts as truncated; see `prompt_size`.
    """

    seconds: float | None = None
    repetition: bool = True
    block: int = 2000
    repeats: int = 6
    characters: int = 6000
    margin: float = 1.25

    def watch(self) -> LoopWatch:
        """A watch for one text."""
        return LoopWatch(self.block, self.repeats, self.characters)


class GuardedBackend(BackendWrapper):
    """Passes everything on as it comes, until a guard ends it. Questions have a time-out of their own and no guards."""

    def __init__(self, inner: Backend, guards: Guards | None = None) -> None:
        """`inner` is the real backend."""
        super().__init__(inner)
        self._guards = guards or Guards()
        self._info: ModelInfo | None = None

    async def describe(self) -> ModelInfo:
        """What the server says of its model; its release tells what its counts mean."""
        self._info = await self.inner.describe()
        return self._info

    async def complete(self, call: BackendCall) -> Completion:
        """A whole answer. One that is late is cut to nothing, one with a loop where a stream would be cut."""
        try:
            answer = await _Deadline(self._guards.seconds).meet(self.inner.complete(call))
        except _LateError:
            body = orjson.dumps(_chat(self.ref.name, "chat.completion", message={"role": "assistant", "content": ""}))
            return Completion(body, "", "length", Usage(), cut=Cut.TOO_LONG)
        return await self._checked(self._unlooped(answer), call)

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes. Where it is cut the model is stopped first, and the last event says why."""
        deadline, text, thinking = _Deadline(self._guards.seconds), self._guards.watch(), self._guards.watch()
        last: StreamEvent | None = None
        ended = False
        async with aclosing(self.inner.stream(call)) as events:
            while True:
                try:
                    event = await deadline.meet(_next(events))
                except _LateError:
                    cut = Cut.TOO_LONG
                    break
                if event is None:
                    return
                if self._guards.repetition and (text.feed(event.text) or thinking.feed(event.thinking)):
                    cut = Cut.REPETITION
                    break
                yield await self._checked(event, call)
                last, ended = event if event.data is not None else last, ended or bool(event.finish_reason)
        if not ended:  # else it was complete, and only its usage was still to come
            yield StreamEvent(self._ending(last), finish_reason="length", cut=cut)

    def _ending(self, last: StreamEvent | None) -> bytes:
        """The chunk that ends an answer, with the id, time and model of the one before it."""
        chunk = _chat(self.ref.name, "chat.completion.chunk", delta={})
        before: Any = parse(last.data) if last and last.data is not None else {}
        kept = ("id", "created", "model", "system_fingerprint")
        return json.dumps({**chunk, **{name: before[name] for name in kept if name in before}}).encode()

    def _unlooped(self, answer: Completion) -> Completion:
        watch, end = self._guards.watch(), 0
        while self._guards.repetition and end < len(answer.text):
            end += STEP
            if watch.feed(answer.text[end - STEP : end]):
                break
        else:
            return answer
        body: Any = parse(answer.body)
        text = answer.text[: end - STEP]
        body["choices"][0].update(finish_reason="length")
        body["choices"][0]["message"].update(content=text)
        return replace(answer, body=json.dumps(body).encode(), text=text, finish_reason="length", cut=Cut.REPETITION)

    async def _checked(self, part: Part, call: BackendCall) -> Part:
        """The same, marked where its usage tells that the prompt was not read to its end."""
        read = part.usage.prompt if part.usage else None
        if not overran(call.request.messages, read, call.sampling.num_ctx, self._guards.margin):
            return part
        return replace(part, truncated_prompt=True) if counts_in_full(await self._release()) else part

    async def _release(self) -> str | None:
        if self._info is None:
            try:
                await self.describe()
            except BackendError:
                return None
        return self._info.version if self._info else None


class _LateError(Exception):
    """The time is over."""


class _Deadline:
    """A moment after which nothing is waited for. Made inside a running event loop."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else asyncio.get_running_loop().time() + seconds

    async def meet(self, work: Awaitable[T]) -> T:
        """What `work` gives. Raises `_LateError` where it is late, once it has been cancelled and has ended.

        `asyncio.wait` and not `wait_for`, which before Python 3.12 may swallow a cancellation from outside.
        """
        if self._at is None:
            return await work
        task, left = asyncio.ensure_future(work), self._at - asyncio.get_running_loop().time()
        try:
            if left > 0:  # else it is late, however soon it would be done
                await asyncio.wait({task}, timeout=left)
            if task.done():
                return task.result()
            raise _LateError
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            _ = task.cancelled() or task.exception()  # seen: who was cancelled meanwhile has no use for it


async def _next(events: AsyncGenerator[StreamEvent, None]) -> StreamEvent | None:
    return await anext(events, None)


def _chat(model: str, kind: str, **said: Any) -> dict[str, Any]:
    """An answer of one choice that ends for its length."""
    choice = {"index": 0, **said, "logprobs": None, "finish_reason": "length"}
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}
    return {**head, "choices": [choice]}
