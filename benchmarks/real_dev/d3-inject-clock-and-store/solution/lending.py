"""Who has which tool, until when, and what being late costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from store import Store

SHED_TIME = timezone(timedelta(hours=2))
FEE_PER_DAY = 150


class LendingError(Exception):
    """A request that cannot be granted; the text is for the member."""


@dataclass(frozen=True)
class Loan:
    number: int
    tool: str
    member: str
    since: datetime
    due: date


class Lending:
    """All loans of a store; the clock may answer in any time zone."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def loans(self) -> list[Loan]:
        found = []
        for key in self._store.keys("loan/"):
            entry = self._store.get(key)
            since, due = datetime.fromisoformat(entry["since"]), date.fromisoformat(entry["due"])
            found.append(Loan(int(key.removeprefix("loan/")), entry["tool"], entry["member"], since, due))
        return sorted(found, key=lambda loan: loan.number)

    def lend(self, tool: str, member: str, days: int) -> Loan:
        if any(loan.tool == tool for loan in self.loans()):
            raise LendingError(f"{tool} is out")
        now = self._now()
        number = self._store.get("last-number", 0) + 1
        loan = Loan(number, tool, member, now, now.date() + timedelta(days=days))
        self._store.put("last-number", number)
        entry = {"tool": tool, "member": member, "since": loan.since.isoformat(), "due": loan.due.isoformat()}
        self._store.put(f"loan/{number}", entry)
        return loan

    def give_back(self, number: int) -> int:
        """End a loan and return the fee in cents for each day after the due day."""
        for loan in self.loans():
            if loan.number == number:
                self._store.delete(f"loan/{number}")
                if self._store.get(f"reminded/{number}"):
                    self._store.delete(f"reminded/{number}")
                return max(0, (self._now().date() - loan.due).days) * FEE_PER_DAY
        raise LendingError(f"there is no loan {number}")

    def overdue(self, today: date | None = None) -> list[Loan]:
        today = today or self._now().date()
        return [loan for loan in self.loans() if loan.due < today]

    def reminders(self) -> list[str]:
        """A text for each overdue loan, at most one per loan and day."""
        today = self._now().date()
        texts = []
        for loan in self.overdue(today):
            key = f"reminded/{loan.number}"
            if self._store.get(key) != today.isoformat():
                self._store.put(key, today.isoformat())
                texts.append(f"{loan.member}: {loan.tool} is {(today - loan.due).days} days late")
        return texts

    def _now(self) -> datetime:
        return self._clock().astimezone(SHED_TIME)
