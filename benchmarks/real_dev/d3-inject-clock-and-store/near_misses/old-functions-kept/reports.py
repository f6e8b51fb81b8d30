"""What the board of the shed wants to know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lending import SHED_TIME, Lending


class Reports:
    def __init__(self, lending: Lending, clock: Callable[[], datetime]) -> None:
        self._lending = lending
        self._clock = clock

    def summary(self) -> str:
        now = self._clock().astimezone(SHED_TIME)
        loans = self._lending.loans()
        overdue = self._lending.overdue(now.date())
        longest = max(((now - loan.since).days for loan in loans), default=0)
        return f"{now:%Y-%m-%d %H:%M}: {len(loans)} out, {len(overdue)} overdue, longest {longest} days"
