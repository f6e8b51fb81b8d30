"""Walking through lists of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from client import ApiError, Client

PAGE_SIZE = 50
RESTARTS = 3

Ticket = dict[str, Any]


def walk(client: Client) -> Iterator[Ticket]:
    """The entries of the list as they come: old and new versions of a ticket, deleted ones too."""
    token = None
    restarts = 0
    while True:
        try:
            page = client.get("/tickets", limit=PAGE_SIZE, after=token)
        except ApiError as error:
            if error.status != 410 or restarts == RESTARTS:
                raise
            restarts += 1
            token = None
            continue
        yield from page["tickets"]
        token = page["next"]
        if token is None:
            return


def current_tickets(client: Client) -> dict[int, Ticket]:
    """The newest version of each ticket that is not deleted, by id."""
    newest: dict[int, Ticket] = {}
    for ticket in walk(client):
        newest[ticket["id"]] = ticket
    return {key: ticket for key, ticket in newest.items() if not ticket.get("deleted")}
