"""What a bucket may hold and how fast it fills."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A bucket of `capacity` tokens that gains `amount` tokens per `period_ns` nanoseconds, evenly."""

    capacity: int
    amount: int
    period_ns: int

    def __post_init__(self) -> None:
        if min(self.capacity, self.amount, self.period_ns) < 1:
            raise ValueError("capacity, amount and period_ns must be at least 1")
