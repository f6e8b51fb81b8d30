"""Why a router lost: each of its trials beside those of the two controls, always-cloud and always-local.

A trial's controls are the always-cloud trial of the same task, seed, agent and cloud model, and the always-local trial
of the same task, seed, agent and local model. A control that did not run or ended in an error is none: another seed
never stands in for it, and what cannot be told without it is not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from pytest_hybrideval.analysis.cells import ALWAYS_CLOUD, ALWAYS_LOCAL, CONTROLS, CellKey, grouped
from pytest_hybrideval.core.domain import ErrorKind, FailureMode, Outcome, Tier
from pytest_hybrideval.core.records import TrialRecord

Cause = FailureMode | ErrorKind | None


class RegretKind(str, Enum):
    """What there is to regret about a trial, and the USD at stake.

    `UNDER_ROUTED`: failed, and always-cloud passed. USD: what the trial cost, spent for nothing.
    `OVER_ROUTED`: always-local passed. The trial passed too and cost more (USD: the difference), or it failed as
    always-cloud did (USD: what it cost).
    `UNSOLVED`: failed, as both controls did. USD: what it cost.
    `LUCKY`: passed where both controls failed; do not count on it. USD: what it cost.
    """

    UNDER_ROUTED = "under_routed"
    OVER_ROUTED = "over_routed"
    UNSOLVED = "unsolved"
    LUCKY = "lucky"


@dataclass(frozen=True)
class Control:
    """What a control did with the same task and seed. `outcome` is None where it did not run; `cost` is USD."""

    outcome: Outcome | None
    cost: float = 0.0

    @property
    def passed(self) -> bool | None:
        """Whether it passed; None where that is not known."""
        return None if self.outcome in (None, Outcome.ERROR) else self.outcome is Outcome.PASSED


class Controls:
    """The controls' trials. `trials` has them by name, then by task, seed and agent, then by the model of their tier.

    The model of the tier that a control never asks says nothing about it.
    """

    def __init__(self, rows: Iterable[tuple[TrialRecord, float]]) -> None:
        """`rows` are records with their costs in USD."""
        self.trials: dict[str, dict[tuple[str, int, str], dict[str, Control]]] = {name: {} for name in CONTROLS}
        for record, usd in rows:
            if record.strategy in CONTROLS:
                model = record.cloud_model if record.strategy == ALWAYS_CLOUD else record.local_model
                same = record.task, record.seed, record.agent
                self.trials[record.strategy].setdefault(same, {})[model] = Control(record.outcome, usd)

    def of(self, record: TrialRecord) -> tuple[Control, Control]:
        """The trial's controls: always-cloud's, always-local's."""
        same = record.task, record.seed, record.agent
        cloud = self.trials[ALWAYS_CLOUD].get(same, {}).get(record.cloud_model, _NOT_RUN)
        local = self.trials[ALWAYS_LOCAL].get(same, {}).get(record.local_model, _NOT_RUN)
        return cloud, local


_NOT_RUN = Control(None)


@dataclass(frozen=True)
class Regret:
    """One trial that a better choice would have served better, or that was luck.

    `usd` is what its kind puts at stake; with `unknown_usage` a cloud call did not say its tokens and `usd` is the
    least it can be. `outcome`, `failure_mode` and `detail` are the record's. The calls are the agent's: a trial that
    asked one tier only and ended otherwise than that tier's control differs by the model's chance, not by its router.
    """

    trial: str
    strategy: str
    threshold: float | None
    task: str
    seed: int
    kind: RegretKind
    usd: float
    unknown_usage: bool
    outcome: Outcome
    failure_mode: FailureMode | None
    detail: str
    cloud_calls: int
    local_calls: int
    cloud: Control
    local: Control


@dataclass(frozen=True)
class CellRegrets:
    """What one line of the matrix lost, and why. `regrets` are the most costly first.

    `causes` counts why trials failed or ended in errors (None: the record does not say). `not_run` and `in_error` count
    by control the trials that lack it, and why; trials that ended in errors themselves aside. `not_judged` are those
    where that matters. Of a control's own line nothing is judged.
    """

    key: CellKey
    simulated: bool
    trials: int
    errors: int
    causes: Mapping[Cause, int]
    regrets: tuple[Regret, ...] = ()
    not_judged: int = 0
    not_run: Mapping[str, int] = field(default_factory=Counter)
    in_error: Mapping[str, int] = field(default_factory=Counter)

    @property
    def is_control(self) -> bool:
        """Whether this line is a control's own."""
        return self.key.strategy in CONTROLS

    @property
    def no_regret(self) -> int:
        """Trials that were judged and leave nothing to regret."""
        return 0 if self.is_control else self.trials - self.errors - self.not_judged - len(self.regrets)

    def of_kind(self, kind: RegretKind) -> list[Regret]:
        """The regrets of one kind."""
        return [regret for regret in self.regrets if regret.kind is kind]


