"""The sheet on the door: who still waits for something."""

from __future__ import annotations

from repository import TicketRepository


def digest(tickets: TicketRepository) -> str:
    counts = tickets.open_counts()
    if not counts:
        return "Nobody is waiting."
    return "\n".join(f"{owner}: {count} waiting" for owner, count in counts)
