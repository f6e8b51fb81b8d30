"""What the hooks offer: strategies, backends and suites by name, the packaged ones among them."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pytest_hybrideval.core.domain import ModelRef, Task, Tier
from pytest_hybrideval.core.errors import ConfigurationError, StrategyError
from pytest_hybrideval.core.protocols import (
    Backend,
    BackendFactory,
    ConfigurableFactory,
    Strategy,
    StrategyFactory,
    StrategyOffer,
    Suite,
    declared,
)
from pytest_hybrideval.core.settings import StrategyOptions

T = TypeVar("T")


class Registry:
    """Everything that can be chosen by name. Each kind is asked for at its first use, after all plugins are loaded."""

    def __init__(self, config: pytest.Config, options: Callable[[], StrategyOptions] = StrategyOptions) -> None:
        """`options` are asked for when the first strategy is chosen that takes some."""
        self._hook = config.hook
        self._options = options
        self._chosen: dict[str, StrategyFactory] = {}

    @cached_property
    def strategies(self) -> Mapping[str, StrategyOffer]:
        """Strategies by name. Two plugins that claim one name are a `UsageError`, here and below."""
        return _merged(self._hook.pytest_hybrideval_strategies(), "strategy")

    @cached_property
    def backends(self) -> Mapping[str, BackendFactory]:
        """Backend factories by provider."""
        return _merged(self._hook.pytest_hybrideval_backends(), "backend")

    @cached_property
    def suites(self) -> Mapping[str, Suite]:
        """Folder formats by name."""
        return _merged(self._hook.pytest_hybrideval_suites(), "suite")

    def strategy(self, name: str) -> StrategyFactory:
        """The strategy of a name, of `name:argument` or of `module:Class`; the same factory whenever it is asked for.

        Raises `ConfigurationError` with what would be right.
        """
        if name not in self._chosen:
            offer, argument = self._offer(name)
            self._chosen[name] = self._configured(name, offer, argument)
        return self._chosen[name]

    def _offer(self, name: str) -> tuple[StrategyOffer, str]:
        """What a name stands for, and the argument after it. A name on offer goes before a module of the same name."""
        known, colon, argument = name.partition(":")
        if not colon or not known:
            return _chosen(self.strategies, name, "strategy"), ""
        if isinstance(self.strategies.get(known), ConfigurableFactory):
            return self.strategies[known], argument
        try:
            return _imported(name)
        except ConfigurationError as error:
            if known in self.strategies:
                raise ConfigurationError(f"strategy '{known}' takes no argument; '{name}' is nothing else") from None
            raise ConfigurationError(f"{error}{_similar(self.strategies, known)}") from None

    def _configured(self, name: str, offer: StrategyOffer, argument: str) -> StrategyFactory:
        if not isinstance(offer, ConfigurableFactory):
            if argument:
                raise ConfigurationError(f"strategy '{name}' takes no argument: it has no method 'configured'")
            return offer
        try:
            return offer.configured(self._options(), argument)
        except ConfigurationError:
            raise
        except Exception as error:  # a strategy is anyone's code
            text = f"{type(error).__name__}: {error}"
            raise ConfigurationError(f"strategy '{name}' could not be configured: {text}") from error

    def backend_factory(self, model: ModelRef) -> BackendFactory:
        """The backend of a model's provider. Raises `ConfigurationError` with what would be right."""
        return _chosen(self.backends, model.provider, "provider")

    def backend(self, model: ModelRef, tier: Tier, base_url: str | None) -> Backend:
        """A backend for a model. Raises `ConfigurationError` where a key or the like is missing."""
        return self.backend_factory(model)(model, tier, os.environ, base_url)

    def suite_of(self, folder: Path) -> Suite | None:
        """The suite that claims a folder, None where it is no task."""
        return next((suite for suite in self.suites.values() if suite.claims(folder)), None)

    def task(self, folder: Path) -> Task | None:
        """The task in a folder, None where it is none. Raises `TaskError`."""
        suite = self.suite_of(folder)
        return suite.load(folder) if suite else None


def make_strategy(factory: StrategyFactory, name: str) -> Strategy:
    """A fresh strategy. Raises `StrategyError` with whatever its own code raised."""
    try:
        return factory()
    except Exception as error:  # a strategy is anyone's code
        raise StrategyError(f"strategy '{name}' could not be made: {type(error).__name__}: {error}") from error


def strategy_tiers(factory: StrategyFactory) -> frozenset[Tier]:
    """The tiers that a strategy may choose: its `tiers`, else both."""
    return frozenset(declared(factory, "tiers", Tier))


def strategy_models(factory: StrategyFactory) -> tuple[tuple[Tier, ModelRef], ...]:
    """The models beside the trial's that a strategy may name, each with its tier."""
    return tuple(declared(factory, "models", ()))


def strategy_embeds(factory: StrategyFactory) -> bool:
    """Whether a strategy needs an embedding model."""
    return bool(declared(factory, "embeds", False))


def default_threshold(factory: StrategyOffer) -> float | None:
    """The threshold that a strategy uses unless told otherwise; None where it takes none."""
    value: Any = declared(factory, "default_threshold", None)
    return None if value is None else float(value)


def _merged(offers: Iterable[Mapping[str, T]], what: str) -> dict[str, T]:
    merged: dict[str, T] = {}
    for offer in reversed(list(offers)):  # pluggy calls the plugin registered last first: ours come first again
        for name, factory in offer.items():
            if name in merged:
                raise pytest.UsageError(f"two plugins offer a {what} named '{name}'; rename one of them")
            merged[name] = factory
    return merged


def _chosen(known: Mapping[str, T], name: str, what: str) -> T:
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise ConfigurationError(f"unknown {what} '{name}'; {hint}({', '.join(known)})")


def _similar(known: Mapping[str, StrategyOffer], name: str) -> str:
    """A hint at the strategy that may have been meant, among those that take an argument."""
    names = [own for own, offer in known.items() if isinstance(offer, ConfigurableFactory)]
    close = difflib.get_close_matches(name, names, n=1)
    return f", or did you mean '{close[0]}'?" if close else ""


def _imported(path: str) -> tuple[StrategyOffer, str]:
    """The class of `module:Class`, and the argument of `module:Class:argument`."""
    module_name, _, rest = path.partition(":")
    attribute, _, argument = rest.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"strategy '{path}' cannot be imported: {error}; write module:Class") from None
    if not callable(found) or not hasattr(found, "decide"):
        raise ConfigurationError(f"strategy '{path}' is no strategy: it must be a class with an async method 'decide'")
    offer: StrategyOffer = found
    return offer, argument
