"""The bound of the frontier: what a router could do that chose one model per trial and knew how each would end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from pytest_hybrideval.analysis.cells import ALWAYS_CLOUD, ALWAYS_LOCAL, CellKey, grouped
from pytest_hybrideval.analysis.regret import Control, Controls
from pytest_hybrideval.core.domain import Outcome
from pytest_hybrideval.core.records import TrialRecord

ORACLE = "oracle"


@dataclass(frozen=True)
class Standing:
    """Trials summed up: `pass_rate` is the mean over tasks of their seeds' mean, an error not passed; `cost` is USD."""

    trials: int
    tasks: int
    pass_rate: float
    cost: float


@dataclass(frozen=True)
class Oracle:
    """The best control for each task and seed: the one that passes and costs least; where neither does, the cheapest.

    It bounds routers that choose one model per trial. A router that mixes models within a trial (plans in the cloud,
    edits locally) can beat it. It knows the outcomes before it chooses, so part of its lead over both is luck.
    `standing` covers the tasks and seeds for which both controls have a verdict, `others` every strategy on just these,
    by name and threshold. `key` has the strategy `ORACLE`.
    """

    key: CellKey
    standing: Standing
    others: tuple[tuple[CellKey, Standing], ...]


_Choices = dict[tuple[str, int], Control]


def oracles(records: Iterable[TrialRecord], cost: Callable[[TrialRecord], float]) -> list[Oracle]:
    """One per scope of the matrix, pair of models and agent for which both controls ran. `cost` is USD of a record."""
    rows = [(record, cost(record)) for record in records]
    choices = _choices(Controls(rows))
    usd = {id(record): price for record, price in rows}
    scopes: dict[str, dict[CellKey, list[tuple[TrialRecord, float]]]] = {}
    for key, group in grouped(record for record, _ in rows).items():
        scopes.setdefault(key.scope, {})[key] = [(record, usd[id(record)]) for record in group]
    found = (
        _oracle(CellKey(scope, *models, ORACLE, None), inside, best)
        for scope, inside in scopes.items()
        for models, best in sorted(choices.items(), key=lambda item: item[0])
    )
    return [oracle for oracle in found if oracle.standing.trials]


def _choices(controls: Controls) -> dict[tuple[str, str, str], _Choices]:
    """The better of two controls with a verdict: by local model, cloud model and agent, then by task and seed."""
    found: dict[tuple[str, str, str], _Choices] = {}
    for (task, seed, agent), clouds in controls.trials[ALWAYS_CLOUD].items():
        locals_ = controls.trials[ALWAYS_LOCAL].get((task, seed, agent), {})
        for (local_model, local), (cloud_model, cloud) in product(locals_.items(), clouds.items()):
            if local.passed is not None and cloud.passed is not None:
                best = min(local, cloud, key=lambda control: (not control.passed, control.cost))
                found.setdefault((local_model, cloud_model, agent), {})[task, seed] = best
    return found


def _oracle(key: CellKey, cells: Mapping[CellKey, Sequence[tuple[TrialRecord, float]]], choices: _Choices) -> Oracle:
    tasks = {record.task for group in cells.values() for record, _ in group}
    known = {same: choice for same, choice in choices.items() if same[0] in tasks}
    standing = _standing([(task, bool(choice.passed), choice.cost) for (task, _), choice in known.items()])
    others = sorted(_others(key, cells, known), key=lambda other: other[0].order[-2:])
    return Oracle(key, standing, tuple(others))


def _others(
    oracle: CellKey, cells: Mapping[CellKey, Sequence[tuple[TrialRecord, float]]], known: _Choices
) -> Iterator[tuple[CellKey, Standing]]:
    """Every strategy on the oracle's tasks and seeds. The model that a control never asks may be any."""
    for key, group in cells.items():
        local_fits = key.strategy == ALWAYS_CLOUD or key.local_model == oracle.local_model
        cloud_fits = key.strategy == ALWAYS_LOCAL or key.cloud_model == oracle.cloud_model
        if local_fits and cloud_fits and key.agent == oracle.agent:
            same = [(record, usd) for record, usd in group if (record.task, record.seed) in known]
            if same:
                yield key, _standing([(record.task, record.outcome is Outcome.PASSED, usd) for record, usd in same])


def _standing(rows: Sequence[tuple[str, bool, float]]) -> Standing:
    by_task: dict[str, list[bool]] = {}
    for task, passed, _ in rows:
        by_task.setdefault(task, []).append(passed)
    rate = fmean(fmean(seeds) for seeds in by_task.values()) if by_task else 0.0
    return Standing(len(rows), len(by_task), rate, sum(usd for _, _, usd in rows))
