"""The options of a run, read once. Nothing below the plugin sees pytest's configuration."""

from __future__ import annotations

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
class Settings:
    """Everything the user chose. `thresholds` is empty where each strategy's own default is meant."""

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
    confidence: float = 0.95

    def tier(self, tier: Tier) -> TierSettings:
        """The settings of one tier."""
        return self.local if tier is Tier.LOCAL else self.cloud
