"""The actions of the repair café by name, over one connection."""

from __future__ import annotations

import sqlite3
from typing import Any

import handlers
from digest import digest
from repository import TicketRepository

ACTIONS = {
    "open": handlers.open_ticket,
    "show": handlers.show_ticket,
    "take": handlers.take_ticket,
    "close": handlers.close_ticket,
    "search": handlers.search,
    "rename": handlers.rename_owner,
    "history": handlers.history,
    "digest": digest,
}


class App:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tickets = TicketRepository(connection)

    def call(self, action: str, *args: Any) -> Any:
        return ACTIONS[action](self._tickets, *args)
