"""Everything that the matrix says of its lines: each strategy beside the controls and beside all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_hybrideval.analysis.arms import Arm, Paired, arms_of, in_common, pair
from pytest_hybrideval.analysis.arrays import Floats
from pytest_hybrideval.analysis.cells import (
    ALL_SUITES,
    ALWAYS_CLOUD,
    ALWAYS_LOCAL,
    CONTROLS,
    Cell,
    CellKey,
    cell,
    grouped,
)
from pytest_hybrideval.analysis.comparison import Comparison, compare
from pytest_hybrideval.analysis.frontier import FrontierPoint, FrontierStatus, frontier
from pytest_hybrideval.analysis.lift import GapRecovered, Lift, mixing_lift, performance_gap_recovered
from pytest_hybrideval.core.records import TrialRecord

Cost = Callable[[TrialRecord], float]


@dataclass(frozen=True)
class Place:
    """A strategy's place among all of its scope: see `FrontierPoint`. `dominated_by` is the other line's key."""

    status: FrontierStatus
    share: float
    dominated_by: CellKey | None


@dataclass(frozen=True)
class Assessment:
    """One line of the matrix with all that is said of it.

    `comparison` is with always-cloud; `lift` and `gap` place a router between both controls (a control has none).
    What depends on a control that was not run, or shares no task with the line, is None, and `needs` names that
    control. `place` is None where the lines of the scope have no task in common whose costs all of them know.
    """

    cell: Cell
    comparison: Comparison | None
    lift: Lift | None
    gap: GapRecovered | None
    place: Place | None
    needs: tuple[str, ...]

    @property
    def key(self) -> CellKey:
        """What the line's trials have in common."""
        return self.cell.key

    @property
    def is_control(self) -> bool:
        """Whether this line is one of the two that all others are measured by."""
        return self.key.strategy in CONTROLS


def assess(
    records: Iterable[TrialRecord],
    cost: Cost,
    margin: float,
    confidence: float = 0.95,
    *,
    arms: Mapping[CellKey, Arm] | None = None,
) -> list[Assessment]:
    """Every line of the matrix, in its order. `cost` prices a record in USD, `margin` is that of non-inferiority.

    All comparisons with always-cloud in one scope are one family for Holm's adjustment. `arms` are the records', for
    who has them already.
    """
    groups = grouped(records)
    scopes = _scopes(arms or arms_of(groups, cost)).values()
    found = {key: one for scope in scopes for key, one in _Scope(scope, margin, confidence).judged()}
    return [Assessment(cell(key, group, cost, confidence), *found[key]) for key, group in groups.items()]


def comparisons(
    records: Iterable[TrialRecord], cost: Cost, margin: float, confidence: float = 0.95
) -> dict[CellKey, Comparison]:
    """The comparisons with always-cloud alone, as `assess` makes them, by line."""
    return {
        key: each
        for scope in _scopes(arms_of(grouped(records), cost)).values()
        for key, each in _Scope(scope, margin, confidence).comparisons().items()
    }


def sides(records: Iterable[TrialRecord]) -> list[tuple[Arm, Arm]]:
    """The lines that can be compared with always-cloud over everything that ran, each with its baseline. No costs."""
    scopes = _scopes(arms_of(grouped(records), lambda record: 0.0))
    overall = [lines for (scope, _), lines in scopes.items() if scope == ALL_SUITES] or list(scopes.values())
    return [side for lines in overall for side in _Scope(lines, 0.0, 0.95).sides()]


def _scopes(arms: Mapping[CellKey, Arm]) -> dict[tuple[str, str], dict[CellKey, Arm]]:
    """The lines that can be set beside each other: of one scope and agent."""
    scopes: dict[tuple[str, str], dict[CellKey, Arm]] = {}
    for key, one in arms.items():
        scopes.setdefault((key.scope, key.agent), {})[key] = one
    return scopes


_Judged = tuple[Comparison | None, Lift | None, GapRecovered | None, Place | None, tuple[str, ...]]


