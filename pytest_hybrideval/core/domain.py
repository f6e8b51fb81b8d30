"""The words of the house as types: task, trial, tier, decision, usage, outcome. Facts are frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class Tier(str, Enum):
    """Where a request may go."""

    LOCAL = "local"
    CLOUD = "cloud"


class TaskClass(str, Enum):
    """What kind of work a task is."""

    D1 = "D1"
    D2 = "D2"
    D3 = "D3"
    D5 = "D5"
    D6 = "D6"
    PUZZLE = "puzzle"
    TERMINAL = "terminal"


class Outcome(str, Enum):
    """How a trial ended: `ERROR` is infrastructure and says nothing about the agent."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


class FailureMode(str, Enum):
    """Why a `FAILED` trial failed: the agent's fault, told from evidence."""

    NO_EDIT = "no_edit"
    MALFORMED_EDIT = "malformed_edit"
    WRONG_FILE = "wrong_file"
    SYNTAX_ERROR = "syntax_error"
    TESTS_FAILED = "tests_failed"
    AGENT_TIMEOUT = "agent_timeout"
    AGENT_CRASH = "agent_crash"
    SCORING_TIMEOUT = "scoring_timeout"
    CONTEXT_OVERFLOW = "context_overflow"
    RUNAWAY_OUTPUT = "runaway_output"
    TAMPERING = "tampering"


class Cut(str, Enum):
    """Why an answer was ended before the model did: it repeated itself without end, or took longer than allowed."""

    REPETITION = "repetition"
    TOO_LONG = "too_long"


class CallFault(str, Enum):
    """Why a call brought no complete answer."""

    BACKEND = "backend"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    NOT_RECORDED = "not_recorded"
    BUDGET = "budget"
    HUNG_UP = "hung_up"


class ErrorKind(str, Enum):
    """Why an `ERROR` trial has no verdict: the infrastructure's fault."""

    BACKEND = "backend"
    NOT_RECORDED = "not_recorded"
    STRATEGY = "strategy"
    AGENT = "agent"
    BUDGET = "budget"
    SANDBOX = "sandbox"
    TIMEOUT = "timeout"
    WORKER_LOST = "worker_lost"
    INTERRUPTED = "interrupted"
    INTERNAL = "internal"


PYTEST, JEST, SCRIPT = "pytest", "jest", "script"


@dataclass(frozen=True)
class Terminal:
    """What a task in Harbor's layout has: the path that its files have where it runs, and the script that solves it."""

    workdir: str
    solver: Path | None


@dataclass(frozen=True)
class NearMiss:
    """A plausible wrong solution: files laid over the workspace (relative path -> where it lies on disk)."""

    name: str
    flaw: str
    files: Mapping[str, Path]


@dataclass(frozen=True, eq=False)
class Task:
    """One benchmark task, loaded once per process and compared by identity.

    Every file map is workspace-relative POSIX path -> file on disk, read when needed.
    `edit` and `create` are the only files taken over from the agent. `hidden` is laid over the workspace for
    scoring. `digest` is a hash over everything that can change a verdict (texts, files, limits). `runner` runs the
    hidden tests: `PYTEST`, `JEST` with the modules in `tools`, or `SCRIPT` as `terminal` says: then whatever the agent
    leaves counts. `skip` says why its trials cannot run on this
    machine; empty where they can.
    """

    suite: str
    name: str
    folder: Path
    task_class: TaskClass
    title: str
    instruction: str
    workspace: Mapping[str, Path]
    edit: tuple[str, ...]
    create: tuple[str, ...]
    read_only: tuple[str, ...]
    hidden: Mapping[str, Path]
    solution: Mapping[str, Path]
    near_misses: tuple[NearMiss, ...]
    digest: str
    difficulty: str = ""
    topics: tuple[str, ...] = ()
    agent_seconds: float = 600.0
    scoring_seconds: float = 60.0
    runner: str = PYTEST
    tools: Path | None = None
    terminal: Terminal | None = None
    skip: str = ""

    @property
    def id(self) -> str:
        """`suite/name`, unique within a run."""
        return f"{self.suite}/{self.name}"

    @property
    def open(self) -> bool:
        """Whether every file that the agent leaves counts, whatever its name."""
        return self.terminal is not None

    @property
    def allowed(self) -> tuple[str, ...]:
        """The files the agent may leave behind: all others are thrown away before scoring."""
        return (*self.edit, *self.create)


@dataclass(frozen=True)
class ModelRef:
    """A model as the user names it: `provider/name`."""

    provider: str
    name: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True)
class Variant:
    """One point of the matrix, the same for every task: strategy x threshold x seed x models.

    `tiers` are those that the strategy may choose; the other tier's model is named and never asked.
    """

    strategy: str
    threshold: float | None
    seed: int
    local: ModelRef
    cloud: ModelRef
    id: str
    tiers: frozenset[Tier] = frozenset(Tier)

    def model(self, tier: Tier) -> ModelRef:
        """The model of a tier."""
        return self.local if tier is Tier.LOCAL else self.cloud

    @property
    def simulated(self) -> bool:
        """Whether a model that may be asked is an embedded one."""
        return any(self.model(tier).provider == "simulated" for tier in self.tiers)


