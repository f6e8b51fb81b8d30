"""Which worker runs which trial next, under `-n`: long ones first, and as little as possible handed out ahead.

A worker of pytest-xdist (3.8, `WorkerInteractor.run_one_test`) takes an item off its queue and, before it runs it,
waits until it can take the next one too or is told to shut down: pytest must know the next item to tear fixtures down.
So an item runs only when its successor is on the worker. Two is therefore the least that a worker with more to do can
hold: one that runs and one that waits; only a worker's last item is held alone, and after it the worker is gone. Nor
can the waiting one be taken back: it has left the queue, and `steal` reaches the queue only. What is left to choose is
which trial waits behind a running one, see `successor`.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from xdist.scheduler import LoadScheduling  # type: ignore[import-untyped]

from pytest_hybrideval.core.domain import Outcome, TaskClass, Trial
from pytest_hybrideval.core.errors import RecordError
from pytest_hybrideval.core.records import TrialRecord
from pytest_hybrideval.plugin.state import State

_HELD = 2

# Seconds by class where no run has told better; what matters is their order.
_GUESSES = {
    TaskClass.D6: 60.0,
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


def successor(free: float, others: Iterable[float], waiting: Sequence[float]) -> int:
    """Which of the `waiting` trials (expected seconds, longest first, at least one) a worker runs when it is free.

    That is the one it would get if each worker took the longest that is left the moment it is free: this one at `free`,
    the others at `others`. A worker that would find nothing left gets the last one, the shortest: it must hold one
    to go on, and this one is the least that can wait too long behind its trial.
    """
    workers = [(free, 0), *((other, 1) for other in others)]
    heapq.heapify(workers)
    for position, seconds in enumerate(waiting):
        soonest, is_other = workers[0]
        if not is_other:
            return position
        heapq.heapreplace(workers, (soonest + seconds, 1))
    return len(waiting) - 1


class TrialScheduling(LoadScheduling):  # type: ignore[misc]
    """xdist's scheduler for `--dist load`, but a session with trials hands out items one by one, long trials first.

    The first worker's collection tells whether there are trials. Where there are none this object turns into a plain
    `LoadScheduling` before anything is handed out, and ordinary sessions go as if it had never been.
    """

    def __init__(
        self, config: pytest.Config, log: Any, state: State, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(config, log)
        self.collection: list[str] | None = None
        self._state = state
        self._clock = clock
        self._decided = False
        self._seconds: dict[int, float] = {}
        self._rank: dict[int, int] = {}
        self._began: dict[Any, float] = {}

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
            self._seconds = {index: lengths.of(trial) for index, trial in trials.items()}
            self._rank = {index: rank for rank, index in enumerate(ordered(len(collection), self._seconds))}
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

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """An item has ended; the one that waited behind it is next."""
        self._began[node] = self._clock()
        super().mark_test_complete(node, item_index, duration)

    def remove_node(self, node: Any) -> str | None:
        """A worker is gone. What it ran is lost and returned, what waited behind that is handed out anew."""
        self._began.pop(node, None)
        lost: str | None = super().remove_node(node)
        return lost

    def check_schedule(self, node: Any, duration: float = 0) -> None:
        """Something has changed at a worker; any may need more now."""
        self._hand_out()

    def _hand_out(self) -> None:
        """Fill every worker up to two items, or tell it to shut down once it has run the last it holds."""
        now = self._clock()  # once: workers that are equally free must compare as equal
        self.pending.sort(key=self._rank.__getitem__)
        nodes = [node for node in self.nodes if node in self.node2collection and not node.shutting_down]
        while hungry := [node for node in nodes if len(self.node2pending[node]) < _HELD]:
            if not self.pending:
                for node in hungry:
                    node.shutdown()
                return
            free = {node: self._free(node, now) for node in nodes}
            node = min(hungry, key=lambda one: (len(self.node2pending[one]), free[one]))
            self._send(node, self._choose(free.pop(node), free.values()), now)

    def _choose(self, free: float, others: Iterable[float]) -> int:
        """The item for a worker: a trial while there are any, then ordinary tests as they were collected."""
        waiting = [self._seconds[index] for index in self.pending if index in self._seconds]
        return int(self.pending[successor(free, others, waiting) if waiting else 0])

    def _send(self, node: Any, index: int, now: float) -> None:
        held = self.node2pending[node]
        if not held:
            self._began[node] = now
        self.pending.remove(index)
        held.append(index)
        node.send_runtest_some([index])

    def _free(self, node: Any, now: float) -> float:
        """When a worker is expected to have run all that it holds, on the clock; now where that is overdue."""
        held = [self._seconds.get(index, 0.0) for index in self.node2pending[node]]
        if not held:
            return now
        return max(now, self._began[node] + held[0]) + sum(held[1:])
