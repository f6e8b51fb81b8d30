"""Which worker runs which trial next, under `-n`: long ones first, one at a time per worker.

Whoever is free gets the longest that is left, so no trial waits behind another while a worker is idle, and a worker
that dies loses the one it ran. Workers run what comes without knowing what follows: see `worker_loop`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from xdist.scheduler import LoadScheduling  # type: ignore[import-untyped]

from pytest_hybrideval.core.domain import Outcome, TaskClass, Trial
from pytest_hybrideval.core.errors import RecordError
from pytest_hybrideval.core.records import TrialRecord
from pytest_hybrideval.plugin.state import State

# Seconds by class where no run has told better; what matters is their order.
_GUESSES = {
    TaskClass.D6: 60.0,
    TaskClass.TERMINAL: 55.0,
    TaskClass.D1: 50.0,
    TaskClass.D3: 40.0,
    TaskClass.D2: 30.0,
    TaskClass.D5: 20.0,
    TaskClass.PUZZLE: 10.0,
}


class Lengths:
    """How long trials are expected to take, from the records of an earlier run."""

    def __init__(self, records: Iterable[TrialRecord]) -> None:
        """Trials that ended in an error are left out: how long they took says nothing about the task."""
        seconds: dict[tuple[Any, ...], list[float]] = {}
        for record in records:
            if record.outcome is not Outcome.ERROR:
                for key in ((record.task, record.strategy, record.threshold), (record.task,)):
                    seconds.setdefault(key, []).append(record.stages.total)
        self._means = {key: fmean(values) for key, values in seconds.items()}

    def of(self, trial: Trial) -> float:
        """Seconds: the mean of the same task, strategy and threshold, else of the task, else a guess by class."""
        task, variant = trial.task, trial.variant
        same = self._means.get((task.id, variant.strategy, variant.threshold))
        if same is None:
            same = self._means.get((task.id,), _GUESSES[task.task_class])
        return same


def latest_records(results_dir: Path) -> list[TrialRecord]:
    """The records of the run that was written to last, up to its first bad line; none where no run can be read."""
    from pytest_hybrideval.reporting.run_directory import RAW, read_trials

    records: list[TrialRecord] = []
    try:
        newest = max(results_dir.glob(f"*/{RAW}"), key=lambda path: path.stat().st_mtime, default=None)
        if newest is not None:
            records.extend(read_trials(newest))  # what was read before an error stays
    except (OSError, RecordError):
        pass  # a better order is all that is lost
    return records


def ordered(count: int, seconds: Mapping[int, float]) -> list[int]:
    """Indices 0 to `count` - 1: those with an expected length (trials) longest first, then the others as they were."""
    return sorted(range(count), key=lambda index: (index not in seconds, -seconds.get(index, 0.0)))


class TrialScheduling(LoadScheduling):  # type: ignore[misc]
    """xdist's scheduler for `--dist load`, but a session with trials hands out items one by one, long trials first.

    The first worker's collection tells whether there are trials. Where there are none this object turns into a plain
    `LoadScheduling` before anything is handed out, and ordinary sessions go as if it had never been.
    """

    def __init__(self, config: pytest.Config, log: Any, state: State) -> None:
        super().__init__(config, log)
        self.collection: list[str] | None = None
        self._state = state
        self._decided = False
        self._rank: dict[int, int] = {}

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """A worker has collected; the first one decides whose session this is."""
        super().add_node_collection(node, collection)
        if not self._decided:
            self._decided = True
            trials = {index: trial for index, id_ in enumerate(collection) if (trial := self._state.trial(id_))}
            if not trials:
                self.__class__ = LoadScheduling
                return
            lengths = Lengths(latest_records(self._state.settings.results_dir))
            seconds = {index: lengths.of(trial) for index, trial in trials.items()}
            self._rank = {index: rank for rank, index in enumerate(ordered(len(collection), seconds))}
        elif node not in self.node2collection:
            node.shutdown()  # it replaces a lost worker and has collected something else: nothing can be sent to it

    def schedule(self) -> None:
        """All workers have collected, or one more has: hand out what they need to run."""
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                self.log("**Different tests collected, aborting run**")
                return
            self.collection = collected = next(iter(self.node2collection.values()))
            self.pending[:] = range(len(collected))
        self._hand_out()

    def check_schedule(self, node: Any, duration: float = 0) -> None:
        """Something has changed at a worker; any may need more now."""
        self._hand_out()

    def _hand_out(self) -> None:
        """Give every idle worker the longest that is left, or tell it that nothing will come any more."""
        self.pending.sort(key=self._rank.__getitem__)
        for node in self.nodes:
            if node in self.node2collection and not node.shutting_down and not self.node2pending[node]:
                if not self.pending:
                    node.shutdown()
                    continue
                index = self.pending.pop(0)
                self.node2pending[node].append(index)
                node.send_runtest_some([index])
