"""Hooks by which other plugins and conftests add to the tool. Each returns a mapping of names to factories."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_hybrideval.core.protocols import BackendFactory, StrategyOffer, Suite


@pytest.hookspec
def pytest_hybrideval_strategies() -> Mapping[str, StrategyOffer]:
    """Routing strategies by the name that `--strategy` takes; the factory is called once per trial.

    A `ConfigurableFactory` may stand for one: it takes options of the run, or what follows a name in `NAME:ARGUMENT`.
    """
    raise AssertionError("a hook specification is never called")


@pytest.hookspec
def pytest_hybrideval_backends() -> Mapping[str, BackendFactory]:
    """Backends by the provider name of `--local-model PROVIDER/NAME`."""
    raise AssertionError("a hook specification is never called")


@pytest.hookspec
def pytest_hybrideval_suites() -> Mapping[str, Suite]:
    """Folder formats of tasks by a name of their own; the first that claims a folder reads it."""
    raise AssertionError("a hook specification is never called")
