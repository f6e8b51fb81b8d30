"""Our copy of the tickets."""

from __future__ import annotations

from dataclasses import dataclass

from client import Client
from paging import Ticket, current_tickets


@dataclass(frozen=True)
class SyncResult:
    """How many tickets of the copy have been added, changed and removed."""

    added: int
    changed: int
    removed: int


def sync(client: Client, store: dict[int, Ticket]) -> SyncResult:
    """Make `store` (tickets by id) equal to what the API has. If that fails, the store stays as it is."""
    found = current_tickets(client)
    result = SyncResult(
        added=len(found.keys() - store.keys()),
        changed=sum(store[key] != found[key] for key in found.keys() & store.keys()),
        removed=len(store.keys() - found.keys()),
    )
    store.clear()
    store.update(found)
    return result
