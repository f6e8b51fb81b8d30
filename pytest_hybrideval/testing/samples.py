"""Tasks, trials, requests and calls for tests in which their content does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.domain import ChatRequest, ModelRef, Task, TaskClass, Trial, Variant
from pytest_hybrideval.core.protocols import BackendCall, Sampling

_TASK = Task(
    suite="samples",
    name="greeting",
    folder=Path("samples/greeting"),
    task_class=TaskClass.D1,
    title="Greet",
    instruction="Write a greeting.",
    workspace={},
    edit=(),
    create=("greeting.py",),
    read_only=(),
    hidden={},
    solution={},
    near_misses=(),
    digest="0" * 64,
)
_VARIANT = Variant(
    "heuristic", None, 42, ModelRef("ollama", "local-model"), ModelRef("openai", "cloud-model"), id="heuristic-s42"
)


def make_task(**changes: Any) -> Task:
    """A task without files; `changes` replace fields of `Task`."""
    return replace(_TASK, **changes)


def make_variant(**changes: Any) -> Variant:
    """A variant; `changes` replace fields of `Variant`. Its id follows from strategy, threshold and seed."""
    variant = replace(_VARIANT, **changes)
    threshold = "" if variant.threshold is None else f"-t{variant.threshold:g}"
    return variant if "id" in changes else replace(variant, id=f"{variant.strategy}{threshold}-s{variant.seed}")


def make_trial(task: Task | None = None, **changes: Any) -> Trial:
    """A trial of `task` under the variant that `changes` make."""
    return Trial(task or make_task(), make_variant(**changes))


def make_sampling(**changes: Any) -> Sampling:
    """Seed 42, the agent's temperature and no limits; `changes` replace fields of `Sampling`."""
    return replace(Sampling(42, "agent", None, None, None, None), **changes)


def make_request(text: str = "Say hello.", **body: Any) -> ChatRequest:
    """A request with `text` as its only user message; `body` adds to it or replaces parts of it."""
    return ChatRequest({"model": "hybrid", "messages": [{"role": "user", "content": text}], "temperature": 0, **body})


def make_backend_call(
    asked: Mapping[str, Any] | None = None,
    *,
    seed: int = 42,
    temperature: float | str | None = "agent",
    max_tokens: int | None = None,
    num_ctx: int | None = None,
    think: bool | None = None,
    keep_alive: str | None = None,
    **body: Any,
) -> BackendCall:
    """A call as an agent makes it. `asked` and `body` add to its request, or replace parts of it."""
    usual = {"model": "hybrid", "messages": [{"role": "user", "content": "Say hello."}], "temperature": 0}
    sampling = Sampling(seed, temperature, max_tokens, num_ctx, think, keep_alive)
    return BackendCall(ChatRequest({**usual, **(asked or {}), **body}), sampling, make_trial(seed=seed))
