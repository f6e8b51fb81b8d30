"""What the hooks offer: strategies, backends and suites by name, the packaged ones among them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pytest

from pytest_hybrideval.core.domain import ModelRef, Task, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.protocols import Backend, BackendFactory, StrategyFactory, StrategyOffer, Suite
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
        from pytest_hybrideval.strategies.naming import find_strategy

        if name not in self._chosen:
            self._chosen[name] = find_strategy(name, self.strategies, self._options)
        return self._chosen[name]

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
