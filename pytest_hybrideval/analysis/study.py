"""All that follows from a run's records: the lines of the matrix, sweeps, regrets, and the bound of the frontier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_hybrideval.analysis.arms import arms_of
from pytest_hybrideval.analysis.assessment import Assessment, Cost, assess
from pytest_hybrideval.analysis.cells import ALL_SUITES, CONTROLS, Cell, grouped
from pytest_hybrideval.analysis.curves import Curve, curves
from pytest_hybrideval.analysis.oracle import Oracle, oracles
from pytest_hybrideval.analysis.regret import CellRegrets, regrets
from pytest_hybrideval.core.records import TrialRecord

DEFAULT_MARGIN = 0.05


@dataclass(frozen=True)
class Study:
    """What a run's records say. `margin` is that of non-inferiority, declared before the run."""

    margin: float
    confidence: float
    lines: tuple[Assessment, ...]
    curves: tuple[Curve, ...]
    regrets: tuple[CellRegrets, ...]
    oracles: tuple[Oracle, ...]

    @property
    def simulated(self) -> bool:
        """Whether any trial was made with an embedded model."""
        return any(line.cell.simulated for line in self.lines)

    @property
    def cells(self) -> list[Cell]:
        """The cells of the matrix, in its order."""
        return [line.cell for line in self.lines]

    @property
    def overall(self) -> list[Assessment]:
        """The lines over everything that ran: all suites together, or the only suite."""
        everything = [line for line in self.lines if line.key.scope == ALL_SUITES]
        return everything or list(self.lines)

    @property
    def tested(self) -> list[Assessment]:
        """Of the lines over everything those of the strategies under test; the controls where nothing else ran."""
        return [line for line in self.overall if line.key.strategy not in CONTROLS] or self.overall


def study(
    records: Sequence[TrialRecord], cost: Cost, margin: float = DEFAULT_MARGIN, confidence: float = 0.95
) -> Study:
    """Work everything out. `cost` prices a record in USD. Raises ValueError where `margin` is not in (0, 1)."""
    if not 0.0 < margin < 1.0:
        raise ValueError(f"study: margin {margin} is not between 0 and 1; 0.05 means five percentage points")
    costs = {id(record): cost(record) for record in records}  # each part asks, often for every scope

    def known(record: TrialRecord) -> float:
        return costs[id(record)]

    arms = arms_of(grouped(records), known)
    lines = assess(records, known, margin, confidence, arms=arms)
    return Study(
        margin=margin,
        confidence=confidence,
        lines=tuple(lines),
        curves=tuple(curves(records, lines, known, confidence, arms=arms)),
        regrets=tuple(regrets(records, known)),
        oracles=tuple(oracles(records, known)),
    )
