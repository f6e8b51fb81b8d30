"""The trials of a cell by task and seed, and several cells side by side on what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_hybrideval.analysis.arrays import Floats
from pytest_hybrideval.analysis.cells import COMPARABLE_ERRORS, CellKey, parts
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import TrialRecord

_ROUNDING = 1e-9  # how far a sum of averages may stray

_Place = tuple[str, int]  # task, seed


class Point(NamedTuple):
    """What became of one task under one seed. Several records (a run that was added to another) are averaged.

    `digest` is the task's, of all records where they differ. `cost` is USD per trial; None where a trial ended in an
    error, or answered without saying its cloud tokens.
    """

    digest: str
    worst: float
    best: float
    cost: float | None


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: a cell's points by (task, seed)."""

    key: CellKey
    points: Mapping[tuple[str, int], Point]

    @property
    def comparable(self) -> bool:
        """Whether few enough trials ended in errors."""
        return _few_errors(sum(point.best - point.worst for point in self.points.values()), len(self.points))

    @cached_property
    def versions(self) -> frozenset[tuple[str, str]]:
        """The tasks with their digests."""
        return frozenset((task, point.digest) for (task, _), point in self.points.items())


@dataclass(frozen=True)
class Paired:
    """Arms over their common tasks and seeds; row s belongs to the s-th arm, column t to `tasks[t]`.

    `worst` and `best` are task means of passing, shape (S, T): a trial that ended in an error counts as a fail, or as a
    pass. `costs` are USD per trial over the pairs whose cost every arm knows, nan where a task has none. `pairs` counts
    the common (task, seed), `missing` those of them that ended in errors, per arm. `left_out` counts what else each arm
    has: what some other arm lacks, or of a task that has changed. `changed` names tasks that are not the same on all
    sides (their digests differ): they are in none of the arrays.
    """

    tasks: tuple[str, ...]
    worst: Floats
    best: Floats
    costs: Floats
    pairs: int
    left_out: tuple[int, ...]
    changed: tuple[str, ...] = ()
    missing: tuple[float, ...] = ()

    @property
    def comparable(self) -> bool:
        """Whether on every side few enough of the pairs ended in errors."""
        return all(_few_errors(errors, self.pairs) for errors in self.missing)

    @property
    def priced(self) -> Paired:
        """The same over the tasks whose costs are known."""
        kept = ~np.isnan(self.costs).any(axis=0)
        tasks = tuple(task for task, keep in zip(self.tasks, kept, strict=True) if keep)
        return replace(self, tasks=tasks, worst=self.worst[:, kept], best=self.best[:, kept], costs=self.costs[:, kept])


def arm(key: CellKey, records: Iterable[TrialRecord], cost: Callable[[TrialRecord], float]) -> Arm:
    """The arm of a cell's records."""
    groups: dict[tuple[str, int], list[TrialRecord]] = {}
    for record in records:
        groups.setdefault((record.task, record.seed), []).append(record)
    return Arm(key, {place: _point(group, cost) for place, group in groups.items()})


def arms_of(
    groups: Mapping[CellKey, Iterable[TrialRecord]], cost: Callable[[TrialRecord], float]
) -> dict[CellKey, Arm]:
    """The arm of every cell."""
    return {key: arm(key, group, cost) for key, group in groups.items()}


def pair(*arms: Arm) -> Paired:
    """Put arms side by side on task and seed."""
    common, changed = _common(arms)
    places = sorted(common)
    sizes = Counter(task for task, _ in places)
    first = np.cumsum([0, *sizes.values()])[:-1]
    rows = [[one.points[place] for place in places] for one in arms]
    worst, best, costs = (
        np.array([[value(point) for point in row] for row in rows], dtype=np.float64)
        for value in (lambda point: point.worst, lambda point: point.best, _cost_or_nan)
    )
    known, every = ~np.isnan(costs).any(axis=0), np.ones(len(places), dtype=np.bool_)
    return Paired(
        tasks=tuple(sizes),
        worst=_means(worst, every, first),
        best=_means(best, every, first),
        costs=_means(costs, known, first),
        pairs=len(places),
        left_out=tuple(len(one.points) - len(places) for one in arms),
        changed=tuple(sorted(changed)),
        missing=tuple((best - worst).sum(axis=1).tolist()),
    )


def in_common(*arms: Arm) -> int:
    """How many tasks and seeds `pair` would find, of tasks that are the same on all sides."""
    return len(_common(arms)[0])


def _common(arms: Sequence[Arm]) -> tuple[set[_Place], set[str]]:
    """The common tasks and seeds, and the tasks that have changed: all of theirs are none."""
    common = set(arms[0].points).intersection(*(other.points for other in arms[1:]))
    versions = Counter(task for task, _ in frozenset().union(*(one.versions for one in arms)))
    changed = {
        place[0] for place in common if versions[place[0]] > 1 and len({one.points[place].digest for one in arms}) > 1
    }
    return {place for place in common if place[0] not in changed} if changed else common, changed


def _point(records: Sequence[TrialRecord], cost: Callable[[TrialRecord], float]) -> Point:
    outcomes = [record.outcome for record in records]
    passed, errors, count = outcomes.count(Outcome.PASSED), outcomes.count(Outcome.ERROR), len(records)
    return Point(
        digest="+".join(sorted({record.task_digest for record in records})),
        worst=passed / count,
        best=(passed + errors) / count,
        cost=None if errors or any(map(_unknown_usage, records)) else sum(map(cost, records)) / count,
    )


def _unknown_usage(record: TrialRecord) -> bool:
    """Whether a model in the cloud answered without saying its tokens."""
    return any(tokens.unknown_calls for tokens in parts(record, Tier.CLOUD))


def _cost_or_nan(point: Point) -> float:
    return np.nan if point.cost is None else point.cost


def _means(values: Floats, counted: NDArray[np.bool_], first: NDArray[np.intp]) -> Floats:
    """Means over each task's columns, shape (S, P) to (S, T), of those that are counted; nan where none is.

    `first` are the tasks' first columns.
    """
    totals = np.add.reduceat(np.where(counted, values, 0.0), first, axis=1)
    counts = np.add.reduceat(counted.astype(np.float64), first)
    means: Floats = np.divide(totals, counts, out=np.full_like(totals, np.nan), where=counts > 0.0)
    return means


def _few_errors(errors: float, trials: int) -> bool:
    return errors <= COMPARABLE_ERRORS * trials + _ROUNDING
