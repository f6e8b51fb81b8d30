"""What a run keeps: a record per trial (`raw.jsonl`) and a line per model call (`calls.jsonl`).

Both are JSON lines. `schema_version` is checked on reading; a line that does not fit is a `RecordError` with its
number. Tokens are stored; cost is derived from them when it is asked for, because prices change.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, TypeVar

from pytest_hybrideval.core.domain import CallFault, Cut, ErrorKind, FailureMode, Outcome, TaskClass, Tier, Usage
from pytest_hybrideval.core.errors import RecordError

SCHEMA_VERSION = 1

R = TypeVar("R", bound="TrialRecord | CallRecord")


@dataclass(frozen=True)
class CallRecord:
    """One model call, as the gateway saw it. A line of `calls.jsonl`.

    `purpose` is "agent" for the agent's own requests; all else is overhead: "classifier" and "embedding" for questions
    of the strategy, "discarded" for an answer that the agent never saw.
    `phase` is what the request was recognised as (plan, edit, reflection, ...). `started` is seconds since the trial
    began; `queued` is what the call waited for a slot, `seconds` and `first_byte` are without that. `seed`,
    `temperature`, `max_tokens` and `num_ctx` are the values actually sent, None where none was.
    `fault` is None and `error` empty where a complete answer came back. `cut` is why its answer was ended before the
    model did (the agent got it with finish_reason "length"); `truncated_prompt` says that the model cannot have seen
    the whole prompt. `replayed`: the answer comes from a cassette; the model took `recorded_seconds` for it then.
    """

    trial: str
    index: int
    purpose: str
    tier: Tier
    model: str
    phase: str
    reason: str
    score: float | None
    started: float
    seconds: float
    first_byte: float | None
    stream: bool
    status: int
    attempts: int
    usage: Usage
    seed: int | None
    temperature: float | None
    max_tokens: int | None
    num_ctx: int | None
    finish_reason: str | None
    fingerprint: str | None = None
    fault: CallFault | None = None
    error: str = ""
    queued: float = 0.0
    cut: Cut | None = None
    truncated_prompt: bool = False
    replayed: bool = False
    recorded_seconds: float | None = None

    @property
    def model_seconds(self) -> float:
        """How long the model was busy with it: now, or when its answer was recorded."""
        return self.seconds if self.recorded_seconds is None else self.recorded_seconds


@dataclass(frozen=True)
class TierTokens:
    """Token totals of one tier over a trial. `unknown_calls` answered without saying their usage."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0
    unknown_calls: int = 0

    @property
    def total(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt + self.completion

    def merged(self, other: TierTokens) -> TierTokens:
        """Both totals together."""
        return TierTokens(
            calls=self.calls + other.calls,
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            cached=self.cached + other.cached,
            reasoning=self.reasoning + other.reasoning,
            unknown_calls=self.unknown_calls + other.unknown_calls,
        )

    def plus(self, usage: Usage) -> TierTokens:
        """These totals with one more call."""
        return TierTokens(
            calls=self.calls + 1,
            prompt=self.prompt + (usage.prompt or 0),
            completion=self.completion + (usage.completion or 0),
            cached=self.cached + (usage.cached or 0),
            reasoning=self.reasoning + (usage.reasoning or 0),
            unknown_calls=self.unknown_calls + (not usage.known),
        )


@dataclass
class Ledger:
    """The calls of one trial, in the order in which they ended. Written by the gateway's thread only.

    `strategy_error` says how the strategy broke; empty if it did not.
    """

    calls: list[CallRecord] = field(default_factory=list)
    strategy_error: str = ""

    def discard(self, record: CallRecord) -> None:
        """The agent never saw this call's answer: it is overhead."""
        self.calls[self.calls.index(record)] = dataclasses.replace(record, purpose="discarded")

    @property
    def agent_calls(self) -> list[CallRecord]:
        """The agent's own requests, without the strategy's."""
        return [call for call in self.calls if call.purpose == "agent"]

    @property
    def failures_in_a_row(self) -> int:
        """How many of the agent's latest requests failed, one after the other."""
        return sum(1 for _ in takewhile(lambda call: call.fault, reversed(self.agent_calls)))

    def busy(self, tier: Tier) -> float:
        """Seconds that models of a tier were busy, all calls together."""
        return sum(call.model_seconds for call in self.calls if call.tier is tier)

    def tokens(self, *, overhead: bool) -> dict[Tier, TierTokens]:
        """Token totals by tier: of the strategy's own calls (`overhead`) or of the agent's."""
        totals: dict[Tier, TierTokens] = {}
        for call in self.calls:
            if (call.purpose != "agent") == overhead:
                totals[call.tier] = totals.get(call.tier, TierTokens()).plus(call.usage)
        return totals


@dataclass(frozen=True)
class Stages:
    """Where a trial's wall time went, in seconds.

    `model` is time inside backends and `queued` time in the queue for a slot, both part of `agent`; `tests` is what the
    hidden tests themselves took, part of `scoring`. What is left of `total` without these three is the tool's own.
    """

    stage: float = 0.0
    agent: float = 0.0
    model: float = 0.0
    queued: float = 0.0
    scoring: float = 0.0
    tests: float = 0.0
    total: float = 0.0


@dataclass(frozen=True)
class TrialRecord:
    """One trial: a line of `raw.jsonl`. `tokens` covers the agent's calls, `overhead` the strategy's own.

    `attempt` counts from 1; a resumed run tries again what ended in an error, and only the last attempt is judged.
    `replayed_calls` of its calls came from cassettes. `local_seconds` is how long local models were busy with it, also
    where their answers are replayed; None where it is not known, as in records of earlier versions.
    The agent took `tries` of `most_tries`: before a further one it was shown what the hidden tests said.
    """

    trial: str
    task: str
    suite: str
    task_class: TaskClass
    task_digest: str
    strategy: str
    threshold: float | None
    seed: int
    agent: str
    local_model: str
    cloud_model: str
    simulated: bool
    outcome: Outcome
    failure_mode: FailureMode | None = None
    error_kind: ErrorKind | None = None
    detail: str = ""
    tests_passed: int = 0
    tests_expected: int = 0
    failed_tests: tuple[str, ...] = ()
    tokens: Mapping[Tier, TierTokens] = field(default_factory=dict)
    overhead: Mapping[Tier, TierTokens] = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)
    node_id: str = ""
    worker: str = ""
    started_at: str = ""
    attempt: int = 1
    schema_version: int = SCHEMA_VERSION
    replayed_calls: int = 0
    local_seconds: float | None = None
    tries: int = 1
    most_tries: int = 1

    @property
    def calls(self) -> int:
        """How many model calls it made, the strategy's own among them."""
        return sum(self.tier_tokens(tier).calls for tier in Tier)

    @property
    def replayed(self) -> bool:
        """Whether all its calls came from cassettes: then its times are no model's."""
        return 0 < self.replayed_calls == self.calls

    def tier_tokens(self, tier: Tier) -> TierTokens:
        """All tokens of a tier, the agent's and the strategy's own."""
        agents, own = self.tokens.get(tier), self.overhead.get(tier)
        if agents is None or own is None:
            return agents or own or TierTokens()
        return agents.merged(own)


def to_json(record: TrialRecord | CallRecord) -> dict[str, Any]:
    """A record as plain JSON types (enums as their values)."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(record)))
    return plain


def trial_from_json(data: Mapping[str, Any]) -> TrialRecord:
    """The inverse of `to_json` for trials. Raises `RecordError` that names the first field that does not fit."""
    return _from_json(TrialRecord, data)


def call_from_json(data: Mapping[str, Any]) -> CallRecord:
    """The inverse of `to_json` for calls. Raises `RecordError` that names the first field that does not fit."""
    return _from_json(CallRecord, data)


def _from_json(kind: type[R], data: Mapping[str, Any]) -> R:
    from pydantic import TypeAdapter, ValidationError  # heavy: only who reads records pays for it

    version = data.get("schema_version", SCHEMA_VERSION if kind is CallRecord else None)
    if version != SCHEMA_VERSION:
        raise RecordError(f"schema_version is {version!r}, this version reads {SCHEMA_VERSION}")
    adapter: TypeAdapter[R] = _ADAPTERS.get(kind) or _ADAPTERS.setdefault(kind, TypeAdapter(kind))
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"field {where!r}: {first['msg']}") from None


_ADAPTERS: dict[Any, Any] = {}
