"""A backend and a strategy that follow a script, and builders for what they are given. No sockets, no files, no clock.

To test a strategy, call its `decide` with `make_request(...)` and `make_context(...)`. To test what stands between
agent and model, give it a `ScriptedBackend` and look at its `calls`: `assert backend.calls[0].sampling.seed == 42`.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from pytest_hybrideval.core.domain import (
    Answer,
    ChatRequest,
    Completion,
    Decision,
    ModelInfo,
    ModelRef,
    StreamEvent,
    TaskClass,
    Tier,
    Usage,
)
from pytest_hybrideval.core.protocols import BackendCall, Classify, Embed, RoutingContext
from pytest_hybrideval.core.records import CallRecord
from pytest_hybrideval.testing.scripted_embedder import ScriptedEmbedder


class Pause:
    """A place in a script where the backend stands still until `release`, or until its call is cancelled.

    The methods are for the test's thread and wait at most `timeout` seconds, then raise `TimeoutError`. A test that
    lives in the backend's own loop waits with `await asyncio.to_thread(pause.reached)`.
    """

    def __init__(self, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._arrivals = threading.Semaphore(0)
        self._cancellations = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._released = False
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    async def hold(self) -> None:
        """Wait here. What the backend does; a function of a `ScriptedStrategy` may do it too."""
        event = asyncio.Event()
        with self._lock:
            if self._released:
                event.set()
            self._waiting[event] = asyncio.get_running_loop()
        self._arrivals.release()
        try:
            await event.wait()
        except asyncio.CancelledError:
            self._cancellations.release()
            raise
        finally:
            with self._lock:
                del self._waiting[event]

    def reached(self, times: int = 1) -> None:
        """Return once `times` calls (more than were waited for before) have come here."""
        self._take(self._arrivals, times, "reached")

    def cancelled(self, times: int = 1) -> None:
        """Return once `times` calls have been cancelled while they stood here."""
        self._take(self._cancellations, times, "cancelled")

    def release(self) -> None:
        """Let everything go on that stands here, and let pass whatever comes later."""
        with self._lock:
            self._released = True
            for event, loop in self._waiting.items():
                loop.call_soon_threadsafe(event.set)

    def _take(self, counter: threading.Semaphore, times: int, what: str) -> None:
        for _ in range(times):
            if not counter.acquire(timeout=self._timeout):
                raise TimeoutError(f"the pause was not {what} within {self._timeout:g} s")


Step = str | StreamEvent | Pause | Exception


@dataclass(frozen=True)
class ScriptedReply:
    """One answer, step by step.

    A string is a piece of its text (one event of a stream), a `StreamEvent` is sent as it is, at a `Pause` the backend
    waits, an exception is raised. A whole answer goes through the same steps and is then the text of all of them.
    `usage`, `finish_reason` and `fingerprint` None: the model does not say. `body` are the exact bytes of a whole
    answer, None for a plain `chat.completion`.
    """

    steps: Sequence[Step]
    usage: Usage | None = field(default_factory=lambda: Usage(prompt=11, completion=7))
    finish_reason: str | None = "stop"
    fingerprint: str | None = None
    body: bytes | None = None


Scripted = ScriptedReply | str | Exception | Sequence[Step]
ScriptItem = Scripted | Callable[[BackendCall], Scripted]


class ScriptedClassifier:
    """Answers a strategy's questions one after the other, then always with `default`. `questions` has what was asked.

    An instance is what a `RoutingContext` takes as `classify`.
    """

    def __init__(self, *answers: str | Answer | Exception, default: str | Answer | Exception = "local") -> None:
        """A string is an answer of three prompt tokens and one completion token; an exception is raised."""
        self.questions: list[str] = []
        self._script = deque(answers)
        self._default = default

    async def __call__(self, question: str) -> Answer:
        """The next answer."""
        self.questions.append(question)
        answer = self._script.popleft() if self._script else self._default
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, Usage(prompt=3, completion=1)) if isinstance(answer, str) else answer


class ScriptedBackend:
    """A `Backend` that answers from a script.

    Every call takes the next item: a text (one piece), a sequence of steps, a `ScriptedReply`, an exception, or a
    function of the call that gives one of these. When the script is used up, `default` answers.

    `calls` has every `BackendCall` of `complete` and `stream` (each try is one), `broken_off` those that were cancelled
    or closed before their end, `running` the number of answers that are not over. Of `ask`, `classifier.questions` has
    the questions and `question_calls` the calls. `closed` says whether `aclose` was called.
    """

    simulated = False
    question_temperature: float | None = 0.0

    def __init__(
        self,
        *script: ScriptItem,
        default: ScriptItem = "Hello!",
        classifier: ScriptedClassifier | None = None,
        ref: ModelRef | None = None,
        info: ModelInfo | Exception | None = None,
    ) -> None:
        """`classifier` answers `ask`; `info` is what `describe` gives or raises."""
        self.ref = ref or ModelRef("scripted", "model")
        self.classifier = classifier or ScriptedClassifier()
        self.calls: list[BackendCall] = []
        self.question_calls: list[BackendCall] = []
        self.broken_off: list[BackendCall] = []
        self.running = 0
        self.closed = False
        self._script = deque(script)
        self._default = default
        self._info = info or ModelInfo(str(self.ref), version="1", digest="scripted", context_length=8192)

    def effective_temperature(self, call: BackendCall) -> float | None:
        """As asked for."""
        return call.temperature

    async def describe(self) -> ModelInfo:
        """The given `info`."""
        if isinstance(self._info, Exception):
            raise self._info
        return self._info

    async def complete(self, call: BackendCall) -> Completion:
        """The next reply as a whole."""
        async with self._answering(call) as reply:
            text = "".join([event.text for step in reply.steps if (event := await _play(step))])
            body = _whole(text, reply) if reply.body is None else reply.body
            return Completion(body, text, reply.finish_reason, reply.usage or Usage(), reply.fingerprint)

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The next reply event by event; at the end finish_reason and usage, for the agent only if it asked for it."""
        async with self._answering(call) as reply:
            for step in reply.steps:
                event = await _play(step)
                if event:
                    yield event
            for event in _ending(reply, call):
                yield event

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """The classifier's next answer."""
        self.question_calls.append(call)
        return await self.classifier(question)

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True

    @asynccontextmanager
    async def _answering(self, call: BackendCall) -> AsyncIterator[ScriptedReply]:
        self.calls.append(call)
        self.running += 1
        try:
            yield self._next(call)
        except (asyncio.CancelledError, GeneratorExit):
            self.broken_off.append(call)
            raise
        finally:
            self.running -= 1

    def _next(self, call: BackendCall) -> ScriptedReply:
        item = self._script.popleft() if self._script else self._default
        if callable(item):
            item = item(call)
        if isinstance(item, ScriptedReply):
            return item
        return ScriptedReply([item] if isinstance(item, (str, Exception)) else item)


