"""The commands at the desk, one line each."""

from __future__ import annotations

import lending
import reports
from catalogue import describe


def handle(line: str) -> str:
    command, *words = line.split()
    try:
        if command == "lend":
            tool, member, days = words
            loan = lending.lend(tool, member, int(days))
            return f"loan {loan.number}: {describe(tool)} for {member}"
        if command == "return":
            return f"fee {lending.give_back(int(words[0]))}"
        if command == "remind":
            return "\n".join(lending.reminders())
        if command == "summary":
            return reports.summary()
    except lending.LendingError as error:
        return f"sorry: {error}"
    return f"unknown command: {command}"
