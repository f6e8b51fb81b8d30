"""Hooks by which other plugins and conftests add to the tool. Each returns a mapping of names to factories."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_hybrideval.core.protocols import BackendFactory, StrategyFactory, Suite


@pytest.hookspec
def pytest_hybrideval_strategies() -> Mapping[str, StrategyFactory]:
    """Routing strategies by the name that `--strategy` takes; the factory is called once per trial."""
    raise AssertionError("a hook specification is never called")


@pytest.hookspec
def pytest_hybrideval_backends() -> Mapping[str, BackendFactory]:
    """Backends by the provider name of `--local-model PROVIDER/NAME`."""
    raise AssertionError("a hook specification is never called")


@pytest.hookspec
def pytest_hybrideval_suites() -> Mapping[str, Suite]:
    """Folder formats of tasks by a name of their own; the first that claims a folder reads it."""
    raise AssertionError("a hook specification is never called")
