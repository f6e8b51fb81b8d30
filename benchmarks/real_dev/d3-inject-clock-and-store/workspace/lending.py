"""Who has which tool, until when, and what being late costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from store import FileStore, Store

SHED_TIME = timezone(timedelta(hours=2))
FEE_PER_DAY = 150

_store: Store = FileStore("lending.json")
_reminded: dict[int, date] = {}


class LendingError(Exception):
    """A request that cannot be granted; the text is for the member."""


@dataclass(frozen=True)
class Loan:
    number: int
    tool: str
    member: str
    since: datetime
    due: date


def use_store(store: Store) -> None:
    global _store
    _store = store
    _reminded.clear()


def today() -> date:
    return datetime.now(SHED_TIME).date()


def loans() -> list[Loan]:
    found = []
    for key in _store.keys("loan/"):
        entry = _store.get(key)
        since, due = datetime.fromisoformat(entry["since"]), date.fromisoformat(entry["due"])
        found.append(Loan(int(key.removeprefix("loan/")), entry["tool"], entry["member"], since, due))
    return sorted(found, key=lambda loan: loan.number)


def lend(tool: str, member: str, days: int) -> Loan:
    if any(loan.tool == tool for loan in loans()):
        raise LendingError(f"{tool} is out")
    number = _store.get("last-number", 0) + 1
    loan = Loan(number, tool, member, datetime.now(SHED_TIME), today() + timedelta(days=days))
    _store.put("last-number", number)
    entry = {"tool": tool, "member": member, "since": loan.since.isoformat(), "due": loan.due.isoformat()}
    _store.put(f"loan/{number}", entry)
    return loan


def give_back(number: int) -> int:
    """End a loan and return the fee in cents for each day after the due day."""
    for loan in loans():
        if loan.number == number:
            _store.delete(f"loan/{number}")
            _reminded.pop(number, None)
            return max(0, (today() - loan.due).days) * FEE_PER_DAY
    raise LendingError(f"there is no loan {number}")


def overdue() -> list[Loan]:
    return [loan for loan in loans() if loan.due < today()]


def reminders() -> list[str]:
    """A text for each overdue loan, at most one per loan and day."""
    texts = []
    for loan in overdue():
        if _reminded.get(loan.number) != today():
            _reminded[loan.number] = today()
            late = (today() - loan.due).days
            texts.append(f"{loan.member}: {loan.tool} is {late} days late")
    return texts
