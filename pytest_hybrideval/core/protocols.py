"""The seams of the house: what a strategy, backend, agent, scorer and suite must be. Everything depends on these."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from pytest_hybrideval.core.domain import (
    AgentResult,
    Answer,
    ChatRequest,
    Completion,
    Decision,
    ModelInfo,
    ModelRef,
    Score,
    StreamEvent,
    Task,
    Tier,
    Trial,
)
from pytest_hybrideval.core.records import CallRecord, Ledger


class Classify(Protocol):
    """Asks the local model a short question on the strategy's behalf; its tokens are billed as overhead."""

    async def __call__(self, question: str) -> Answer:
        """The model's answer. Raises `BackendError` where it has none."""
        ...


@dataclass(frozen=True)
class RoutingContext:
    """What a strategy may know beside the request. `earlier` are the trial's finished calls, oldest first."""

    threshold: float | None
    seed: int
    earlier: Sequence[CallRecord]
    classify: Classify


@runtime_checkable
class Strategy(Protocol):
    """The policy under test. One instance serves one trial.

    A class attribute `default_threshold` (float) says that the strategy takes a threshold; without it, or with None,
    it takes none. A class attribute `tiers` (set of `Tier`) may narrow the tiers it can choose, so that nothing is
    asked of a backend it never uses.
    """

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        ...

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Where this request goes. Touches no clock, environment or socket of its own."""
        ...


class StrategyFactory(Protocol):
    """Makes a fresh strategy for a trial: usually the strategy's class itself."""

    def __call__(self) -> Strategy:
        """A new strategy."""
        ...


@dataclass(frozen=True)
class Sampling:
    """What is sent with every call of a tier. None means: do not send that parameter.

    `temperature` is "agent" (as the agent asked), None (leave it out) or a number. `seed` is the trial's.
    """

    seed: int
    temperature: float | str | None
    max_tokens: int | None
    num_ctx: int | None
    think: bool | None
    keep_alive: str | None


@dataclass(frozen=True)
class BackendCall:
    """One request on its way to a model: what the agent wrote, what we add, and for which trial."""

    request: ChatRequest
    sampling: Sampling
    trial: Trial

    @property
    def temperature(self) -> float | None:
        """The temperature that is sent, None where none is."""
        chosen = self.sampling.temperature
        if isinstance(chosen, str):
            return _number(self.request.body.get("temperature"))
        return chosen

    @property
    def max_tokens(self) -> int | None:
        """The smaller of the agent's own limit and ours, None where neither is set."""
        asked = self.request.body.get("max_completion_tokens", self.request.body.get("max_tokens"))
        limits = [limit for limit in (asked, self.sampling.max_tokens) if isinstance(limit, int)]
        return min(limits, default=None)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


class Backend(Protocol):
    """Our client of one model. Used from the gateway's event loop only.

    Every method raises `BackendError` (or a subclass) where the model could not answer.
    """

    ref: ModelRef
    simulated: bool

    @property
    def question_temperature(self) -> float | None:
        """The temperature that `ask` sends, None where the model takes none."""
        ...

    async def describe(self) -> ModelInfo:
        """Ask the server who it is: version, digest, context length. The preflight."""
        ...

    async def complete(self, call: BackendCall) -> Completion:
        """A whole answer. One try: the gateway retries."""
        ...

    def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes; the last event carries finish_reason and usage where they are known.

        Raises `StreamBroken` where the upstream ends without its end marker.
        """
        ...

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """A short question of the strategy's own, at temperature 0 with the trial's seed."""
        ...

    def effective_temperature(self, call: BackendCall) -> float | None:
        """The temperature that is sent with this call, None where none is; for the call's record."""
        ...

    async def aclose(self) -> None:
        """Close connections. Safe to call twice."""
        ...


class BackendFactory(Protocol):
    """Makes the backend of a model for a tier. Raises `ConfigurationError` where something is missing."""

    def __call__(self, ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> Backend:
        """The backend; it may connect at its first call, not now. `environ` holds keys and addresses."""
        ...


@dataclass(frozen=True)
class AgentJob:
    """All an agent needs for one run. `files_*` are workspace-relative; `transcript` is where its output goes.

    `queued` tells the seconds that its requests have waited for a free slot up to now: they are not the agent's and
    come on top of `timeout`.
    """

    workspace: Path
    home: Path
    instruction: str
    files_edit: Sequence[str]
    files_read_only: Sequence[str]
    base_url: str
    api_key: str
    timeout: float
    transcript: Path
    queued: Callable[[], float] = float


class Agent(Protocol):
    """A coding tool that edits the workspace through the gateway."""

    @property
    def label(self) -> str:
        """Name, version and mode, as records carry it: `aider 0.86.2 architect`."""
        ...

    def run(self, job: AgentJob) -> AgentResult:
        """Run to the end or the time-out, and leave no process behind."""
        ...


class Router(Protocol):
    """A trial's open session at the gateway."""

    base_url: str
    key: str
    ledger: Ledger

    @property
    def queued(self) -> float:
        """Seconds that calls have waited for a free slot, up to now."""
        ...


class Scorer(Protocol):
    """Decides a task from the files the agent left."""

    @property
    def label(self) -> str:
        """The sandbox in use and what it blocks, for header, manifest and matrix."""
        ...

    def score(self, task: Task, produced: Mapping[str, Path], report: Path | None = None) -> Score:
        """Run the hidden tests over the allowed files in `produced` (workspace-relative -> file on disk).

        Raises `SandboxError` where the tests could not be run at all.
        """
        ...


class Suite(Protocol):
    """A folder format of tasks."""

    def claims(self, folder: Path) -> bool:
        """Whether the folder is a task of this format (perhaps a broken one)."""
        ...

    def load(self, folder: Path) -> Task:
        """Read and validate. Raises `TaskError` naming file and field."""
        ...