@dataclass(frozen=True)
class Trial:
    """One task under one variant: what a pytest item runs."""

    task: Task
    variant: Variant

    @property
    def id(self) -> str:
        """`suite/name[variant]`, unique within a run."""
        return f"{self.task.id}[{self.variant.id}]"


@dataclass(frozen=True)
class ChatRequest:
    """A chat completion request as it came from the agent. `body` is the parsed JSON, never changed in place."""

    body: Mapping[str, Any]

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation."""
        messages: Sequence[Mapping[str, Any]] = self.body["messages"]
        return messages

    @property
    def stream(self) -> bool:
        """Whether the agent asked for server-sent events."""
        return bool(self.body.get("stream"))


@dataclass(frozen=True)
class Decision:
    """A strategy's answer for one request: where it goes and why. `score` is whatever scale the strategy has.

    `model` is another model than the trial's for that tier; the strategy must have named it in its `models`.
    """

    tier: Tier
    reason: str
    score: float | None = None
    model: ModelRef | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens of one call; None means the backend did not say, which is not zero.

    `cached` tokens are part of `prompt`, `reasoning` tokens are part of `completion`.
    """

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    reasoning: int | None = None

    @property
    def known(self) -> bool:
        """Whether both totals are known."""
        return self.prompt is not None and self.completion is not None


@dataclass(frozen=True)
class Completion:
    """A whole answer: `body` is the JSON for the agent, byte for byte as it is sent.

    `model` is what the answer calls its model, None where it does not say. `cut` is why it was ended before the model
    did, and `truncated_prompt` says that the model cannot have seen the whole prompt. `replayed`: it is a recorded one,
    for which the model took `recorded_seconds`.
    """

    body: bytes
    text: str
    finish_reason: str | None
    usage: Usage
    fingerprint: str | None = None
    model: str | None = None
    cut: Cut | None = None
    truncated_prompt: bool = False
    replayed: bool = False
    recorded_seconds: float | None = None


@dataclass(frozen=True)
class StreamEvent:
    """One server-sent event of a streamed answer.

    `data` is the event's payload as it goes to the agent (JSON bytes, without `data: `), None where the event is
    for our accounting alone. `text` is the answer text it carries, `thinking` what the model thinks aloud before it,
    `model` what the answer calls its model. `cut` and `truncated_prompt` are of the whole answer; see `Completion`.
    """

    data: bytes | None
    text: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    fingerprint: str | None = None
    model: str | None = None
    thinking: str = ""
    cut: Cut | None = None
    truncated_prompt: bool = False
    replayed: bool = False
    recorded_seconds: float | None = None


@dataclass(frozen=True)
class ModelInfo:
    """What a backend says of its model before the first trial. Unknown facts are None."""

    model: str
    simulated: bool = False
    version: str | None = None
    digest: str | None = None
    context_length: int | None = None


@dataclass(frozen=True)
class AgentResult:
    """What the agent left behind. `exit_code` is None where it was killed; `malformed` counts refused edits."""

    exit_code: int | None
    seconds: float
    timed_out: bool = False
    malformed: int = 0


@dataclass(frozen=True)
class Score:
    """What the hidden tests said. `tests` maps test id -> outcome, over the expected ids and any others that ran.

    `seconds` is the whole run in the sandbox, `test_seconds` of it the tests' own phases. `tampering`: the tested code
    tried to be taken for a solution without being one, and `detail` says how.
    """

    passed: bool
    exit_code: int | None
    tests: Mapping[str, str]
    expected: int
    seconds: float
    timed_out: bool = False
    detail: str = ""
    test_seconds: float = 0.0
    tampering: bool = False

    @property
    def passed_tests(self) -> int:
        """How many tests passed."""
        return sum(outcome == "passed" for outcome in self.tests.values())


@dataclass(frozen=True)
class Reply:
    """A model's answer as a strategy sees it that may review it before the agent does.

    `fault` says why the answer is incomplete (the backend failed, or broke off), and is empty where it is whole.
    """

    text: str
    finish_reason: str | None
    usage: Usage = field(default_factory=Usage)
    fault: str = ""


@dataclass(frozen=True)
class Embedding:
    """Vectors of texts, in their order, all of one length; for a strategy that compares texts by meaning."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage = field(default_factory=Usage)
    replayed: bool = False
    recorded_seconds: float | None = None


@dataclass(frozen=True)
class Answer:
    """A short text answer of a model to a strategy's own question."""

    text: str
    usage: Usage = field(default_factory=Usage)
    replayed: bool = False
    recorded_seconds: float | None = None
