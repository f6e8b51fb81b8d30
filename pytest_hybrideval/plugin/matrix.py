"""The axes multiplied: every strategy, threshold, model pair and seed becomes one variant with a readable id."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from pytest_hybrideval.core.domain import ModelRef, Tier, Variant
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.settings import Settings
from pytest_hybrideval.plugin.registry import Registry, default_threshold, strategy_tiers


def variants(settings: Settings, registry: Registry) -> tuple[Variant, ...]:
    """All variants of a run, seeds innermost. A strategy without a threshold is not multiplied by thresholds.

    Raises `ConfigurationError` for names that are unknown and for thresholds that no chosen strategy takes.
    """
    for model in (*settings.local.models, *settings.cloud.models):
        registry.backend_factory(model)
    points = [(name, threshold) for name in settings.strategies for threshold in _thresholds(name, settings, registry)]
    if settings.thresholds and all(threshold is None for _, threshold in points):
        takers = [name for name, factory in registry.strategies.items() if default_threshold(factory) is not None]
        raise ConfigurationError(
            f"--thresholds: {', '.join(settings.strategies)} takes no threshold; {', '.join(takers)} do"
        )
    return tuple(
        Variant(name, threshold, seed, local, cloud, _id(name, threshold, seed, label), tiers)
        for name, threshold in points
        for tiers in (strategy_tiers(registry.strategy(name)),)
        for local, cloud, label in _models(settings, tiers)
        for seed in settings.seeds
    )


def _models(settings: Settings, tiers: frozenset[Tier]) -> Iterator[tuple[ModelRef, ModelRef, str]]:
    """Local and cloud model with their part of an id. A tier that the strategy never asks is not multiplied."""
    several = [tier for tier in Tier if tier in tiers and len(settings.tier(tier).models) > 1]
    choices = [settings.tier(tier).models[: None if tier in several else 1] for tier in (Tier.LOCAL, Tier.CLOUD)]
    for local, cloud in product(*choices):
        chosen = {Tier.LOCAL: local, Tier.CLOUD: cloud}
        yield local, cloud, "+".join(_short(chosen[tier], settings.tier(tier).models) for tier in several)


def _thresholds(name: str, settings: Settings, registry: Registry) -> Iterator[float | None]:
    default = default_threshold(registry.strategy(name))
    yield from (settings.thresholds or (default,)) if default is not None else (None,)


def _short(model: ModelRef, models: tuple[ModelRef, ...]) -> str:
    """The name, with its provider where two of the models would else be called the same."""
    plain = [other.name.replace("/", "_") for other in models]
    name = model.name.replace("/", "_")
    return name if plain.count(name) == 1 else str(model).replace("/", "_", 1).replace("/", "__")


def _id(strategy: str, threshold: float | None, seed: int, models: str) -> str:
    level = "" if threshold is None else "t" + str(threshold).removesuffix(".0")
    parts = [strategy.replace(":", "."), level, models, f"s{seed}"]
    return "-".join(part for part in parts if part)
