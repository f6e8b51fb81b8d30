"""The axes multiplied: every strategy, threshold, model pair and seed becomes one variant with a readable id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product

from pytest_hybrideval.core.domain import ModelRef, Tier, Variant
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.protocols import default_threshold, strategy_embeds, strategy_models, strategy_tiers
from pytest_hybrideval.core.settings import Settings
from pytest_hybrideval.plugin.registry import Registry

_NOT_IN_IDS = re.compile(r"[^\w.+=-]+")


def variants(settings: Settings, registry: Registry) -> tuple[Variant, ...]:
    """All variants of a run, seeds innermost. A strategy without a threshold is not multiplied by thresholds.

    Raises `ConfigurationError` for names that are unknown, for models that a chosen strategy would need and for
    thresholds that none takes.
    """
    for model in (*settings.local.models, *settings.cloud.models):
        registry.backend_factory(model)
    for name in settings.strategies:
        _check_models(name, settings, registry)
    points = [(name, threshold) for name in settings.strategies for threshold in _thresholds(name, settings, registry)]
    if settings.thresholds and all(threshold is None for _, threshold in points):
        takers = [name for name, factory in registry.strategies.items() if default_threshold(factory) is not None]
        raise ConfigurationError(
            f"--thresholds: {', '.join(settings.strategies)} takes no threshold; {', '.join(takers)} do"
        )
    found = tuple(
        Variant(name, threshold, seed, local, cloud, _id(name, threshold, seed, label), tiers)
        for name, threshold in points
        for tiers in (strategy_tiers(registry.strategy(name)),)
        for local, cloud, label in _models(settings, tiers)
        for seed in settings.seeds
    )
    for variant_id, times in Counter(variant.id for variant in found).items():
        if times > 1:
            raise ConfigurationError(f"two of {', '.join(settings.strategies)} would have trials named {variant_id}")
    return found


def _check_models(name: str, settings: Settings, registry: Registry) -> None:
    """The models beside the two tiers' own are there, and of the provider that their tier is set up for."""
    factory = registry.strategy(name)
    if strategy_embeds(factory):
        _check_embedding(name, settings, registry)
    for tier, model in strategy_models(factory):
        for own in settings.tier(tier).models if tier in strategy_tiers(factory) else ():
            if model.provider != own.provider:
                raise ConfigurationError(
                    f"strategy '{name}' names {model} beside the {tier.value} model {own}: "
                    f"address and parameters of a tier are those of one provider"
                )


def _check_embedding(name: str, settings: Settings, registry: Registry) -> None:
    model = settings.embedding_model
    if model is None:
        raise ConfigurationError(
            f"strategy '{name}' compares texts by embeddings; --hybrid-embedding-model PROVIDER/NAME names their "
            f"model, for example ollama/nomic-embed-text"
        )
    registry.backend_factory(model)
    if model.provider == "simulated" and any(local.provider != "simulated" for local in settings.local.models):
        raise ConfigurationError(
            f"the embedding model {model} is a simulated one beside real local models: what '{name}' decides by it "
            f"would be no measurement"
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
    parts = [_NOT_IN_IDS.sub(".", strategy), level, models, f"s{seed}"]
    return "-".join(part for part in parts if part)