@dataclass(frozen=True)
class Ask:
    """A decision by `context.classify`: the tier that the answer names."""

    question: str


ScriptedDecision = Decision | Tier | Exception | Ask | Callable[[ChatRequest, RoutingContext], Any]


class ScriptedStrategy:
    """A `Strategy` that decides from a script.

    Every request takes the next item: a `Decision`, a bare `Tier`, an exception to raise, an `Ask`, or a function
    (plain or async) of request and context whose result is returned whatever it is. When the script is used up,
    `default` decides. `requests` and `contexts` have what it was given.
    """

    def __init__(
        self, *script: ScriptedDecision, default: ScriptedDecision = Tier.LOCAL, name: str = "scripted"
    ) -> None:
        """`name` appears in reasons and errors."""
        self.name = name
        self.requests: list[ChatRequest] = []
        self.contexts: list[RoutingContext] = []
        self._script = deque(script)
        self._default = default

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """The next decision."""
        self.requests.append(request)
        self.contexts.append(context)
        item = self._script.popleft() if self._script else self._default
        if isinstance(item, Exception):
            raise item
        if isinstance(item, Tier):
            return Decision(item, f"{self.name}: {item.value}")
        if isinstance(item, Ask):
            answer = await context.classify(item.question)
            return Decision(Tier(answer.text), f"{self.name}: the classifier said {answer.text}")
        decision: Any = item(request, context) if callable(item) else item
        if inspect.isawaitable(decision):
            decision = await decision
        return cast(Decision, decision)  # or whatever else the script has, to see what becomes of it


def make_context(
    *,
    threshold: float | None = None,
    seed: int = 42,
    earlier: Sequence[CallRecord] = (),
    classify: Classify | None = None,
    embed: Embed | None = None,
    task_class: TaskClass | None = None,
) -> RoutingContext:
    """What a strategy may know; `classify` is by default a `ScriptedClassifier` that says "local".

    `embed` is by default a `ScriptedEmbedder`; with `no_embeddings` it is as where no embedding model was named.
    """
    return RoutingContext(
        threshold, seed, earlier, classify or ScriptedClassifier(), embed or ScriptedEmbedder(), task_class
    )


async def _play(step: Step) -> StreamEvent | None:
    """Do one step; the event to send, if it is one."""
    if isinstance(step, Exception):
        raise step
    if isinstance(step, Pause):
        await step.hold()
        return None
    return step if isinstance(step, StreamEvent) else StreamEvent(_chunk([_choice(delta={"content": step})]), step)


def _ending(reply: ScriptedReply, call: BackendCall) -> Iterator[StreamEvent]:
    if reply.finish_reason is not None:
        yield StreamEvent(
            _chunk([_choice(delta={}, finish_reason=reply.finish_reason)]),
            finish_reason=reply.finish_reason,
            fingerprint=reply.fingerprint,
        )
    if reply.usage is not None:
        asked = bool((call.request.body.get("stream_options") or {}).get("include_usage"))
        yield StreamEvent(_chunk([], usage=_usage(reply.usage)) if asked else None, usage=reply.usage)


def _whole(text: str, reply: ScriptedReply) -> bytes:
    choice = _choice(message={"role": "assistant", "content": text}, finish_reason=reply.finish_reason)
    usage = {} if reply.usage is None else {"usage": _usage(reply.usage)}
    return orjson.dumps(_head("chat.completion", [choice], **usage))


def _chunk(choices: list[Any], **more: Any) -> bytes:
    return orjson.dumps(_head("chat.completion.chunk", choices, **more))


def _head(kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
    return {"id": "scripted", "object": kind, "created": 0, "model": "scripted", "choices": choices, **more}


def _choice(**fields: Any) -> dict[str, Any]:
    return {"index": 0, "finish_reason": None, **fields}


def _usage(usage: Usage) -> dict[str, int]:
    told = {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion}
    return {name: count for name, count in told.items() if count is not None}
