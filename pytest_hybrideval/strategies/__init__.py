"""The policies under test that ship with the package, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_hybrideval.core.protocols import StrategyFactory
from pytest_hybrideval.strategies.always import AlwaysCloud, AlwaysLocal
from pytest_hybrideval.strategies.cascade import Cascade
from pytest_hybrideval.strategies.heuristic import Heuristic

BUILTIN: Mapping[str, StrategyFactory] = {
    strategy.name: strategy for strategy in (AlwaysCloud, AlwaysLocal, Heuristic, Cascade)
}
