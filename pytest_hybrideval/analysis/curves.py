"""Threshold sweeps: how a strategy's pass rate, cost and cloud fraction move with its threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_hybrideval.analysis.arms import Arm, arms_of, pair
from pytest_hybrideval.analysis.assessment import Assessment, Cost
from pytest_hybrideval.analysis.cells import CellKey, grouped
from pytest_hybrideval.analysis.intervals import holm
from pytest_hybrideval.analysis.sweep import Trend, average_gap_recovered, threshold_trend
from pytest_hybrideval.core.records import TrialRecord


@dataclass(frozen=True)
class Curve:
    """One strategy over its thresholds, ascending; `points` are the matrix's lines.

    `trend` is over the tasks and seeds that all thresholds have in common, None where there are none; `p_holm` is its
    p-value adjusted for all curves of the scope. `apgr` is the average performance gap recovered, None where it needs a
    control that was not run, where the gap between the controls is not established, or where every point costs more or
    less than both controls.
    """

    points: tuple[Assessment, ...]
    trend: Trend | None
    p_holm: float | None
    apgr: float | None

    @property
    def key(self) -> CellKey:
        """What the points have in common; the threshold is None."""
        return replace(self.points[0].key, threshold=None)


def curves(
    records: Iterable[TrialRecord],
    assessments: Sequence[Assessment],
    cost: Cost,
    confidence: float = 0.95,
    *,
    arms: Mapping[CellKey, Arm] | None = None,
) -> list[Curve]:
    """A curve per strategy, pair of models and scope that ran with two thresholds or more.

    `arms` are the records', for who has them already.
    """
    lines: dict[CellKey, list[Assessment]] = {}
    for line in assessments:
        if line.key.threshold is not None:
            lines.setdefault(replace(line.key, threshold=None), []).append(line)
    swept = {key: points for key, points in lines.items() if len(points) > 1}
    if not swept:
        return []
    arms = arms or arms_of(grouped(records), cost)
    found = [_curve(points, [arms[point.key] for point in points], confidence) for points in swept.values()]
    return [replace(curve, p_holm=_adjusted(curve, found)) for curve in found]


def _curve(points: Sequence[Assessment], arms: Sequence[Arm], confidence: float) -> Curve:
    common = pair(*arms)
    thresholds = [point.key.threshold or 0.0 for point in points]
    trend = threshold_trend(common.worst.T, thresholds, confidence, best=common.best.T) if common.tasks else None
    return Curve(tuple(points), trend, None, _apgr(points))


def _apgr(points: Sequence[Assessment]) -> float | None:
    spent, recovered = [], []
    for point in points:
        if point.lift is None or point.gap is None or point.lift.spent is None:
            return None
        if point.gap.value is None or not point.gap.established:
            return None
        spent.append(point.lift.spent)
        recovered.append(point.gap.value)
    return average_gap_recovered(spent, recovered)


def _adjusted(curve: Curve, every: Sequence[Curve]) -> float | None:
    family = [other for other in every if other.key.scope == curve.key.scope and other.trend is not None]
    if curve.trend is None:
        return None
    adjusted = holm([other.trend.p_value for other in family if other.trend is not None])
    return float(adjusted[family.index(curve)])
