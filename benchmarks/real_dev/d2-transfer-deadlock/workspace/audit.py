"""The audit log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    number: int
    account: str
    change: int
    balance: int


class AuditLog:
    """The changes of all balances, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def append(self, account: str, change: int, balance: int) -> Entry:
        number = len(self._entries) + 1
        entry = Entry(number, account, change, balance)
        self._entries.append(entry)
        return entry

    def entries(self) -> list[Entry]:
        return list(self._entries)

    def of(self, account: str) -> list[Entry]:
        """The entries of an account."""
        return [entry for entry in self._entries if entry.account == account]
