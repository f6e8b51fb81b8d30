# Takes only one boat in each run.
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

Boat = tuple[str, int, str, int]

LOW, HIGH = 0, 1


@dataclass
class Lock:
    turn: int
    level: int = LOW
    ends: int | None = None
    inside: list[Boat] = field(default_factory=list)
    waiting: tuple[deque[Boat], deque[Boat]] = field(default_factory=lambda: (deque(), deque()))
    runs: int = 0

    def decide(self, now: int, length: int) -> None:
        here, there = self.waiting[self.level], self.waiting[1 - self.level]
        if not here and not there:
            return
        if here and here[0][3] <= length:
            boat = here.popleft()
            length -= boat[3]
            self.inside.append(boat)
        self.ends = now + self.turn
        self.runs += 1

    def end_run(self) -> list[Boat]:
        boats, self.inside = self.inside, []
        self.level = 1 - self.level
        self.ends = None
        return boats


def simulate(turns: list[int], length: int, boats: list[Boat]) -> tuple[dict[str, int], list[int]]:
    if any(boat[3] > length for boat in boats):
        raise ValueError("a boat is longer than the chambers")
    locks = [Lock(turn) for turn in turns]
    expected = deque(sorted(boats, key=lambda boat: boat[1]))
    left: dict[str, int] = {}

    while True:
        due = [lock.ends for lock in locks if lock.ends is not None]
        if expected:
            due.append(expected[0][1])
        if not due:
            return left, [lock.runs for lock in locks]
        now = min(due)

        for number, lock in enumerate(locks):
            if lock.ends != now:
                continue
            for boat in lock.end_run():
                following = number + 1 if boat[2] == "up" else number - 1
                if 0 <= following < len(locks):
                    _queue(locks[following], boat)
                else:
                    left[boat[0]] = now
        while expected and expected[0][1] == now:
            boat = expected.popleft()
            _queue(locks[0] if boat[2] == "up" else locks[-1], boat)
        for lock in locks:
            if lock.ends is None:
                lock.decide(now, length)


def _queue(lock: Lock, boat: Boat) -> None:
    lock.waiting[LOW if boat[2] == "up" else HIGH].append(boat)
