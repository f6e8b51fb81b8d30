"""The options of a run, read once. Nothing below the plugin sees pytest's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_hybrideval.core.domain import ModelRef, Tier


@dataclass(frozen=True)
class TierSettings:
    """How one tier's models are reached and what is sent to them. See `Sampling` for the parameters.

    `slots` is how many calls of one model go on at a time on this machine, None for any number.
    """

    models: tuple[ModelRef, ...]
    base_url: str | None = None
    temperature: float | str | None = "agent"
    max_tokens: int | None = None
    num_ctx: int | None = None
    think: bool | None = None
    keep_alive: str | None = None
    slots: int | None = None

    def with_ollama(self, *, num_ctx: int | None, think: bool | None, keep_alive: str | None) -> TierSettings:
        """These settings with what only Ollama understands."""
        return replace(self, num_ctx=num_ctx, think=think, keep_alive=keep_alive)


@dataclass(frozen=True)
class StrategyOptions:
    """What packaged strategies take beside threshold and seed; see `docs/strategies.md`.

    `knn_k` neighbours of the labelled corpus decide for embedding-knn (`knn_corpus` None: the packaged one);
    `task_models` is the YAML map of task-aware. `url_tiers` are shell patterns over the names of models that a router
    behind a URL answers with, each with its tier; the first that fits decides.
    """

    knn_k: int = 5
    knn_corpus: Path | None = None
    task_models: Path | None = None
    url_tiers: tuple[tuple[str, Tier], ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything the user chose. `thresholds` is empty where each strategy's own default is meant.

    `resume` names the run to go on with; `max_cost` and `max_trial_cost` are USD; `call_timeout` is seconds; `inject`
    are faults and `record` is a record mode, as written. `local_cost_per_hour` is USD; `tries` are the agent's.
    `margin` is that of non-inferiority, in (0, 1); `compare` names an earlier run as the user did; `gate` are the
    conditions as written.
    """

    strategies: tuple[str, ...]
    thresholds: tuple[float, ...]
    seeds: tuple[int, ...]
    local: TierSettings
    cloud: TierSettings
    aider_format: str
    aider_path: str | None
    aider_warm: bool
    scoring_warm: bool
    agent_timeout: float | None
    sandbox: str
    results_dir: Path
    run_id: str
    pricing_file: Path | None
    retries: int
    embedding_model: ModelRef | None = None
    strategy_options: StrategyOptions = StrategyOptions()
    resume: str | None = None
    max_cost: float | None = None
    max_trial_cost: float | None = None
    local_cost_per_hour: float = 0.0
    tries: int = 1
    call_timeout: float | None = None
    inject: str | None = None
    record: str | None = None
    cassettes: Path = Path("cassettes")
    margin: float = 0.05
    compare: str | None = None
    gate: tuple[str, ...] = ()
    gate_inconclusive_passes: bool = False
    annotations: bool = False
    confidence: float = 0.95

    def tier(self, tier: Tier) -> TierSettings:
        """The settings of one tier."""
        return self.local if tier is Tier.LOCAL else self.cloud


def default_embedding_model(local: Sequence[ModelRef]) -> ModelRef | None:
    """The embedding model where none is named: an embedded one if all local models are embedded, else none."""
    return local[0] if local and all(model.provider == "simulated" for model in local) else None
