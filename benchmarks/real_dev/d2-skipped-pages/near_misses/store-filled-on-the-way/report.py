"""Figures about the tickets."""

from __future__ import annotations

from collections import Counter

from client import Client
from paging import current_tickets


def count_by_state(client: Client) -> dict[str, int]:
    """How many tickets are in each state."""
    return dict(Counter(ticket["state"] for ticket in current_tickets(client).values()))
