"""Walking through lists of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from client import Client

PAGE_SIZE = 100

Ticket = dict[str, Any]


def walk(client: Client) -> Iterator[Ticket]:
    """All tickets."""
    offset = 0
    while True:
        page = client.get("/tickets", limit=PAGE_SIZE, offset=offset)
        yield from page["tickets"]
        if len(page["tickets"]) < PAGE_SIZE:
            return
        offset += PAGE_SIZE
