"""The commands at the desk, one line each."""

from __future__ import annotations

from catalogue import describe
from lending import Lending, LendingError
from reports import Reports


class Desk:
    def __init__(self, lending: Lending, reports: Reports) -> None:
        self._lending = lending
        self._reports = reports

    def handle(self, line: str) -> str:
        command, *words = line.split()
        try:
            if command == "lend":
                tool, member, days = words
                loan = self._lending.lend(tool, member, int(days))
                return f"loan {loan.number}: {describe(tool)} for {member}"
            if command == "return":
                return f"fee {self._lending.give_back(int(words[0]))}"
            if command == "remind":
                return "\n".join(self._lending.reminders())
            if command == "summary":
                return self._reports.summary()
        except LendingError as error:
            return f"sorry: {error}"
        return f"unknown command: {command}"