def regrets(records: Iterable[TrialRecord], cost: Callable[[TrialRecord], float]) -> list[CellRegrets]:
    """Every cell of the matrix, in its order. `cost` prices a record in USD and is asked once for each."""
    rows = [(record, cost(record)) for record in records]
    controls = Controls(rows)
    judged = {id(record): _judge(record, usd, controls) for record, usd in rows}
    groups = grouped(record for record, _ in rows)
    return [_cell(key, [judged[id(record)] for record in group]) for key, group in groups.items()]


class _Judged(NamedTuple):
    """A trial and what came of judging it. Without controls: a control's own trial, or one that ended in an error."""

    record: TrialRecord
    controls: tuple[Control, Control] | None = None
    settled: bool = True
    regret: Regret | None = None


def _judge(record: TrialRecord, usd: float, controls: Controls) -> _Judged:
    if record.strategy in CONTROLS or record.outcome is Outcome.ERROR:
        return _Judged(record)
    cloud, local = controls.of(record)
    passed = record.outcome is Outcome.PASSED
    decisive = local if passed else cloud  # one that passed settles it alone
    if not decisive.passed and None in (cloud.passed, local.passed):
        return _Judged(record, (cloud, local), settled=False)
    unknown = _unknown_usage(record)
    kind = _kind(passed, unknown or usd > local.cost, cloud, local)
    regret = None if kind is None else _regret(record, kind, usd, unknown, cloud, local)
    return _Judged(record, (cloud, local), regret=regret)


def _kind(passed: bool, dearer: bool, cloud: Control, local: Control) -> RegretKind | None:
    """None where there is nothing to regret. `dearer`: the trial cost more than always-local's."""
    if passed and local.passed:
        return RegretKind.OVER_ROUTED if dearer else None
    if passed:
        return None if cloud.passed else RegretKind.LUCKY
    if cloud.passed:
        return RegretKind.UNDER_ROUTED
    return RegretKind.OVER_ROUTED if local.passed else RegretKind.UNSOLVED


def _unknown_usage(record: TrialRecord) -> bool:
    return any(Tier.CLOUD in part and part[Tier.CLOUD].unknown_calls for part in (record.tokens, record.overhead))


def _regret(record: TrialRecord, kind: RegretKind, usd: float, unknown: bool, cloud: Control, local: Control) -> Regret:
    wasted = kind is RegretKind.OVER_ROUTED and record.outcome is Outcome.PASSED
    calls = {tier: tokens.calls for tier, tokens in record.tokens.items()}
    return Regret(
        trial=record.trial,
        strategy=record.strategy,
        threshold=record.threshold,
        task=record.task,
        seed=record.seed,
        kind=kind,
        usd=max(0.0, usd - local.cost) if wasted else usd,
        unknown_usage=unknown,
        outcome=record.outcome,
        failure_mode=record.failure_mode,
        detail=record.detail,
        cloud_calls=calls.get(Tier.CLOUD, 0),
        local_calls=calls.get(Tier.LOCAL, 0),
        cloud=cloud,
        local=local,
    )


def _cell(key: CellKey, group: Sequence[_Judged]) -> CellRegrets:
    records = [judged.record for judged in group]
    found = [judged.regret for judged in group if judged.regret]
    return CellRegrets(
        key=key,
        simulated=any(record.simulated for record in records),
        trials=len(group),
        errors=sum(record.outcome is Outcome.ERROR for record in records),
        causes=Counter(r.failure_mode or r.error_kind for r in records if r.outcome is not Outcome.PASSED),
        regrets=tuple(sorted(found, key=lambda regret: (-regret.usd, _KINDS[regret.kind], regret.trial))),
        not_judged=sum(not judged.settled for judged in group),
        not_run=Counter(_lacking(group, None)),
        in_error=Counter(_lacking(group, Outcome.ERROR)),
    )


def _lacking(group: Iterable[_Judged], outcome: Outcome | None) -> Iterator[str]:
    """The name of a control, once for each trial whose control ended so."""
    for judged in group:
        for name, control in zip(CONTROLS, judged.controls or (), strict=False):
            if control.outcome is outcome:
                yield name


_KINDS = {kind: at for at, kind in enumerate(RegretKind)}
