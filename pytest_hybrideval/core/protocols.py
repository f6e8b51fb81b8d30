"""The seams of the house: what a strategy, backend, agent, scorer and suite must be. Everything depends on these."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pytest_hybrideval.core.domain import (
    AgentResult,
    Answer,
    ChatRequest,
    Completion,
    Decision,
    Embedding,
    ModelInfo,
    ModelRef,
    Reply,
    Score,
    StreamEvent,
    Task,
    TaskClass,
    Tier,
    Trial,
)
from pytest_hybrideval.core.errors import RequestRefused
from pytest_hybrideval.core.records import CallRecord, Ledger
from pytest_hybrideval.core.settings import StrategyOptions


class Classify(Protocol):
    """Asks the local model a short question on the strategy's behalf; its tokens are billed as overhead."""

    async def __call__(self, question: str) -> Answer:
        """The model's answer. Raises `BackendError` where it has none."""
        ...


class Embed(Protocol):
    """Turns texts into vectors with the run's embedding model; its tokens are billed as overhead."""

    async def __call__(self, texts: Sequence[str]) -> Embedding:
        """The vectors. Raises `BackendError` where there are none, `RequestRefused` without an embedding model."""
        ...


async def no_embeddings(texts: Sequence[str]) -> Embedding:
    """What `RoutingContext.embed` is where no embedding model was named. Always raises `RequestRefused`."""
    raise RequestRefused("no embedding model is named; --hybrid-embedding-model PROVIDER/NAME names one")


@dataclass(frozen=True)
class RoutingContext:
    """What a strategy may know beside the request. `earlier` are the trial's finished calls, oldest first.

    `task_class` is that of the trial's task; None where the router serves requests that belong to no task.
    """

    threshold: float | None
    seed: int
    earlier: Sequence[CallRecord]
    classify: Classify
    embed: Embed = no_embeddings
    task_class: TaskClass | None = None


@runtime_checkable
class Strategy(Protocol):
    """The policy under test. One instance serves one trial.

    A class attribute `default_threshold` (float) says that the strategy takes a threshold; without it, or with None,
    it takes none. A class attribute `tiers` (set of `Tier`) may narrow the tiers it can choose, so that nothing is
    asked of a backend it never uses. An attribute `models` (tuple of (tier, `ModelRef`)) names models beside the
    trial's that its decisions may name. A class attribute `embeds` (True) says that it calls `RoutingContext.embed`, so
    that an embedding model that is missing is found out before anything runs.

    A method `review` (see `Reviewing`) lets it look at an answer before the agent does.
    """

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        ...

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Where this request goes. Touches no clock, environment or socket of its own."""
        ...


@runtime_checkable
class Reviewing(Protocol):
    """A strategy that looks at each answer before the agent sees it, which is then not streamed but held back."""

    async def review(self, request: ChatRequest, reply: Reply, context: RoutingContext) -> Decision | None:
        """None lets the answer pass; a decision sends the request again, and the answer's tokens become overhead.

        The second answer is not reviewed. Touches no clock, environment or socket of its own.
        """
        ...


@runtime_checkable
class Placing(Protocol):
    """A strategy that leaves the choice to a router of its own: the tier is told from the model that answered."""

    def place(self, model: str) -> Tier | None:
        """The tier of a model, by the name that its answer carries. None where it is unknown: no verdict then."""
        ...


class StrategyFactory(Protocol):
    """Makes a fresh strategy for a trial: usually the strategy's class itself."""

    def __call__(self) -> Strategy:
        """A new strategy."""
        ...


@runtime_checkable
class ConfigurableFactory(Protocol):
    """Offered in place of a factory by a strategy that takes options of the run, or an argument as in `random:0.3`.

    Usually the strategy's class, with `configured` as a classmethod that returns `functools.partial(cls, ...)`.
    """

    def configured(self, options: StrategyOptions, argument: str) -> StrategyFactory:
        """The factory for these options; `argument` is what stands after the name and its colon, empty without one.

        Called once per name and process, before the first trial: the place to read files. What it returns says on its
        own `default_threshold`, `tiers`, `models` and `embeds`, as a class does; of a `functools.partial` its function
        is asked. Raises `ConfigurationError` that says what would be right.
        """
        ...


StrategyOffer = StrategyFactory | ConfigurableFactory


def declared(offer: StrategyOffer, attribute: str, default: Any) -> Any:
    """What a factory says of its strategies (`default_threshold`, `tiers`, `models`, `embeds`); see `Strategy`."""
    if isinstance(offer, partial) and not hasattr(offer, attribute):
        return getattr(offer.func, attribute, default)
    return getattr(offer, attribute, default)


def strategy_tiers(factory: StrategyFactory) -> frozenset[Tier]:
    """The tiers that a strategy may choose: its `tiers`, else both."""
    return frozenset(declared(factory, "tiers", Tier))


def strategy_models(factory: StrategyFactory) -> tuple[tuple[Tier, ModelRef], ...]:
    """The models beside those of the two tiers that a strategy may name, each with its tier."""
    return tuple(declared(factory, "models", ()))


def strategy_embeds(factory: StrategyFactory) -> bool:
    """Whether a strategy needs an embedding model."""
    return bool(declared(factory, "embeds", False))


def default_threshold(factory: StrategyOffer) -> float | None:
    """The threshold that a strategy uses unless told otherwise; None where it takes none."""
    value: Any = declared(factory, "default_threshold", None)
    return None if value is None else float(value)


@dataclass(frozen=True)
class Sampling:
    """What is sent with every call of a tier. None means: do not send that parameter.

    `temperature` is "agent" (as the agent asked), None (leave it out) or a number. `seed` is the trial's; None leaves
    the client's own, if it sends one.
    """

    seed: int | None
    temperature: float | str | None
    max_tokens: int | None
    num_ctx: int | None
    think: bool | None
    keep_alive: str | None


@dataclass(frozen=True)
class BackendCall:
    """One request on its way to a model: what the agent wrote, what we add, and for which trial.

    `trial` is None where a router is served, to clients that belong to no trial. `number` is the call's number in its
    session, from 0; `attempt` counts its tries, from 1.
    """

    request: ChatRequest
    sampling: Sampling
    trial: Trial | None
    number: int = 0
    attempt: int = 1

    @property
    def seed(self) -> int | None:
        """The seed that is sent: the trial's, else the client's own, None where there is neither."""
        if self.sampling.seed is not None:
            return self.sampling.seed
        asked = self.request.body.get("seed")
        return asked if isinstance(asked, int) and not isinstance(asked, bool) else None

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

    @property
    def ref(self) -> ModelRef:
        """The model, as the user named it."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether this is an embedded model: then its trials measure nothing, and say so."""
        ...

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


@runtime_checkable
class Embedder(Protocol):
    """A backend whose model makes embeddings."""

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """Vectors of the texts, in their order. Raises `BackendError`."""
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
    come on top of `timeout`. `doorway` is for an agent that has a network of its own: given the base URL, it lends the
    descriptor of a Unix socket; a listening socket that is sent over it (SCM_RIGHTS) is answered as the base URL is.
    `resumed`: it goes on with its own earlier run in the same workspace and HOME.
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
    doorway: Callable[[str], AbstractContextManager[int]] | None = None
    resumed: bool = False


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
