"""The embedded models: they know the task and answer right or wrong by a seeded draw from a published profile.

Everything around them is real. What they answer is written in the edit format that the request asks for, so the agent
applies it as it would apply a real model's answer. They are never a measurement: every record made with them says so.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import orjson
import yaml

from pytest_hybrideval.backends import edits
from pytest_hybrideval.backends.embeddings import hashed_words
from pytest_hybrideval.core.domain import (
    Answer,
    Completion,
    Embedding,
    ModelInfo,
    ModelRef,
    StreamEvent,
    Task,
    Tier,
    Trial,
    Usage,
)
from pytest_hybrideval.core.errors import ConfigurationError, RequestRefused
from pytest_hybrideval.core.protocols import BackendCall
from pytest_hybrideval.core.signals import EditFormat, Phase, RequestSignals, read_request

CHUNK_CHARACTERS = 500  # agents spend a millisecond on every chunk
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class Profile:
    """What a simulated model can do. `data/simulated.yaml` says what each number means."""

    solve: Mapping[str, float]
    spread: float
    follows: float
    malformed: float
    classifies: float
    mends: float = 0.0


@lru_cache(maxsize=1)
def profiles() -> Mapping[str, Profile]:
    """The published profiles, by model name."""
    text = resources.files("pytest_hybrideval.data").joinpath("simulated.yaml").read_text(encoding="utf-8")
    return {name: Profile(**fields) for name, fields in yaml.safe_load(text).items()}


def simulated_backend(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> SimulatedBackend:
    """The backend of a `simulated/NAME` model. Raises `ConfigurationError` for a name without a profile."""
    if ref.name not in profiles():
        raise ConfigurationError(f"no simulated model '{ref.name}'; there are {', '.join(sorted(profiles()))}")
    if base_url:
        raise ConfigurationError(f"{ref} runs inside the test process and takes no --{tier.value}-base-url")
    return SimulatedBackend(ref, profiles()[ref.name])


class SimulatedBackend:
    """Answers for one simulated model. Stateless: an answer depends on task, seed, model and request alone."""

    simulated = True
    question_temperature = 0.0

    def __init__(self, ref: ModelRef, profile: Profile) -> None:
        """`ref` names the model in records and seeds its draws."""
        self.ref = ref
        self._profile = profile

    async def describe(self) -> ModelInfo:
        """A fixed description; the digest is that of the profile."""
        digest = hashlib.sha256(repr(self._profile).encode()).hexdigest()[:12]
        return ModelInfo(model=str(self.ref), simulated=True, digest=f"profile-{digest}")

    async def complete(self, call: BackendCall) -> Completion:
        """The whole answer as one chat completion."""
        text, finish, usage = self._answer(call)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        body = {**self._envelope("chat.completion"), "choices": [choice], "usage": _usage_json(usage)}
        return Completion(orjson.dumps(body), text, finish, usage)

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The same answer in small chunks, then finish_reason, then usage."""
        text, finish, usage = self._answer(call)
        envelope = self._envelope("chat.completion.chunk")

        def chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            return orjson.dumps({**envelope, "choices": [choice]})

        yield StreamEvent(chunk({"role": "assistant", "content": ""}))
        for start in range(0, len(text), CHUNK_CHARACTERS):
            part = text[start : start + CHUNK_CHARACTERS]
            yield StreamEvent(chunk({"content": part}), text=part)
        yield StreamEvent(chunk({}, finish), finish_reason=finish)
        options = call.request.body.get("stream_options")
        wanted = isinstance(options, dict) and options.get("include_usage")
        data = orjson.dumps({**envelope, "choices": [], "usage": _usage_json(usage)}) if wanted else None
        yield StreamEvent(data, usage=usage)

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """`local` or `cloud`: whether this model would solve the trial's task, as far as it can tell."""
        trial = self._trial(call)
        right = self._draw(trial, "classify", question) < self._profile.classifies
        text = "local" if self._solves(trial) == right else "cloud"
        return Answer(text, Usage(prompt=_tokens(question), completion=_tokens(text), cached=0, reasoning=0))

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """Bags of words by hashing, the same for every embedded model; see `hashed_words`."""
        usage = Usage(prompt=sum(map(_tokens, texts)), completion=0, cached=0, reasoning=0)
        return Embedding(tuple(map(hashed_words, texts)), usage)

    async def aclose(self) -> None:
        """Nothing to close."""

    def effective_temperature(self, call: BackendCall) -> float | None:
        """The temperature of the request; the draw does not depend on it."""
        return call.temperature

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": 0, "model": self.ref.name}

    def _trial(self, call: BackendCall) -> Trial:
        if call.trial is None:
            raise RequestRefused(f"{self.ref} knows nothing but the tasks of trials and answers nobody else")
        return call.trial

    def _answer(self, call: BackendCall) -> tuple[str, str, Usage]:
        text, finish = self._reply(self._trial(call), read_request(call.request), len(call.request.messages)), "stop"
        cap = call.max_tokens
        if cap is not None and _tokens(text) > cap:
            text, finish = text.encode()[: cap * _BYTES_PER_TOKEN].decode(errors="ignore"), "length"
        prompt = sum(_tokens(str(message.get("content", ""))) for message in call.request.messages)
        return text, finish, Usage(prompt=prompt, completion=_tokens(text), cached=0, reasoning=0)

    def _reply(self, trial: Trial, signals: RequestSignals, turn: int) -> str:
        if not trial.task.solution:
            raise RequestRefused(f"{self.ref} knows only tasks whose solution is files; {trial.task.id} has a script")
        variants = edits.variants(trial.task)
        if signals.phase is Phase.PLAN:
            return edits.plan(trial.task, variants[self._choose(trial, signals)])
        if signals.edit_format is EditFormat.NONE:
            return f"I have no edit to make here; the task is {trial.task.title}."
        chosen = self._planned(trial, signals) or self._choose(trial, signals)
        text = edits.write(variants[chosen], signals)
        if self._draw(trial, "malformed", str(turn)) < self._profile.malformed:
            return edits.malformed(text, signals)
        return text

    def _planned(self, trial: Trial, signals: RequestSignals) -> str | None:
        """The variant whose plan the request carries, unless this model strays from it."""
        variants = edits.variants(trial.task)
        conversation = signals.conversation
        plans = {name: edits.plan(trial.task, files).strip() for name, files in variants.items()}
        found = [name for name, plan in plans.items() if plan in conversation]
        if not found:
            return None
        name = max(found, key=lambda name: len(plans[name]))
        strays = self._draw(trial, "follows", name) >= self._profile.follows
        return self._wrong(trial) if strays else name

    def _choose(self, trial: Trial, signals: RequestSignals) -> str:
        if signals.retried and self._draw(trial, "mends") < self._profile.mends:
            return edits.SOLUTION
        return edits.SOLUTION if self._solves(trial) else self._wrong(trial)

    def _solves(self, trial: Trial) -> bool:
        return self._draw(trial, "solve") < self.chance(trial.task)

    def _wrong(self, trial: Trial) -> str:
        names = [name for name in edits.variants(trial.task) if name != edits.SOLUTION]
        return names[int(self._draw(trial, "near-miss") * len(names))]

    def chance(self, task: Task) -> float:
        """The model's chance of solving this task, drawn once per task around its class's ability."""
        mean = self._profile.solve[task.task_class.value]
        if mean in (0.0, 1.0):
            return mean
        generator = random.Random(_seed(str(self.ref), task.id, "chance"))
        return generator.betavariate(mean * self._profile.spread, (1 - mean) * self._profile.spread)

    def _draw(self, trial: Trial, *purpose: str) -> float:
        return random.Random(_seed(str(self.ref), trial.task.id, str(trial.variant.seed), *purpose)).random()


def _seed(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x00".join(parts).encode()).digest()[:8], "big")


def _tokens(text: str) -> int:
    """The simulated tokenizer: one token per four bytes, rounded up."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def _usage_json(usage: Usage) -> dict[str, int]:
    prompt, completion = usage.prompt or 0, usage.completion or 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