class _Scope:
    """The lines of one scope and agent, which can be set beside each other."""

    def __init__(self, arms: Mapping[CellKey, Arm], margin: float, confidence: float) -> None:
        self._arms = arms
        self._margin = margin
        self._confidence = confidence
        self._controls = {key: {name: self._control(name, key) for name in CONTROLS} for key in arms}

    def judged(self) -> Iterable[tuple[CellKey, _Judged]]:
        """Every line with what is said of it beside its cell."""
        comparisons = self.comparisons()
        places = self._places()
        for key in self._arms:
            lift, gap = self._beside_the_coin(key)
            yield key, (comparisons.get(key), lift, gap, places.get(key), self._needs(key))

    def _needs(self, key: CellKey) -> tuple[str, ...]:
        wanted = {ALWAYS_CLOUD: (), ALWAYS_LOCAL: (ALWAYS_CLOUD,)}.get(key.strategy, CONTROLS)
        return tuple(name for name in wanted if self._controls[key][name] is None)

    def _control(self, name: str, key: CellKey) -> Arm | None:
        """The control beside a line: of the same model on the tier that the control uses, with a task in common.

        Of several, which differ in the model that they never ask, it is the one with the most in common.
        """
        tier = "cloud_model" if name == ALWAYS_CLOUD else "local_model"
        same = [other for other in self._arms if other.strategy == name and getattr(other, tier) == getattr(key, tier)]

        def fit(other: CellKey) -> tuple[int, bool]:
            own_models = (other.local_model, other.cloud_model) == (key.local_model, key.cloud_model)
            return in_common(self._arms[key], self._arms[other]), own_models

        best = max(same, key=fit, default=None)
        return self._arms[best] if best is not None and fit(best)[0] else None

    def comparisons(self) -> dict[CellKey, Comparison]:
        """The lines that can be compared with always-cloud."""
        free = frozenset(key for key in self._arms if key.strategy == ALWAYS_LOCAL)
        return {each.key: each for each in compare(self.sides(), self._margin, self._confidence, free=free)}

    def sides(self) -> list[tuple[Arm, Arm]]:
        """The lines that can be compared with always-cloud, each with its baseline."""
        baselines = {key: self._controls[key][ALWAYS_CLOUD] for key in self._arms if key.strategy != ALWAYS_CLOUD}
        return [(self._arms[key], baseline) for key, baseline in baselines.items() if baseline is not None]

    def _beside_the_coin(self, key: CellKey) -> tuple[Lift | None, GapRecovered | None]:
        cloud, local = self._controls[key][ALWAYS_CLOUD], self._controls[key][ALWAYS_LOCAL]
        if key.strategy in CONTROLS or cloud is None or local is None:
            return None, None
        three = pair(self._arms[key], local, cloud)
        return (_lift(three, self._confidence), _gap(three, self._confidence)) if three.tasks else (None, None)

    def _places(self) -> dict[CellKey, Place]:
        every = pair(*self._arms.values())
        if not every.priced.tasks or len(self._arms) < 2:
            return {}
        alpha = (1.0 - self._confidence) / 2.0
        points = frontier(every.worst, _known_costs(every), self._margin, best=every.best, alpha=alpha)
        keys = tuple(self._arms)
        return {key: _place(point, keys) for key, point in zip(keys, points, strict=True)}


def _known_costs(paired: Paired) -> Floats:
    """Costs with 0 for every side of a task whose cost is not known: that moves no total of another.

    Without the task the trials that ended in errors would be gone from the pass rates, too.
    """
    return np.nan_to_num(paired.costs, nan=0.0)


def _lift(three: Paired, confidence: float) -> Lift:
    """Rows: router, always-local, always-cloud."""
    if not three.priced.tasks:
        return Lift(None, None, None, "undefined: no trial's cost is known for all three strategies")
    router, local, cloud = three.worst
    spent = _known_costs(three)
    router_best, local_best, cloud_best = three.best
    return mixing_lift(
        *(router, local, cloud, *spent, confidence),
        router_best=router_best,
        local_best=local_best,
        cloud_best=cloud_best,
    )


def _gap(three: Paired, confidence: float) -> GapRecovered:
    router_best, local_best, cloud_best = three.best
    router, local, cloud = three.worst
    return performance_gap_recovered(
        *(router, local, cloud, confidence), router_best=router_best, local_best=local_best, cloud_best=cloud_best
    )


def _place(point: FrontierPoint, keys: Sequence[CellKey]) -> Place:
    return Place(point.status, point.share, None if point.dominated_by is None else keys[point.dominated_by])
