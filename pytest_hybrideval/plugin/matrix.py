"""The axes multiplied: every strategy, threshold, model pair and seed becomes one variant with a readable id."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from pytest_hybrideval.core.domain import ModelRef, Variant
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.settings import Settings
from pytest_hybrideval.plugin.registry import Registry, default_threshold


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
    models = list(product(settings.local.models, settings.cloud.models))
    return tuple(
        Variant(name, threshold, seed, local, cloud, _id(name, threshold, seed, _label(settings, local, cloud)))
        for (name, threshold), (local, cloud), seed in product(points, models, settings.seeds)
    )


def _thresholds(name: str, settings: Settings, registry: Registry) -> Iterator[float | None]:
    default = default_threshold(registry.strategy(name))
    yield from (settings.thresholds or (default,)) if default is not None else (None,)


def _label(settings: Settings, local: ModelRef, cloud: ModelRef) -> str:
    """The models' part of an id: only the tiers of which there are several."""
    tiers = ((settings.local, local), (settings.cloud, cloud))
    return "+".join(_short(model, tier.models) for tier, model in tiers if len(tier.models) > 1)


def _short(model: ModelRef, models: tuple[ModelRef, ...]) -> str:
    """The name, with its provider where two of the models would else be called the same."""
    plain = [other.name.replace("/", "_") for other in models]
    name = model.name.replace("/", "_")
    return name if plain.count(name) == 1 else str(model).replace("/", "_", 1).replace("/", "__")


def _id(strategy: str, threshold: float | None, seed: int, models: str) -> str:
    level = "" if threshold is None else "t" + str(threshold).removesuffix(".0")
    parts = [strategy.replace(":", "."), level, models, f"s{seed}"]
    return "-".join(part for part in parts if part)
