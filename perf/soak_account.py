"""What the soak counts: what agents saw, what was recorded, what was logged, and how much memory it took."""

from __future__ import annotations

import gc
import logging
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pytest_hybrideval.core.domain import Usage
from pytest_hybrideval.core.records import CallRecord
from pytest_hybrideval.gateway import RouterSession


@dataclass
class Account:
    """What the agents saw and what was recorded.

    `tokens` holds two numbers for each call, -1 where no answer told any. It has its size from the beginning, so that
    what grows is not the account.
    """

    tokens: array[int]
    asked: int = 0
    recorded: int = 0
    retries: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: list[tuple[str, float]] = field(default_factory=list)

    def close(self, session: RouterSession, first: int, asked: int) -> None:
        """Count a session's records, in which each of the calls must stand once."""
        calls = session.ledger.calls
        self.asked += asked
        self.recorded += len(calls)
        if sorted(call.index for call in calls) != list(range(asked)):
            self.wrong.append(f"calls from {first}: {asked} asked, recorded {sorted(call.index for call in calls)}")
        for call in calls:
            self._count(call, first + call.index)

    def _count(self, call: CallRecord, number: int) -> None:
        self.retries += max(0, call.attempts - 1)
        if call.fault is not None:
            self.faults[f"{call.fault.value} {call.status}"] += 1
        elif call.cut is not None:
            self.cuts[call.cut.value] += 1
        elif call.usage == Usage(0, 0, 0, 0):
            self.cuts["injected: empty"] += 1
        else:
            self.tokens[2 * number : 2 * number + 2] = array("q", [call.usage.prompt or 0, call.usage.completion or 0])

    @property
    def told(self) -> dict[int, tuple[int, int]]:
        """Calls with known tokens, and these."""
        pairs = enumerate(zip(self.tokens[::2], self.tokens[1::2], strict=True))
        return {number: pair for number, pair in pairs if pair != (-1, -1)}


class Logged(logging.Handler):
    """Counts what the HTTP server of the gateway logs: it should have no errors to tell of."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.kinds: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record by its exception."""
        self.kinds[type(record.exc_info[1]).__name__ if record.exc_info else record.getMessage()] += 1


def memory_mib() -> float:
    """Resident memory of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20
