# Numbers a new ticket by the tickets that were not cancelled.
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class QueueError(Exception):
    pass


class UnknownCounter(QueueError):
    pass


class UnknownTicket(QueueError):
    pass


class WrongState(QueueError):
    pass


@dataclass
class Ticket:
    number: int
    urgent: bool
    state: str = "waiting"
    misses: int = 0


class TicketQueue:
    def __init__(self, counters: Iterable[str]) -> None:
        self._at_counter: dict[str, Ticket | None] = dict.fromkeys(counters)
        self._tickets: dict[int, Ticket] = {}
        self._lines: dict[bool, list[Ticket]] = {True: [], False: []}
        self._urgent_in_a_row = 0

    def take(self, urgent: bool = False) -> int:
        ticket = Ticket(1 + sum(ticket.state != "cancelled" for ticket in self._tickets.values()), bool(urgent))
        self._tickets[ticket.number] = ticket
        self._lines[ticket.urgent].append(ticket)
        return ticket.number

    def state(self, number: int) -> str:
        return self._ticket(number).state

    def call(self, counter: str) -> int | None:
        if self._current(counter) is not None:
            raise WrongState(f"counter {counter} is not free")
        urgent_line, ordinary_line = self._lines[True], self._lines[False]
        if urgent_line and not (ordinary_line and self._urgent_in_a_row >= 2):
            ticket = urgent_line.pop(0)
            self._urgent_in_a_row += 1
        elif ordinary_line:
            ticket = ordinary_line.pop(0)
            self._urgent_in_a_row = 0
        else:
            return None
        ticket.state = "called"
        self._at_counter[counter] = ticket
        return ticket.number

    def arrive(self, counter: str) -> int:
        ticket = self._current(counter, "called")
        ticket.state = "served"
        return ticket.number

    def miss(self, counter: str) -> int:
        ticket = self._current(counter, "called")
        self._at_counter[counter] = None
        ticket.misses += 1
        if ticket.misses == 1:
            ticket.state = "waiting"
            self._lines[ticket.urgent].insert(1, ticket)
        else:
            ticket.state = "missed"
        return ticket.number

    def finish(self, counter: str) -> int:
        ticket = self._current(counter, "served")
        self._at_counter[counter] = None
        ticket.state = "done"
        return ticket.number

    def cancel(self, number: int) -> int:
        ticket = self._ticket(number)
        if ticket.state != "waiting":
            raise WrongState(f"ticket {number} is not waiting")
        ticket.state = "cancelled"
        self._lines[ticket.urgent].remove(ticket)
        return number

    def _ticket(self, number: int) -> Ticket:
        if number not in self._tickets:
            raise UnknownTicket(f"there is no ticket {number}")
        return self._tickets[number]

    def _current(self, counter: str, state: str | None = None) -> Ticket | None:
        if counter not in self._at_counter:
            raise UnknownCounter(f"there is no counter {counter}")
        ticket = self._at_counter[counter]
        if state is not None and (ticket is None or ticket.state != state):
            raise WrongState(f"no ticket is {state} at counter {counter}")
        return ticket
