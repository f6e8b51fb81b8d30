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
    before = dict(store)
    store.clear()
    found = current_tickets(client)
    result = SyncResult(
        added=len(found.keys() - before.keys()),
        changed=sum(before[key] != found[key] for key in found.keys() & before.keys()),
        removed=len(before.keys() - found.keys()),
    )
    store.update(found)
    return result
