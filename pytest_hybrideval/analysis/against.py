"""A run beside an earlier one: each line of its matrix with the same strategy's trials of back then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_hybrideval.analysis.arms import Arm, arms_of, in_common
from pytest_hybrideval.analysis.assessment import Cost
from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL, CellKey, grouped
from pytest_hybrideval.analysis.comparison import Comparison, compare
from pytest_hybrideval.core.records import TrialRecord


@dataclass(frozen=True)
class Against:
    """The comparisons with an earlier run, one for each line that has its like there; `unmatched` have none.

    A line's like has the same strategy, threshold, models and agent; the model that a control never asks may be any.
    Where there is none, it is the earlier run's only line of that strategy and threshold, or of that strategy, unless
    that is another line's like already (then `Comparison.baseline` shows what else differs).
    """

    comparisons: tuple[Comparison, ...]
    unmatched: tuple[CellKey, ...]

    @property
    def by_line(self) -> Mapping[CellKey, Comparison]:
        """The comparisons by the new run's lines."""
        return {each.key: each for each in self.comparisons}


def against(
    new: Sequence[TrialRecord], old: Sequence[TrialRecord], cost: Cost, margin: float, confidence: float = 0.95
) -> Against:
    """Compare a run with an earlier one on common tasks and seeds; each scope is one family for Holm's adjustment.

    Tasks whose files have changed since are left out and named. `cost` prices both runs, so that a change of prices is
    no saving.
    """
    comparisons: list[Comparison] = []
    unmatched: list[CellKey] = []
    lines, before = arms_of(grouped(new), cost), arms_of(grouped(old), cost)
    for scope in dict.fromkeys(key.scope for key in lines):
        earlier = _within(scope, before)
        likes = _likes({key: one for key, one in lines.items() if key.scope == scope}, earlier)
        sides = [(lines[key], like) for key, like in likes.items() if like is not None]
        free = frozenset(key for key in likes if key.strategy == ALWAYS_LOCAL)
        comparisons += compare(sides, margin, confidence, free=free)
        unmatched += [key for key, like in likes.items() if like is None]
    return Against(tuple(comparisons), tuple(unmatched))


def _within(scope: str, arms: Mapping[CellKey, Arm]) -> list[Arm]:
    """The earlier run's lines of a scope: all its suites together are its only suite where it had one."""
    only = scope == ALL_SUITES and all(key.scope != ALL_SUITES for key in arms)
    return [one for key, one in arms.items() if only or key.scope == scope]


def _likes(lines: Mapping[CellKey, Arm], earlier: Sequence[Arm]) -> dict[CellKey, Arm | None]:
    """Each line's like, None where there is none with a task and seed in common."""
    same = {key: [other for other in earlier if _setting(other.key) == _setting(key)] for key in lines}
    taken = {other.key for others in same.values() for other in others}
    likes: dict[CellKey, Arm | None] = {}
    for key, one in lines.items():
        others = same[key] or [other for other in _nearest(key, earlier) if other.key not in taken]
        like = max(others, key=lambda other: in_common(one, other), default=None)
        likes[key] = like if like is not None and in_common(one, like) else None
    return likes


def _nearest(key: CellKey, earlier: Sequence[Arm]) -> list[Arm]:
    """The lines that a line of other models, agent or threshold can only mean."""
    named = [other for other in earlier if other.key.strategy == key.strategy]
    level = [other for other in named if other.key.threshold == key.threshold]
    unique = (others for others in (level, named) if len({_setting(other.key) for other in others}) == 1)
    return next(unique, [])


def _setting(key: CellKey) -> tuple[object, ...]:
    """What lines that are each other's like have in common."""
    local = None if key.strategy == ALWAYS_CLOUD else key.local_model
    cloud = None if key.strategy == ALWAYS_LOCAL else key.cloud_model
    return key.strategy, key.threshold, local, cloud, key.agent
