"""What `hybrideval serve` serves, put together from what the user chose, and what it says of the models it will ask."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pytest_hybrideval import backends
from pytest_hybrideval.backends.guarded import GuardedBackend
from pytest_hybrideval.core.domain import ModelInfo, ModelRef, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import Price, PriceList
from pytest_hybrideval.core.protocols import Backend, BackendFactory, Sampling, StrategyFactory
from pytest_hybrideval.core.settings import StrategyOptions, TierSettings
from pytest_hybrideval.gateway import Slots
from pytest_hybrideval.gateway.metrics import Metrics
from pytest_hybrideval.gateway.server import ModelPool
from pytest_hybrideval.gateway.serving import RouterServer, ServedRouter
from pytest_hybrideval.reporting.prices import load_prices
from pytest_hybrideval.strategies import BUILTIN
from pytest_hybrideval.strategies.naming import (
    default_threshold,
    find_strategy,
    make_strategy,
    strategy_embeds,
    strategy_models,
    strategy_tiers,
)
from pytest_hybrideval.strategies.url import PROVIDER as URL

_PROVIDERS = ("ollama", "openai")


@dataclass(frozen=True)
class Choice:
    """What the user chose. A tier without models was not named."""

    strategy: str
    tiers: Mapping[Tier, TierSettings]
    threshold: float | None = None
    retries: int = 0
    embedding_model: ModelRef | None = None
    options: StrategyOptions = field(default_factory=StrategyOptions)
    pricing_file: Path | None = None
    key: str | None = None


@dataclass(frozen=True)
class Composed:
    """A router's server, and the models to look at before it starts, each with its tier."""

    server: RouterServer
    pool: ModelPool
    prices: PriceList
    threshold: float | None
    models: tuple[tuple[Tier, ModelRef], ...]


def compose(choice: Choice) -> Composed:
    """Raises `ConfigurationError` for what cannot be done as chosen. Connects to nothing."""
    prices = load_prices(choice.pricing_file)
    factory = find_strategy(choice.strategy, BUILTIN, lambda: choice.options)
    threshold = _threshold(factory, choice)
    own = {tier: _own_model(tier, choice) for tier in Tier if tier in strategy_tiers(factory)}
    others = strategy_models(factory)
    _check_others(others, choice)
    if strategy_embeds(factory):
        if choice.embedding_model is None:
            raise ConfigurationError(
                f"strategy '{choice.strategy}' compares texts by embeddings; --embedding-model PROVIDER/NAME names "
                f"their model, for example ollama/nomic-embed-text"
            )
        others = (*others, (Tier.LOCAL, choice.embedding_model))
    pool = ModelPool(partial(_backend, choice), partial(_slots, choice), choice.embedding_model)
    router = ServedRouter(
        make_strategy=partial(make_strategy, factory, choice.strategy),
        threshold=threshold,
        models=own,
        sampling={tier: _sampling(choice.tiers[tier], model) for tier, model in own.items()},
        retries=choice.retries,
        key=choice.key,
    )
    router.make_strategy()  # what cannot be made is found out now, not at the first request
    metrics = Metrics(choice.strategy, version("pytest-hybrideval"), partial(price_of, prices))
    server = RouterServer(router, pool, metrics)
    return Composed(server, pool, prices, threshold, (*own.items(), *others))


def price_of(prices: PriceList, model: ModelRef, tier: Tier) -> Price | None:
    """The price of a model, None where there is none."""
    try:
        return prices.price(model, tier)
    except ConfigurationError:
        return None


def described(tier: Tier, info: ModelInfo, sent_context: int | None, price: Price | None) -> str:
    """One line on a model that the router will ask."""
    facts = [
        f"version {info.version}" if info.version else "",
        f"digest {info.digest[:12]}" if info.digest else "",
        f"context {info.context_length or 'unknown'}" + (f" ({sent_context} asked for)" if sent_context else ""),
    ]
    if tier is Tier.LOCAL:
        facts.append("free")
    elif price is None:
        facts.append("price unknown: its cost will be missing from /metrics")
    else:
        facts.append(f"{price.prompt:g} + {price.completion:g} USD per million tokens")
    return f"{tier.value:5}  {info.model}: {', '.join(filter(None, facts))}"


def _threshold(factory: StrategyFactory, choice: Choice) -> float | None:
    default = default_threshold(factory)
    if default is None and choice.threshold is not None:
        raise ConfigurationError(f"strategy '{choice.strategy}' takes no --threshold")
    return default if choice.threshold is None else choice.threshold


def _own_model(tier: Tier, choice: Choice) -> ModelRef:
    models = choice.tiers[tier].models
    if not models:
        raise ConfigurationError(
            f"--{tier.value}-model PROVIDER/NAME is missing: strategy '{choice.strategy}' may choose that tier"
        )
    return models[0]


def _check_others(others: tuple[tuple[Tier, ModelRef], ...], choice: Choice) -> None:
    for tier, model in others:
        for own in choice.tiers[tier].models:
            if model.provider not in (own.provider, URL):
                raise ConfigurationError(
                    f"strategy '{choice.strategy}' names {model} beside the {tier.value} model {own}: "
                    f"address and parameters of a tier are those of one provider"
                )


def _backend(choice: Choice, ref: ModelRef, tier: Tier) -> Backend:
    if ref.provider == "simulated":
        raise ConfigurationError(
            f"{ref} cannot serve: it knows nothing but the tasks of trials; name a model of {' or '.join(_PROVIDERS)}"
        )
    factories: Mapping[str, BackendFactory] = {
        "ollama": backends.ollama_backend,
        "openai": backends.openai_backend,
        URL: backends.url_backend,
    }
    if ref.provider not in factories:
        raise ConfigurationError(f"unknown provider '{ref.provider}' of {ref}; there are {', '.join(_PROVIDERS)}")
    return GuardedBackend(factories[ref.provider](ref, tier, os.environ, choice.tiers[tier].base_url))


def _slots(choice: Choice, ref: ModelRef, tier: Tier) -> Slots | None:
    chosen = choice.tiers[tier]
    if chosen.slots is None:
        return None
    return Slots(f"{ref} at {chosen.base_url}", chosen.slots)  # as in trials, which share them


def _sampling(chosen: TierSettings, model: ModelRef) -> Sampling:
    """As in trials, but that no seed is ours, and that temperature and token limit are the client's."""
    if model.provider != "ollama":  # the others have no such parameters
        return Sampling(None, "agent", None, None, None, None)
    return Sampling(None, "agent", None, chosen.num_ctx, chosen.think, chosen.keep_alive)
